"""What stays behind when the agent is killed, and how the next one ends it."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.groups import (
    HOME_VARIABLE,
    end_group,
    end_strays,
    home_mark,
    is_group_empty,
    new_marker,
)
from alectio_agent.agent.hooks.processes import MARKER_VARIABLE, start_time
from alectio_agent.core.clock import SystemClock

# Runs one step whose hook starts a grandchild that ignores TERM, and tells both process ids.
AGENT = """
import json, sys
from pathlib import Path
from tests.support.hook_runs import HANGING, STUBBORN, HookBench

bench = HookBench(Path(sys.argv[1]))
def tell(done, total, numbers):
    (pgid, (start, marker)), = bench.groups.living.items()
    print(json.dumps([pgid, start, marker, int(numbers["pid"])]), flush=True)
bench.on_progress = tell
bench.run(bench.pipeline(STUBBORN + HANGING), "test")
"""


class Left:
    """A killed agent's hook process, and its grandchild."""

    def __init__(self, folder: Path) -> None:
        root = Path(__file__).parents[2]
        agent = subprocess.Popen(
            [sys.executable, "-c", AGENT, str(folder)], cwd=root, stdout=subprocess.PIPE
        )
        assert agent.stdout is not None
        self.pgid, self.start, self.marker, self.grandchild = json.loads(agent.stdout.readline())
        child, self.grandchild_end = os.pidfd_open(self.pgid), os.pidfd_open(self.grandchild)
        agent.send_signal(signal.SIGKILL)
        agent.wait()
        agent.stdout.close()
        assert has_ended(child), "the hook process outlived the agent"
        os.close(child)

    def close(self) -> None:
        if not has_ended(self.grandchild_end, patience_s=0):
            os.kill(self.grandchild, signal.SIGKILL)
        os.close(self.grandchild_end)


def has_ended(pidfd: int, patience_s: float = 20) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(patience_s * 1000))


@pytest.fixture
def left(tmp_path: Path) -> Iterator[Left]:
    made = Left(tmp_path)
    yield made
    made.close()


def test_a_grandchild_that_ignores_term_is_gone_after_the_next_start(left: Left) -> None:
    end_group(left.pgid, left.start, left.marker, SystemClock())
    assert has_ended(left.grandchild_end)
    assert is_group_empty(left.pgid)


def test_a_group_with_another_marker_is_left_alone(tmp_path: Path) -> None:
    """Its number was given away since: killing it would hit a stranger."""
    stranger = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    )
    end_group(stranger.pid, 1, new_marker(), SystemClock())
    assert stranger.poll() is None
    stranger.communicate(b"\n")


def test_a_group_of_an_earlier_boot_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    )
    end_group(stranger.pid, start_time(stranger.pid), "earlier-boot.1234", SystemClock())
    assert stranger.poll() is None
    stranger.communicate(b"\n")


def test_a_leader_is_known_by_its_start_time_even_without_the_marker(tmp_path: Path) -> None:
    """Some programs write over their environment to show a title."""
    ours = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    )
    end = os.pidfd_open(ours.pid)
    end_group(ours.pid, start_time(ours.pid), new_marker(), SystemClock())
    assert has_ended(end)
    os.close(end)
    ours.communicate()


def test_a_process_that_left_the_group_but_carries_the_marker_is_ended(tmp_path: Path) -> None:
    marker = new_marker()
    gone = subprocess.Popen(
        [sys.executable, "-c", "print('here', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "ALECTIO_HOOK_MARKER": marker},
    )
    assert gone.stdout is not None
    gone.stdout.readline()  # for a moment after its start the system shows no environment of it
    end_group(2**22 - 1, 1, marker, SystemClock())
    assert gone.wait() == -signal.SIGKILL
    gone.communicate()


class TestWithoutItsJournal:
    """What hooks left is found by the state folder that their processes carry the mark of."""

    def start(self, folder: Path, marker: str) -> subprocess.Popen[bytes]:
        folder.mkdir(exist_ok=True)
        own = {MARKER_VARIABLE: marker, HOME_VARIABLE: home_mark(folder)}
        return subprocess.Popen(
            [sys.executable, "-c", "input()"],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, **own},
        )

    def test_all_of_this_folder_are_ended_and_none_of_another(self, tmp_path: Path) -> None:
        ours = [self.start(tmp_path / "ours", new_marker()) for _ in range(2)]
        copied = self.start(tmp_path / "copied", new_marker())
        end_strays(home_mark(tmp_path / "ours"), SystemClock())
        assert [process.wait() for process in ours] == [-signal.SIGKILL] * 2
        assert copied.poll() is None
        for process in (*ours, copied):
            process.communicate()

    def test_what_an_earlier_boot_of_the_machine_marked_is_left_alone(self, tmp_path: Path) -> None:
        """The mark names device and inode, which may be another folder's by now."""
        stranger = self.start(tmp_path / "ours", "earlier-boot.1234")
        end_strays(home_mark(tmp_path / "ours"), SystemClock())
        assert stranger.poll() is None
        stranger.communicate(b"\n")

    def test_a_renamed_folder_is_the_same(self, tmp_path: Path) -> None:
        (tmp_path / "state").mkdir()
        before = home_mark(tmp_path / "state")
        (tmp_path / "state").rename(tmp_path / "moved")
        assert home_mark(tmp_path / "moved") == before
