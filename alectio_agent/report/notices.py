"""Warnings of all loops: the newest first, what was said again once."""

from collections.abc import Sequence
from dataclasses import dataclass

from alectio_agent.report.reading import Document, entries, loops_of, member, number_of

MOST_NOTICES = 100
MOST_LOOPS = 10


@dataclass(frozen=True)
class Notice:
    """Something that was noticed.

    Attributes:
        text: What.
        step: In which step; empty for what stopped a loop.
        loops: In which loops, the newest first.
        is_problem: Whether a loop waits for a person because of it.
    """

    text: str
    step: str
    loops: Sequence[int]
    is_problem: bool = False

    @property
    def shown_loops(self) -> str:
        """Such as `4, 3, 0`."""
        more = f" and {len(self.loops) - MOST_LOOPS} more" if len(self.loops) > MOST_LOOPS else ""
        return ", ".join(map(str, self.loops[:MOST_LOOPS])) + more


def find_notices(document: Document) -> list[Notice]:
    """All warnings, and why loops wait for a person.

    Args:
        document: Of the experiment.

    Returns:
        Problems and warnings by their newest loop, the newest first.
    """
    found: dict[tuple[str, str, bool], list[int]] = {}
    for loop in reversed(loops_of(document)):
        said = [("", str(loop["problem"]), True)] if loop.get("problem") else []
        if loop.get("metrics_error"):
            said.append(("test", f"no metrics: {loop['metrics_error']}", False))
        for step, texts in (member(loop, "warnings") or {}).items():
            said += [(str(step), str(text), False) for text in entries(texts)]
        for key in dict.fromkeys(said):
            found.setdefault(key, []).append(number_of(loop))
    return [
        Notice(text, step, loops, is_problem) for (step, text, is_problem), loops in found.items()
    ]
