"""Real small disks: a tmpfs of some MiB, for tests that run as root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

FILL = "fill"
CHUNK = 2**16


@contextmanager
def small_disk(place: Path, size: str = "8m", options: str = "") -> Iterator[Path]:
    """A mounted tmpfs; skips the test where nothing may be mounted.

    Args:
        place: Is made.
        size: As `mount` takes it.
        options: Further ones, such as `nr_inodes=20`.
    """
    place.mkdir(parents=True)
    words = ",".join(filter(None, [f"size={size}", "mode=0700", options]))
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", words, "tmpfs", place], capture_output=True, check=False
    ).returncode  # fmt: skip
    if not mounted:
        pytest.skip("a small disk can only be mounted by root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def fill_disk(place: Path) -> None:
    """Leave not one byte."""
    assert place.is_mount(), "only a small disk may be filled"
    with (place / FILL).open("ab", buffering=0) as file, suppress(OSError):
        for size in (CHUNK, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass


def empty_disk(place: Path) -> None:
    """Give the room back."""
    (place / FILL).unlink(missing_ok=True)


def remount(place: Path, how: str) -> None:
    """Mount it `ro`, or `rw` again."""
    subprocess.run(["mount", "-o", f"remount,{how}", place], check=True, capture_output=True)
