"""Makes claims and manifests for tests."""

from typing import Any

from alectio_agent.agent.journal.outbox import Manifest
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.results import StepCommit

PLATFORM = "platform-1"


def make_claim(**changed: Any) -> Claim:
    """Loop 1 of `digits` with all three steps, pool of 10, unless changed."""
    checkpoint = changed.pop("ckpt_file", "digits-ckpt_1")
    raw: dict[str, Any] = {
        "job": "digits/1",
        "job_id": "job-1",
        "experiment": "digits",
        "experiment_id": "experiment-1",
        "pipeline": "digits",
        "task": "classification",
        "classes": 3,
        "output": "logits",
        "pool": {"size": 10},
        "loop": 1,
        "loops": 3,
        "attempt": 1,
        "lease": "lease-1",
        "seed": 7,
        "steps": [
            {
                "step": "train",
                "payload": {
                    "resume_from": "digits-ckpt_0",
                    "ckpt_file": checkpoint,
                    "labeled": [1, 4, 8],
                },
            },
            {"step": "test", "payload": {"ckpt_file": checkpoint}},
            {"step": "infer", "payload": {"ckpt_file": checkpoint, "unlabeled": [0, 2, 3]}},
        ],
        **changed,
    }
    return Claim.model_validate(raw)


def make_manifest(claim: Claim, step: str, key: str | None = None, **commit: Any) -> Manifest:
    """A complete result of a step with nothing inside, unless said otherwise."""
    files = commit.pop("files", [])
    return Manifest.model_validate(
        {
            "platform_id": PLATFORM,
            "job": claim.job,
            "job_id": claim.job_id,
            "lease": claim.lease,
            "step": step,
            "files": files,
            "commit": StepCommit.model_validate(
                {
                    "key": key or f"key-{step}",
                    "media_type": "application/json",
                    "rows": 0,
                    "inline": None if commit.get("parts") else {},
                    **commit,
                }
            ).model_dump(),
        }
    )
