"""What may leave the site about a job, beside the results themselves."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from alectio_agent.agent.hooks.child.label_counts import count_labels
from alectio_agent.agent.hooks.child.results import Asked
from alectio_agent.agent.hooks.provenance import Provenance as Found
from alectio_agent.agent.jobs.made_of import to_record
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.config.share import ShareSettings
from alectio_agent.core.errors import CODE_PATTERN
from alectio_agent.wire.provenance import Provenance

WITHHELD = "(not shared: it may quote data; the agent's log has it)"
QUOTES_EXCEPTIONS = frozenset({"user_code", "checkpoint"})
"""Failure classes whose message holds the text of an exception of the user's."""

STRICT = ShareSettings()
NO_CLASSES = Asked("custom")
"""Labels of such an experiment are not counted."""

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


@dataclass(frozen=True)
class Share:
    """What may leave about the jobs of one pipeline: nothing that no key opens.

    Attributes:
        keys: Section `share` of the pipeline.
        digest_key: Of this installation; arguments that stay are told by a digest made with it.
    """

    keys: ShareSettings = STRICT
    digest_key: bytes = field(default=b"", repr=False)

    @property
    def _tells_texts(self) -> bool:
        """Whether texts of exceptions, and names of files and folders, may leave."""
        return self.keys.tracebacks == "full"

    def inline(
        self, step: str, inline: dict[str, Any] | None, asked: Asked = NO_CLASSES
    ) -> dict[str, Any] | None:
        """The inline result that may be sent: of `train`, nothing by default.

        Args:
            step: Whose result it is.
            inline: Whole; None for a result in parts.
            asked: By the experiment: its classes are counted.
        """
        if inline is None or step != "train":
            return inline
        told = {"hyperparams": inline.get("hyperparams")} if self.keys.hyperparams else {}
        told |= self._labels(inline, asked)
        return {name: value for name, value in told.items() if value is not None}

    def _labels(self, inline: dict[str, Any], asked: Asked) -> dict[str, Any]:
        counts = inline.get("label_counts")
        if self.keys.labels == "full":
            return {"labels": inline.get("labels"), "label_counts": counts}
        if self.keys.labels == "none":
            return {}
        if counts is None and inline.get("labels") is not None:
            counts = count_labels(inline["labels"], asked)
        return {"label_counts": counts}

    def provenance(self, found: Found | None) -> Provenance | None:
        """What may be told of what a train run was made of.

        Args:
            found: None for other steps.

        Returns:
            Digests, the git commit, and the versions of Python and packages; arguments as
            hyperparameters, names of files and the interpreter's path as texts of exceptions.
        """
        key = None if self.keys.hyperparams else self.digest_key
        told = None if found is None else to_record(found, key)
        if told is None:
            return None
        if not self.keys.hyperparams:
            told = told.model_copy(update={"args": None})
        if self._tells_texts:
            return told
        return told.model_copy(
            update={
                "code": told.code.model_copy(update={"files": {}}),
                "interpreter": told.interpreter.model_copy(update={"path": None}),
            }
        )

    def warnings(self, warnings: Iterable[str]) -> list[str]:
        """The warnings that may be sent.

        Args:
            warnings: Of the step; they may name folders.

        Returns:
            With the last part of each absolute path only.
        """
        return [text if self._tells_texts else _without_paths(text) for text in warnings]

    def message(self, message: str, failure_class: str) -> str:
        """The failure's message that may be sent.

        Args:
            message: Whole; the lines behind the first may quote values.
            failure_class: Says whether the first line quotes an exception.

        Returns:
            The first line, with the last part of each absolute path only; of an exception only
            place and type.
        """
        if self._tells_texts:
            return message
        if failure_class not in QUOTES_EXCEPTIONS:
            return _without_paths(message.split("\n", 1)[0])
        coded = _CODE.match(message)
        code = coded[0] if coded else ""
        raised = _RAISED_AT.match(message[len(code) :])
        return f"{code}{raised['place']}: {WITHHELD}" if raised else f"{code}{WITHHELD}"

    def traceback(self, traceback: str) -> str:
        """The traceback that may be sent: file names, line numbers and types."""
        if self._tells_texts or not traceback:
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


@dataclass(frozen=True)
class Shares:
    """The rules of all pipelines of an agent.

    Attributes:
        by_pipeline: Those of each.
        otherwise: For jobs of a pipeline that is not configured (any more).
    """

    by_pipeline: Mapping[str, Share] = field(default_factory=dict)
    otherwise: Share = field(default_factory=Share)

    @classmethod
    def of(cls, pipelines: Mapping[str, PipelineSettings], digest_key: bytes) -> Self:
        """The rules as they are configured.

        Args:
            pipelines: Their settings, by name.
            digest_key: Of this installation.
        """
        found = {name: Share(each.share, digest_key) for name, each in pipelines.items()}
        return cls(found, Share(digest_key=digest_key))

    def at(self, pipeline: str) -> Share:
        """The rules of one pipeline.

        Args:
            pipeline: Its name.
        """
        return self.by_pipeline.get(pipeline, self.otherwise)

    @property
    def tells_host(self) -> bool:
        """Whether the name of this machine may leave: it is the agent's, so all must allow it."""
        found = self.by_pipeline.values()
        return bool(found) and all(share.keys.host == "name" for share in found)


def _without_paths(text: str) -> str:
    """Folders are named by people, after studies and patients."""
    return _PATH.sub(_last_part, _QUOTED_PATH.sub(_last_part, text))


def _last_part(path: re.Match[str]) -> str:
    return path[0].rstrip("/").rpartition("/")[2] or path[0]
