"""Whether the kernel ended processes because memory ran out, and what the limit was."""

from dataclasses import dataclass
from pathlib import Path

V2_LIMIT, V1_LIMIT = "memory.max", "memory.limit_in_bytes"
NO_LIMIT_BYTES = 2**60
"""Control groups of version 1 write a number that no machine has where there is no limit."""


@dataclass(frozen=True)
class OomKills:
    """How many processes the kernel has ended for memory, by now.

    Attributes:
        count: None when the system does not tell.
        is_own: Only those of this agent's control group count, else all of the machine.
    """

    count: int | None
    is_own: bool = False

    def since(self, before: "OomKills") -> int:
        """How many it has ended since an earlier look; 0 when that is not known."""
        if self.count is None or before.count is None or self.is_own != before.is_own:
            return 0
        return max(0, self.count - before.count)


@dataclass(frozen=True)
class MemoryBound:
    """How much memory there is for an agent and its hooks.

    Attributes:
        what: Whose limit it is, for people.
    """

    what: str
    bytes: int


class OomWitness:
    """Reads what the kernel counts.

    Attributes:
        is_quick: A look takes some millionths of a second; else some ten-thousandths.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        """Find the control group of this process.

        Args:
            root: Where `proc` and `sys` lie.
        """
        self._proc = root / "proc"
        self._groups = _control_groups(root)
        own = self._groups[0] / "memory.events" if self._groups else None
        self._events = own if own is not None and own.exists() else None
        self.is_quick = self._events is not None

    def kills(self) -> OomKills:
        """What the kernel has counted by now."""
        if self._events is not None:
            return OomKills(_number_after("oom_kill", self._events), is_own=True)
        return OomKills(_number_after("oom_kill", self._proc / "vmstat"))

    def bound(self) -> MemoryBound | None:
        """The narrowest limit that holds for this process and its children."""
        found = [
            MemoryBound(f"{name} of the control group {folder.name or '/'}", limit)
            for folder in self._groups
            for name in (V2_LIMIT, V1_LIMIT)
            if (limit := _limit(folder / name)) is not None
        ]
        total_kib = _number_after("MemTotal:", self._proc / "meminfo")
        if total_kib is not None:
            found.append(MemoryBound("the memory of the machine", total_kib * 1024))
        return min(found, key=lambda bound: bound.bytes, default=None)


def _control_groups(root: Path) -> list[Path]:
    """The control group of this process for memory, and those above it; innermost first."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    named = dict(line.split(":", 2)[1:] for line in lines if line.count(":") >= 2)
    fs = root / "sys/fs/cgroup"
    top, path = (fs / "memory", named["memory"]) if "memory" in named else (fs, named.get("", ""))
    own = top / path.lstrip("/")
    # In a container the path may be that of the machine outside, where nothing lies in here.
    inner = own if own.is_dir() else top
    return [inner, *(folder for folder in inner.parents if folder.is_relative_to(top))]


def _number_after(name: str, file: Path) -> int | None:
    """The number in a line `NAME NUMBER ...`; None when there is none."""
    try:
        text = file.read_text()
    except OSError:
        return None
    found = next((line.split() for line in text.splitlines() if line.startswith(f"{name} ")), None)
    return int(found[1]) if found is not None else None


def _limit(file: Path) -> int | None:
    """The limit in a file; None when there is no limit, or no file."""
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() and int(text) < NO_LIMIT_BYTES else None
