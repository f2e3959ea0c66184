"""What the agent has freed goes back to the system: seen from outside of a process."""

import ctypes
import subprocess
import sys

import pytest

from alectio_agent.agent.service.memory import LARGE_BYTES

IN_USE = """
import sys
from pathlib import Path

def in_use_kb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
"""
PROGRAM = """
from alectio_agent.agent.service.memory import give_back_large_blocks

if sys.argv[1] == "given back":
    give_back_large_blocks()
del [bytearray(b"x") * (16 * 2**20)][:]  # from here on glibc takes such blocks from the heap
before = in_use_kb()
block = bytearray(b"x") * (8 * 2**20)
behind = bytearray(100_000)
del block
print(in_use_kb() - before)
"""
HOLES = """
from alectio_agent.agent.service.memory import give_back_pages

blocks = [bytearray(b"x") * 60_000 for _ in range(400)]
del blocks[::2]
before = in_use_kb()
give_back_pages()
print(before - in_use_kb())
"""


def run(program: str, how: str = "") -> int:
    command = [sys.executable, "-c", IN_USE + program, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="no glibc")
def test_a_large_block_returns_though_something_lies_behind_it() -> None:
    assert LARGE_BYTES < 8 * 2**20
    assert run(PROGRAM, "as usual") > 7_000, "this machine has no need of it"
    assert run(PROGRAM, "given back") < 1_000


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="no glibc")
def test_pages_return_though_blocks_in_use_lie_around_them() -> None:
    assert run(HOLES) > 200 * 40
