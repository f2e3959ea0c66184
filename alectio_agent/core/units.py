"""Durations and sizes as people write them: `90s`, `1h 30m`, `4MiB`, `64GiB`."""

import re

_SECONDS: dict[str, float] = {
    "ms": 0.001,
    "s": 1,
    "m": 60,
    "min": 60,
    "h": 3600,
    "d": 86400,
    "w": 604800,
    "y": 31536000,
}
_BYTES: dict[str, float] = {
    "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*")


def parse_duration(text: str | float) -> float:
    """Read a duration.

    Args:
        text: `90s`, `1h 30m`, `250ms`, `7d`, `2y`; a bare number is seconds.

    Returns:
        Seconds, zero or more.

    Raises:
        ValueError: Neither a number nor numbers with known units.
    """
    return _parse(text, _SECONDS, "a duration such as 30s, 5m, 1h 30m or 7d")


def write_duration(seconds: float) -> str:
    """Write a duration exactly, so that reading it gives the same seconds.

    Args:
        seconds: Zero or more, finite.

    Returns:
        `7d`, `1h 30m`, `90.5s` or `0s`.
    """
    if seconds != int(seconds):
        return f"{seconds:.9f}".rstrip("0") + "s"
    rest, parts = int(seconds), []
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, int(_SECONDS[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def parse_size(text: str | float) -> int:
    """Read a size.

    Args:
        text: `4MiB`, `64GiB`, `500MB`; a bare number is bytes.

    Returns:
        Bytes, zero or more.

    Raises:
        ValueError: Neither a number nor numbers with known units.
    """
    return int(_parse(text, _BYTES, "a size such as 512KiB, 4MiB, 10GiB or 500MB"))


def write_size(size_bytes: int) -> str:
    """Write a size exactly, so that reading it gives the same bytes.

    Args:
        size_bytes: Zero or more.

    Returns:
        `50GiB`, `1536MiB` or `500000000B`.
    """
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        factor = int(_BYTES[unit.lower()])
        if size_bytes and size_bytes % factor == 0:
            return f"{size_bytes // factor}{unit}"
    return f"{size_bytes}B"


def format_duration(seconds: float) -> str:
    """Write a duration for people, in its two largest units.

    Args:
        seconds: Zero or more.

    Returns:
        `0.42 s`, `14 s`, `1 min 55 s`, `1 h 42 min` or `3 d 4 h`.
    """
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    for large, small, large_s, small_s in (
        ("min", "s", 60, 1), ("h", "min", 3600, 60), ("d", "h", 86400, 3600),
    ):  # fmt: skip
        if seconds < large_s * (60 if large_s < 3600 else 24) or large == "d":
            whole, rest = divmod(int(seconds), large_s)
            return f"{whole} {large} {rest // small_s} {small}"
    raise AssertionError("unreachable: the last unit takes every duration")


def format_size(size_bytes: int) -> str:
    """Write a size for people.

    Args:
        size_bytes: Zero or more.

    Returns:
        `812 B`, `64.0 KiB`, `1.2 MiB`, ...
    """
    if size_bytes < 1024:
        return f"{size_bytes} B"
    size = float(size_bytes)
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1024:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} TiB"


def count(number: int, noun: str) -> str:
    """A number of things, such as `1 loop` or `1,200 samples`.

    Args:
        number: How many.
        noun: In the singular.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _parse(text: str | float, units: dict[str, float], expected: str) -> float:
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise ValueError(f"expected {expected}")  # noqa: TRY004 - pydantic reports ValueError only
    if isinstance(text, int | float):
        if not 0 <= text < float("inf"):
            raise ValueError(f"expected {expected}, zero or more")
        return float(text)
    stripped = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", stripped):
        return _finite(float(stripped), expected)
    total, position = 0.0, 0
    for part in _PART.finditer(stripped):
        factor = units.get(part[2].lower())
        if part.start() != position or factor is None:
            break
        total, position = total + float(part[1]) * factor, part.end()
    if not stripped or position != len(stripped):
        raise ValueError(f"expected {expected}")
    return _finite(total, expected)


def _finite(value: float, expected: str) -> float:
    if value == float("inf"):
        raise ValueError(f"expected {expected}, not that large")
    return value
