"""Section `pipelines.<name>.timeout`: how long a hook may take."""

from alectio_agent.config.section import Section
from alectio_agent.config.values import TimeLimit

HOUR_S = 3600.0


class TimeoutSettings(Section):
    """Seconds; None for no limit.

    Attributes:
        train: Longest `train`, and the import of the hooks before it.
        test: Longest `test`; also for `state`, and the import of the hooks when the agent starts.
        infer: Longest `infer`, and the import of the hooks before it.
        no_progress: Longest time in any step without a report by `progress` or `track`.
    """

    train: TimeLimit | None = 24 * HOUR_S
    test: TimeLimit | None = HOUR_S
    infer: TimeLimit | None = 4 * HOUR_S
    no_progress: TimeLimit | None = None

    def of(self, step: str) -> float | None:
        """The limit of one step, in seconds.

        Args:
            step: `train`, `test` or `infer`.
        """
        return {"train": self.train, "test": self.test, "infer": self.infer}[step]
