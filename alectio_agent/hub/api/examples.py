"""One example of each main call for the OpenAPI document: the job that docs/wire.md tells of."""

from dataclasses import dataclass, field
from typing import Any

AGENT_ID = "6f31169fce302769e1207a7736b82afc"
EXPERIMENT_ID = "f246e49440c07cbad7387102ce988cc3"
JOB_ID = "45f0cdb78005bfdb0c1384c1b62f0188"
LEASE = "fbcdec2d0bad3cb854a8d9ddf7f5d27f"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
PART_BYTES = 4_194_304
CONTENT_RANGE = f"bytes 0-65535/{PART_BYTES}"
ACCEPTED = {"status": "accepted"}


@dataclass(frozen=True)
class Example:
    """What goes out and what comes back in one call.

    Attributes:
        asked: The body; None when there is none that can be written down.
        answers: By status.
        values: Of parameters, by name.
    """

    asked: Any = None
    answers: dict[int, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def _problem(name: str, status: int, title: str, detail: str, **more: Any) -> dict[str, Any]:
    return {
        "type": name,
        "title": title,
        "status": status,
        "detail": detail,
        "code": "E-HUB-03",
        **more,
    }


_JOB = {"job_id": JOB_ID, "Alectio-Lease": LEASE}
_MISSING = _problem(
    "parts-missing",
    409,
    "a commit names parts that have not arrived whole",
    "1 part is not there whole",
    missing=[{"sha256": SHA256, "have": 65_536}],
)
_CLAIM = {
    "job": "digits/3",
    "job_id": JOB_ID,
    "experiment": "digits",
    "experiment_id": EXPERIMENT_ID,
    "pipeline": "digits",
    "task": "classification",
    "classes": 10,
    "class_names": None,
    "output": "logits",
    "pool": {"size": 1437, "digest": None, "earlier": []},
    "loop": 3,
    "loops": 10,
    "attempt": 1,
    "lease": LEASE,
    "seed": 0,
    "select": None,
    "steps": [
        {
            "step": "train",
            "payload": {
                "resume_from": "digits-ckpt_2",
                "ckpt_file": "digits-ckpt_3",
                "labeled": [4, 8],
                "labels": None,
            },
        },
        {"step": "test", "payload": {"ckpt_file": "digits-ckpt_3"}},
        {"step": "infer", "payload": {"ckpt_file": "digits-ckpt_3", "unlabeled": [0, 1, 2]}},
    ],
}
EXAMPLES = {
    "register": Example(
        {
            "installation_id": "7c1e6f0a",
            "boot": {"count": 1, "id": "c0ffee01"},
            "name": "gpu01",
            "version": "0.1.0",
            "pipelines": [{"name": "digits", "pool_size": 1437}],
        },
        {
            200: {
                "agent_id": AGENT_ID,
                "platform_id": "f4fddaa7d9d609ae8ec3ecc5fd5de3ce",
                "lease_s": 90.0,
                "poll_wait_s": 20.0,
                "max_part_bytes": 67_108_864,
                "protocol": {"min": 1, "max": 1},
                "names_wanted": [],
                "token_expires_at": "2027-01-31T09:05:00.250Z",
            },
            426: _problem(
                "unsupported-protocol",
                426,
                "the two sides share no protocol number",
                "Alectio-Protocol: found 2; expected 1",
                min=1,
                max=1,
            ),
        },
    ),
    "claim": Example(
        {
            "agent_id": AGENT_ID,
            "boot": "c0ffee01",
            "seq": 1,
            "wait_s": 20,
            "free": ["digits"],
            "refused": None,
        },
        {200: _CLAIM},
    ),
    "heartbeat": Example(
        {
            "step": "train",
            "state": "running",
            "progress": {"done": 3, "total": 10, "numbers": {"loss": 0.7}},
        },
        {200: {"cancel": None}},
        _JOB,
    ),
    "put_part": Example(
        None,
        {200: {**ACCEPTED, "have": 65_536}, 409: _MISSING},
        {**_JOB, "sha256": SHA256, "Content-Range": CONTENT_RANGE},
    ),
    "commit": Example(
        {
            "key": "infer-5f1c",
            "media_type": "application/x-npz",
            "rows": 100_000,
            "parts": [{"sha256": SHA256, "bytes": PART_BYTES, "rows": 100_000}],
            "started_at": "2026-01-31T12:00:00.000Z",
            "finished_at": "2026-01-31T12:01:40.000Z",
            "duration_s": 100.0,
        },
        {200: ACCEPTED, 409: _MISSING},
        {**_JOB, "step": "infer"},
    ),
    "fail": Example(
        {
            "key": "fail-9b2d",
            "step": "train",
            "class": "user_code",
            "message": "KeyError: 'lr'",
            "traceback": "processes.py:12 in train",
            "finished_at": "2026-01-31T12:10:00.000Z",
        },
        {200: ACCEPTED},
        _JOB,
    ),
    "leave": Example(None, {200: ACCEPTED}, {"agent_id": AGENT_ID}),
    "put_log": Example(None, {200: {"have": 23}}, {**_JOB, "attempt": 1, "offset": 0}),
    "create_experiment": Example(
        {
            "settings": {
                "name": "digits",
                "task": "classification",
                "classes": 10,
                "batch": 30,
                "loops": 10,
            }
        }
    ),
    "show_platform": Example(
        None,
        {
            200: {
                "platform_id": "f4fddaa7d9d609ae8ec3ecc5fd5de3ce",
                "version": "0.1.0",
                "scope": "agent",
                "token_expires_at": "2027-01-31T09:05:00.250Z",
            }
        },
    ),
    "probe": Example(
        None, {200: {"bytes": 65_536, "sha256": SHA256, "held_s": 0.0}}, {"wait_s": 0}
    ),
    "make_token": Example(
        {"name": "gpu01", "scope": "agent", "expires_s": 2_592_000},
    ),
}
"""By the name of the operation."""
