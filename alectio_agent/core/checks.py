"""What a check found: a line of `try` and of `check`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from alectio_agent.core.errors import CODE_PATTERN, AlectioAgentError

CheckState = Literal["ok", "warn", "failed", "skipped"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        said: What was found, in one line; of a skipped check why.
        seconds: How long it took; None when that says nothing.
        problems: What is wrong and the mend: messages of one or more lines.
        log_file: Holds what the hooks printed.
        printed: The last lines of that, of this check alone.
    """

    name: str
    state: CheckState
    said: str = ""
    seconds: float | None = None
    problems: tuple[str, ...] = ()
    log_file: Path | None = None
    printed: list[str] = field(default_factory=list)

    @property
    def codes(self) -> list[str]:
        """The codes in the problems, each once, in their order."""
        found = [code for problem in self.problems for code in CODE_PATTERN.findall(problem)]
        return list(dict.fromkeys(found))


def passed(name: str, said: str, warning: str = "") -> Check:
    """A check that found nothing wrong, or something that only deserves a warning.

    Args:
        name: Of the check.
        said: What was found.
        warning: Empty when there is none.
    """
    return Check(name, "warn" if warning else "ok", said, problems=(warning,) if warning else ())


def failed(name: str, error: AlectioAgentError, said: str = "") -> Check:
    """A check that found something wrong.

    Args:
        name: Of the check.
        error: With the mend.
        said: What was looked at.
    """
    return Check(name, "failed", said, problems=(str(error),))
