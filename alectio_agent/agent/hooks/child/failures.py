"""What can go wrong in the hook process, and how it is told: places in the user's code only."""

from __future__ import annotations

import errno
import linecache
import os
import traceback
from pathlib import Path
from typing import Any, Optional

from alectio_agent.agent.hooks.child.helpers import CheckpointMissing, Stopped, should_stop
from alectio_agent.agent.hooks.child.ownership import OwnFiles

CHILD_FOLDER = str(Path(__file__).resolve().parent)
OS_FILES = ("<frozen os>", os.__file__)
REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
NO_FILE = "no such file"
"""How the message about hooks that are not there ends."""
LONGEST_TEXT = 2000
LONGEST_TRACEBACK = 30000


class LoadError(Exception):
    """The hooks cannot be loaded, or their functions break the signature rules."""


class DiskError(Exception):
    """A file of ours could not be written, and nobody keeps what was to be in it.

    Attributes:
        path: Of the file.
        error: What the disk said.
    """

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(path, error)
        self.path = path
        self.error = error


class ContractError(Exception):
    """What a hook returned breaks the contract.

    Attributes:
        message: Without any value of the data, since it may leave the site.
        detail: What was found, with values; stays on this machine.
        code: Of the message, for the documentation.
    """

    def __init__(self, message: str, detail: str = "", code: str = "E-HOOK-06") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.code = code


def tell_failure(error: BaseException, own: OwnFiles, *, loading: bool) -> dict[str, Any]:
    """A failure as a report to the agent.

    Args:
        error: What was raised.
        own: Which files are the user's.
        loading: The hooks were being loaded, none was running.

    Returns:
        Content of a report `failed`.
    """
    if isinstance(error, ContractError):
        told = {"kind": "contract", "message": error.message, "detail": error.detail}
        return {**told, "code": error.code}
    if isinstance(error, LoadError):
        return {"kind": "load", "message": str(error)}
    if isinstance(error, Stopped) and should_stop():
        return {"kind": "stopped", "message": _place_and_text(error, own)}
    if isinstance(error, DiskError):
        number, reason = error.error.errno, error.error.strerror or str(error.error)
        return {"kind": "disk", "path": str(error.path), "errno": number, "message": reason}
    kind = "load_raised" if loading else "raised"
    if isinstance(error, CheckpointMissing):
        kind = "checkpoint"
    told = {"kind": kind, "message": _place_and_text(error, own), "traceback": trace_of(error)}
    if was_left(error):
        told["cause"] = "breakpoint"
    elif isinstance(error, Stopped):
        told["cause"] = "stopped"
    elif isinstance(error, KeyError) and _is_of_environ(error):
        told["cause"] = "variable"
    else:
        told.update(_refusal(error))
    if loading and isinstance(error, ModuleNotFoundError) and error.name:
        frame = _telling_frame(error, own)
        told["missing"] = error.name.partition(".")[0]
        told["place"] = "{}:{} `{}`".format(*frame[:2], frame[3]) if frame else ""
    return told


def tell_left(error: BaseException, own: OwnFiles) -> dict[str, Any]:
    """A person has left the debugger: nothing more is to be said than where.

    Args:
        error: As the debugger raised it.
        own: Which files are the user's.

    Returns:
        Content of a report `failed`.
    """
    frame = _telling_frame(error, own)
    return {"kind": "left", "message": "{}:{}".format(*frame[:2]) if frame else "the debugger"}


def was_left(error: BaseException) -> bool:
    """Whether this is the end of a debugger: its `q`, or a breakpoint where nobody can type."""
    return type(error).__name__ == "BdbQuit"


def _refusal(error: Optional[BaseException]) -> dict[str, Any]:
    """What a disk refused, when that is why it was raised: libraries raise errors of their own."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in REFUSALS:
            path = error.filename if isinstance(error.filename, str) else ""
            return {"cause": "disk", "errno": error.errno, "path": clean(path)}
        error = error.__cause__ or error.__context__
    return {}


def _is_of_environ(error: BaseException) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    # A frozen module has no file: 3.11 and later say `<frozen os>`.
    return last is not None and last.name == "__getitem__" and last.filename in OS_FILES


def trace_of(error: BaseException) -> str:
    """The traceback as the user would see it: without the frames of this package.

    Args:
        error: What was raised.

    Returns:
        The last 30,000 characters.
    """
    told = traceback.TracebackException.from_exception(error)
    _drop_frames(told, set())
    return clean("".join(told.format()))[-LONGEST_TRACEBACK:]


def text_of(error: BaseException) -> str:
    """Type and text of an exception, whatever its `__str__` does."""
    try:
        text = str(error)
    except BaseException:  # user code runs in there
        text = "(its text cannot be read)"
    name = type(error).__name__
    return clean("{}: {}".format(name, text) if text else name)[:LONGEST_TEXT]


def clean(text: str) -> str:
    """Text without lone surrogates, which no file could take."""
    return text.encode("utf-8", "replace").decode()


def _place_and_text(error: BaseException, own: OwnFiles) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return "{}:{}: {}".format(error.filename, error.lineno, text_of(error))
    frame = _telling_frame(error, own)
    if frame is None:
        return text_of(error)
    file, line, function, _ = frame
    where = "" if function == "<module>" else " in {}".format(function)
    return "{}:{}{}: {}".format(file, line, where, text_of(error))


def _telling_frame(error: BaseException, own: OwnFiles) -> Optional[tuple[str, int, str, str]]:
    """The deepest place in the user's own files, else the deepest outside this package."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not is_ours(frame.filename)
    ]
    telling = [frame for frame in frames if own.holds(frame.filename)] or frames
    if not telling:
        return None
    frame = telling[-1]
    line = frame.lineno or 0
    return frame.filename, line, frame.name, linecache.getline(frame.filename, line).strip()


def _drop_frames(told: Optional[traceback.TracebackException], seen: set[int]) -> None:
    if told is None or id(told) in seen:
        return
    seen.add(id(told))
    told.stack = traceback.StackSummary.from_list(
        [frame for frame in told.stack if not is_ours(frame.filename)]
    )
    _drop_frames(told.__cause__, seen)
    _drop_frames(told.__context__, seen)
    for inner in getattr(told, "exceptions", None) or ():
        _drop_frames(inner, seen)


def is_ours(file: str) -> bool:
    """Whether a frame in this file belongs to this package, and not to the user."""
    return file.startswith((CHILD_FOLDER, "<frozen importlib"))
