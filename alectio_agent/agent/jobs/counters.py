"""What an agent counts of its work, for the hourly line of its log and for its metrics."""

from dataclasses import dataclass, field
from functools import partial
from typing import get_args

from alectio_agent.agent.hooks.steps import StepOutcome
from alectio_agent.core.tally import Tally
from alectio_agent.wire.claims import Claim, Step
from alectio_agent.wire.protocol import STEPS
from alectio_agent.wire.results import FailureClass

DONE = "done"
LOST = "lost"
JOB_CLASSES = (DONE, *get_args(FailureClass), LOST)
"""How a job ends here: with all results, in a class of failures, or in another agent's hands."""
POLLS = ("job", "empty", "failed")
RESULTS = ("delivered", "superseded", "parked")
ACTIVITIES = ("polls", "heartbeats", "results", "logs", "names")


@dataclass(frozen=True)
class StepMemory:
    """The most that the newest run of a step held.

    Attributes:
        host_bytes: Of the machine's memory, by the hook process; None when that is not known.
        gpu_bytes: Of one GPU's, by torch; None without torch on a GPU.
    """

    host_bytes: int | None
    gpu_bytes: int | None


@dataclass(frozen=True)
class Counters:
    """One for the whole agent; each part adds to its own from its own thread.

    Attributes:
        jobs: That ended here, by class.
        step_s: Seconds that hooks took, by step.
        steps: That gave a result, by step.
        polls: By what came of them.
        retries: Tries that failed and are made again, by activity.
        results: What left the outbox, by how.
        memory: By pipeline and step.
    """

    jobs: Tally = field(default_factory=partial(Tally, *JOB_CLASSES))
    step_s: Tally = field(default_factory=partial(Tally, *STEPS))
    steps: Tally = field(default_factory=partial(Tally, *STEPS))
    polls: Tally = field(default_factory=partial(Tally, *POLLS))
    retries: Tally = field(default_factory=partial(Tally, *ACTIVITIES))
    results: Tally = field(default_factory=partial(Tally, *RESULTS))
    memory: dict[tuple[str, str], StepMemory] = field(default_factory=dict)

    def note_step(self, claim: Claim, step: Step, outcome: StepOutcome) -> None:
        """A step gave a result.

        Args:
            claim: Of its job.
            step: Which.
            outcome: What came of it.
        """
        self.steps.add(step)
        self.step_s.add(step, outcome.duration_s)
        if outcome.memory_bytes is not None or outcome.gpu_bytes is not None:
            found = StepMemory(outcome.memory_bytes, outcome.gpu_bytes)
            self.memory[claim.pipeline, step] = found
