"""Lays environment variables and flags over a file's values, and remembers where each is from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alectio_agent.config.document import Document
from alectio_agent.config.kinds import Kind
from alectio_agent.config.nearest import unknown_key
from alectio_agent.config.problems import Code, KeyPath, Place, Problem
from alectio_agent.config.yaml_lines import read_scalar
from alectio_agent.core.nearest import fold

PREFIX = "ALECTIO_AGENT_"
Flag = str | tuple[str, ...]
"""A dotted key, or its parts when one of them may hold a dot: names of pipelines do."""
NO_SETTINGS = frozenset({"ALECTIO_AGENT_CONFIG", "ALECTIO_AGENT_TOKEN_FILE"})
"""Variables with the prefix that are looked at elsewhere."""


class _NoSuchKeyError(Exception):
    def __init__(self, path: KeyPath, parent: Kind) -> None:
        super().__init__()
        self.path = path
        self.parent = parent


@dataclass
class Layers:
    """The values of a file, with what the environment and the flags put over them.

    Attributes:
        document: The file.
        root: What the whole file should be.
        value: The values, the highest layer on top.
        origins: Places of what came from a variable or flag.
        problems: Variables and flags that name no key.
    """

    document: Document
    root: Kind
    value: dict[str, Any]
    origins: dict[KeyPath, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def lay_environment(self, environment: Mapping[str, str]) -> None:
        """Lay `ALECTIO_AGENT_SECTION__KEY=value` over the file.

        Args:
            environment: Variables; those without the prefix are left alone.
        """
        names = sorted(name for name in environment if name.startswith(PREFIX))
        for order, name in enumerate(name for name in names if name not in NO_SETTINGS):
            place = Place(f"${name}", (1, order, 0))
            self._lay(name[len(PREFIX) :].split("__"), environment[name], place)

    def lay_flags(self, flags: Mapping[Flag, object]) -> None:
        """Lay flags over the file and the environment.

        Args:
            flags: Key to value; None is a flag that was not given.
        """
        for order, (key, value) in enumerate(flags.items()):
            segments = key.split(".") if isinstance(key, str) else list(key)
            flag = "--" + "-".join(segments).replace("_", "-")
            if value is not None:
                self._lay(segments, value, Place(flag, (2, order, 0)))

    def place(self, path: KeyPath) -> Place:
        """Where a value comes from; for a missing one, the nearest mapping around it.

        Args:
            path: Of the value.

        Returns:
            A line of the file, a variable or a flag.
        """
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
            if path[:length] in self.document.marks:
                break
        return self.document.place(path)

    def origin(self, path: KeyPath) -> str | None:
        """Where a value was written.

        Args:
            path: Of the value.

        Returns:
            `agent.yaml:14`, `$ALECTIO_AGENT_LOGGING__LEVEL` or `--logging-level`; None when
            nobody wrote it, so that the default holds.
        """
        value: Any = self.value
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return self.place(path).shown

    def _lay(self, segments: list[str], value: object, place: Place) -> None:
        try:
            path, kind = self._resolve(segments)
        except _NoSuchKeyError as wrong:
            text = unknown_key(str(wrong.path[-1]), wrong.parent, self.root)
            self.problems.append(Problem(Code.UNKNOWN_KEY, place, wrong.path, text))
            return
        target = self.value
        for length, key in enumerate(path[:-1], start=1):
            if not isinstance(target.get(str(key)), dict):
                target[str(key)] = {}
                self._forget_lines(path[:length], place)
            target = target[str(key)]
        target[str(path[-1])] = _read(value, kind)
        self._forget_lines(path, place)

    def _resolve(self, segments: list[str]) -> tuple[KeyPath, Kind]:
        path: KeyPath = ()
        kind, values = self.root, self.value
        for segment in segments:
            key = _key(segment, kind, values)
            path = (*path, key)
            below = kind.child(key) if key else None
            if below is None:
                raise _NoSuchKeyError(path, kind)
            found = values.get(key)
            kind, values = below, found if isinstance(found, dict) else {}
        return path, kind

    def _forget_lines(self, path: KeyPath, place: Place) -> None:
        """What stood here in the file, or came from a lower layer, is covered from now on."""
        for known in (self.document.marks, self.origins):
            for covered in [other for other in known if other[: len(path)] == path]:
                del known[covered]
        self.origins[path] = place


def _key(segment: str, kind: Kind, values: Mapping[str, object]) -> str:
    """The key that a part of a variable's name means.

    Variables are upper case and know no `-`: the keys of the model and of the file decide.
    """
    known = [*kind.fields, *values]
    for same in (str, str.lower, fold):
        for candidate in known:
            if same(candidate) == same(segment):
                return candidate
    entries = kind.container(dict)
    # `env` holds names of variables, which keep their case; everything else of ours is lower case.
    keeps_case = entries is not None and (kind.child("") or entries).is_text
    return segment if keeps_case else segment.lower()


def _read(value: object, kind: Kind) -> Any:
    """The value of a variable, as if it stood in the file; text where text is expected."""
    if isinstance(value, Path):
        return str(value)
    if not isinstance(value, str):
        return value
    read = read_scalar(value)
    if read is None:
        return None if kind.accepts_null else value
    if kind.is_text and not isinstance(read, dict | list):
        return value
    return read
