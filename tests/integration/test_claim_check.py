"""`claim.check` with real commands."""

import os
import threading
from pathlib import Path

import pytest

from alectio_agent.agent.jobs.claim_check import ClaimCheck
from alectio_agent.core.clock import SystemClock
from tests.support.clocks import FakeClock


class Bench:
    """A check by a clock that stands still."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()

    def check(self, line: str, **options: float) -> ClaimCheck:
        environment = {**os.environ, "FOLDER": str(self.folder), "ALECTIO_AGENT_TOKEN_FILE": "x"}
        return ClaimCheck(line, environment, self.clock, **options)

    @property
    def pids(self) -> list[int]:
        """Of processes that wrote theirs down."""
        return [int(word) for word in (self.folder / "pids").read_text().split()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def wait_for_the_end_of(pids: list[int]) -> None:
    """Returns when none lives; the limit of a test ends it when one does."""
    pause = threading.Event()
    while any(map(lives, pids)):
        pause.wait(0.01)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("true", ""),
        ("echo busy; true", ""),
        ("exit 3", "claim.check ended with 3, not with 0"),
        ("echo one; echo GPU 0 is taken >&2; echo; exit 1",
         "claim.check ended with 1, not with 0: GPU 0 is taken"),
        ("kill -SEGV $$", "claim.check was killed by SIGSEGV"),
        ("no-such-program 2>/dev/null", "claim.check ended with 127, not with 0"),
        ("printf 'a\\033[31m'; exit 1", r"claim.check ended with 1, not with 0: a\x1b[31m"),
        ("head -c 300000 /dev/zero | tr '\\0' 'x'; echo; echo end; exit 1",
         "claim.check ended with 1, not with 0: end"),
        ("exec >&-; exec 2>&-; exit 2", "claim.check ended with 2, not with 0"),
        ("echo $ALECTIO_AGENT_TOKEN_FILE$HOME >/dev/null; test -z $ALECTIO_AGENT_TOKEN_FILE", ""),
    ],
)  # fmt: skip
def test_a_job_is_taken_when_the_command_ends_with_0(bench: Bench, line: str, reason: str) -> None:
    assert bench.check(line)() == reason


def test_its_word_counts_for_some_seconds(bench: Bench) -> None:
    """A poll that failed is tried again soon, and a command may be expensive."""
    check = bench.check('echo run >> "$FOLDER/runs"; exit 1')
    for _ in range(3):
        check()
    assert (bench.folder / "runs").read_text() == "run\n"
    bench.clock.advance(10)
    check()
    assert (bench.folder / "runs").read_text() == "run\n" * 2


def test_one_that_hangs_is_killed_with_all_that_it_started(bench: Bench) -> None:
    line = 'sleep 1000 & echo $$ $! > "$FOLDER/pids"; echo waiting; wait'
    bench.clock = SystemClock()  # type: ignore[assignment]
    check = bench.check(line, limit_s=0.5)
    assert check() == "claim.check did not end within 0.50 s and was killed: waiting"
    wait_for_the_end_of(bench.pids)


def test_what_it_leaves_behind_is_ended_too(bench: Bench) -> None:
    """It would pile up: the command is run again and again."""
    assert bench.check('sleep 1000 & echo $! > "$FOLDER/pids"')() == ""
    wait_for_the_end_of(bench.pids)


def test_a_stop_does_not_wait_for_it(bench: Bench) -> None:
    check = bench.check('mkfifo "$FOLDER/fifo"; echo $$ > "$FOLDER/pids"; cat "$FOLDER/fifo"')
    reasons: list[str] = []
    thread = threading.Thread(target=lambda: reasons.append(check()))
    thread.start()
    pause = threading.Event()
    while not (bench.folder / "pids").exists() or not bench.pids:
        pause.wait(0.01)
    check.stop()
    thread.join(20)
    assert reasons == ["claim.check was ended, since the agent stops"]
    wait_for_the_end_of(bench.pids)


def test_after_a_stop_none_is_begun(bench: Bench) -> None:
    check = bench.check("sleep 1000")
    check.stop()
    assert check() == "claim.check was ended, since the agent stops"


def test_another_command_is_asked_at_once_and_none_says_yes(bench: Bench) -> None:
    """`reload` after claim.check was changed, or taken out."""
    check = bench.check("exit 3")
    assert check() == "claim.check ended with 3, not with 0"
    check.change("exit 4")
    assert check() == "claim.check ended with 4, not with 0"
    check.change(None)
    assert check() == ""
