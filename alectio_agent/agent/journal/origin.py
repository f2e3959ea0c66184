"""Where a result comes from: enough of its claim to know its job again without the journal."""

import re
from collections.abc import Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from alectio_agent.wire.claims import Claim, Step, Task
from alectio_agent.wire.names import CheckpointName, ExperimentName, Id, PipelineName

UNKNOWN = "unknown"
_JOB = re.compile(r"(?P<experiment>[A-Za-z0-9][A-Za-z0-9._-]{0,63})/(?P<loop>\d{1,9})", re.ASCII)


class Origin(BaseModel):
    """The attempt that a result belongs to.

    Attributes:
        steps: All steps of the attempt, in order.
    """

    model_config = ConfigDict(frozen=True)

    experiment: ExperimentName
    experiment_id: Id
    pipeline: PipelineName
    task: Task
    loop: int
    loops: int
    attempt: int
    seed: int
    ckpt_file: CheckpointName
    steps: list[Step]

    @classmethod
    def of(cls, claim: Claim) -> Self:
        """What is kept of a claim.

        Args:
            claim: Of the attempt.
        """
        return cls(
            experiment=claim.experiment,
            experiment_id=claim.experiment_id,
            pipeline=claim.pipeline,
            task=claim.task,
            loop=claim.loop,
            loops=claim.loops,
            attempt=claim.attempt,
            seed=claim.seed,
            ckpt_file=claim.steps[0].payload.ckpt_file,
            steps=[order.step for order in claim.steps],
        )

    @classmethod
    def guessed(cls, job: str, steps: Sequence[Step]) -> Self:
        """For a result of an earlier version of this program, which kept less.

        Args:
            job: `experiment/loop`.
            steps: Those with a result, in order.
        """
        named = _JOB.fullmatch(job)
        loop = int(named["loop"]) if named else 0
        return cls(
            experiment=named["experiment"] if named else UNKNOWN,
            experiment_id=UNKNOWN,
            pipeline=UNKNOWN,
            task="custom",
            loop=loop,
            loops=loop + 1,
            attempt=1,
            seed=0,
            ckpt_file=UNKNOWN,
            steps=list(steps),
        )

    def claim(self, job: str, job_id: str, lease: str) -> Claim:
        """The claim again, without the samples that nobody needs any more.

        Args:
            job: `experiment/loop`.
            job_id: As the platform named it.
            lease: Of the attempt.
        """
        no_samples: dict[str, dict[str, Any]] = {
            "train": {"resume_from": None, "labeled": []},
            "test": {},
            "infer": {"unlabeled": []},
        }
        steps = [
            {"step": step, "payload": {"ckpt_file": self.ckpt_file, **no_samples[step]}}
            for step in self.steps
        ]
        kept = self.model_dump(exclude={"ckpt_file", "steps"})
        return Claim.model_validate(
            {
                **kept,
                "job": job,
                "job_id": job_id,
                "lease": lease,
                "pool": {"size": 0},
                "steps": steps,
            }
        )
