"""What the options of `run` ask for, and whether they go together."""

from dataclasses import dataclass

from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.core.errors import UsageError

CONTRADICTIONS = (("until_done", "stay"), ("once", "stay"), ("once", "max_jobs"), ("new", "update"))
EMBEDDED_ONLY = ("new", "update", "stay")


@dataclass(frozen=True)
class Wish:
    """The options of `run`, by their names."""

    until_done: bool = False
    stay: bool = False
    once: bool = False
    max_jobs: int | None = None
    new: bool = False
    update: bool = False

    def check(self, *, is_embedded: bool) -> None:
        """Refuse options that contradict each other, or that have no meaning here.

        Args:
            is_embedded: The hub is in the box.

        Raises:
            UsageError: With the mend.
        """
        for one, other in CONTRADICTIONS:
            if getattr(self, one) and getattr(self, other):
                raise UsageError(f"{_flag(one)} and {_flag(other)} contradict each other")
        for name in EMBEDDED_ONLY:
            if getattr(self, name) and not is_embedded:
                raise UsageError(
                    f"{_flag(name)} is about the hub in the box; `platform.url` names another",
                    hint="On a hub elsewhere, `alectio-agent experiment` has the commands; an "
                    "agent there stays by itself.",
                )

    def quota(self, *, is_embedded: bool) -> Quota:
        """How many jobs the agent takes.

        Args:
            is_embedded: The hub is in the box: then the experiment's end is known better.
        """
        leaves = self.once or (self.until_done and not is_embedded)
        return Quota(1 if self.once else self.max_jobs, leaves_when_idle=leaves)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
