"""What may leave the site about a job, beside the results themselves."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from alectio_agent.agent.hooks.provenance import Provenance as Found
from alectio_agent.agent.jobs.made_of import to_record
from alectio_agent.core.errors import CODE_PATTERN
from alectio_agent.wire.provenance import Provenance

WITHHELD = "(not shared: it may quote data; the agent's log has it)"
QUOTES_EXCEPTIONS = frozenset({"user_code", "checkpoint"})
"""Failure classes whose message holds the text of an exception of the user's."""

_HEADER = "Traceback (most recent call last):"
_FRAME = re.compile(r'^\s*File "(?:[^"]*[/\\])?(?P<file>[^"/\\]+)", line (?P<line>\d+), in .*$')
_CODE = re.compile(rf"{CODE_PATTERN.pattern}  ")
_TYPE = re.compile(r"^[A-Za-z_][\w.]*(?=:|$)")
_RAISED_AT = re.compile(
    r"^(?:[^\n]*[/\\])?(?P<place>[^\n/\\]+?:\d+ in [^:\n]+: [A-Za-z_][\w.]*)(?=:|$)"
)
# Names of folders may hold spaces; a mark with a space behind it, or a quote, ends a path.
_FOLDER = r"""(?:[^/\s"'`](?:[^/\n"'`.,;:]|[.,;:](?![ \n]))*(?<!\s)/+)"""
_PATH = re.compile(rf"""(?<![\w/.~-])~?/(?!/){_FOLDER}*(?:[^\s/"'`]+)?""")
_QUOTED_PATH = re.compile(r"""(?<=(["'`]))~?/[^"'`\n]+(?=\1)""")


LogShare = Literal["none", "tail", "full"]
"""How much of what hooks print may leave: nothing, its end when the job is over, or all of it."""


@dataclass(frozen=True)
class Share:
    """The outcome of the rules for one agent.

    Attributes:
        is_full: Everything may be sent: the hub is on this machine. Otherwise labels,
            hyperparameters, arguments, record names, what hooks print and texts of exceptions
            stay here.
        digest_key: Of this installation; elsewhere arguments are told by a digest made with it.
    """

    is_full: bool
    digest_key: bytes = field(default=b"", repr=False)

    @property
    def logs(self) -> LogShare:
        """What may be sent of what the hooks print."""
        return "full" if self.is_full else "none"

    @property
    def names(self) -> bool:
        """Whether the record names from `state()` may be sent."""
        return self.is_full

    def inline(self, step: str, inline: dict[str, Any] | None) -> dict[str, Any] | None:
        """The inline result that may be sent: of `train`, nothing by default."""
        if inline is None or self.is_full or step != "train":
            return inline
        return {}

    def provenance(self, found: Found | None) -> Provenance | None:
        """What may be told of what a train run was made of.

        Args:
            found: None for other steps.

        Returns:
            Elsewhere digests, the git commit, and the versions of Python and packages: no names
            of files, no arguments, no paths.
        """
        key = None if self.is_full else self.digest_key
        told = None if found is None else to_record(found, key)
        if told is None or self.is_full:
            return told
        return told.model_copy(
            update={
                "code": told.code.model_copy(update={"files": {}}),
                "interpreter": told.interpreter.model_copy(update={"path": None}),
                "args": None,
            }
        )

    def warnings(self, warnings: Iterable[str]) -> list[str]:
        """The warnings that may be sent.

        Args:
            warnings: Of the step; they may name folders.

        Returns:
            Elsewhere with the last part of each absolute path only.
        """
        return [text if self.is_full else _without_paths(text) for text in warnings]

    def message(self, message: str, failure_class: str) -> str:
        """The failure's message that may be sent.

        Args:
            message: Whole; the lines behind the first may quote values.
            failure_class: Says whether the first line quotes an exception.

        Returns:
            The first line, with the last part of each absolute path only; of an exception only
            place and type.
        """
        if self.is_full:
            return message
        if failure_class not in QUOTES_EXCEPTIONS:
            return _without_paths(message.split("\n", 1)[0])
        coded = _CODE.match(message)
        code = coded[0] if coded else ""
        raised = _RAISED_AT.match(message[len(code) :])
        return f"{code}{raised['place']}: {WITHHELD}" if raised else f"{code}{WITHHELD}"

    def traceback(self, traceback: str) -> str:
        """The traceback that may be sent: file names, line numbers and types."""
        if self.is_full or not traceback:
            return traceback
        kept = []
        is_in_frames = False
        for line in traceback.splitlines():
            if line == _HEADER:
                is_in_frames = True
            elif frame := _FRAME.match(line):
                kept.append(f"  {frame['file']}:{frame['line']}")
            elif is_in_frames and not line.startswith(" "):
                # The first line behind the frames names the type; all that follows is its text.
                is_in_frames = False
                kept.append(found[0] if (found := _TYPE.match(line)) else "exception")
        return "\n".join(kept)


def _without_paths(text: str) -> str:
    """Folders are named by people, after studies and patients."""
    return _PATH.sub(_last_part, _QUOTED_PATH.sub(_last_part, text))


def _last_part(path: re.Match[str]) -> str:
    return path[0].rstrip("/").rpartition("/")[2] or path[0]
