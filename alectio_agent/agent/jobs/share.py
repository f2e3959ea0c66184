"""What may leave the site about a job, beside the results themselves."""

import re
from dataclasses import dataclass
from typing import Any

WITHHELD = "(not shared: it may quote data; the agent's log has it)"
_FRAME = re.compile(r'^\s*File "[^"]*[/\\](?P<file>[^"/\\]+)", line (?P<line>\d+), in .*$')
_RAISED = re.compile(r"^(?P<type>[A-Za-z_][\w.]*(?:Error|Exception|Warning|Missing|Interrupt)?)\b")


@dataclass(frozen=True)
class Share:
    """The outcome of the rules for one agent.

    Attributes:
        is_full: Everything may be sent: the hub is on this machine. Otherwise labels,
            hyperparameters, record names and texts of exceptions stay here.
    """

    is_full: bool

    def inline(self, step: str, inline: dict[str, Any] | None) -> dict[str, Any] | None:
        """The inline result that may be sent: of `train`, nothing by default."""
        if inline is None or self.is_full or step != "train":
            return inline
        return {}

    def message(self, message: str) -> str:
        """The failure's message that may be sent: without the text of an exception."""
        return message if self.is_full else _types_only(message)

    def traceback(self, traceback: str) -> str:
        """The traceback that may be sent: file names, line numbers and the type."""
        if self.is_full or not traceback:
            return traceback
        kept = []
        for line in traceback.splitlines():
            if frame := _FRAME.match(line):
                kept.append(f"  {frame['file']}:{frame['line']}")
            elif not line.startswith((" ", "Traceback")) and (raised := _RAISED.match(line)):
                kept.append(raised["type"])
        return "\n".join(kept)


def _types_only(message: str) -> str:
    """`f.py:3 in train: ValueError: row 5 is "Smith"` without what stands behind the type."""
    head = message.splitlines()[0] if message else ""
    found = re.match(r"^(.*?\b[A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt)): .*$", head)
    return f"{found[1]}: {WITHHELD}" if found else head
