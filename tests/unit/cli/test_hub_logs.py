"""`logs --hub`: what a hub has of what hooks printed."""

from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from alectio_agent.cli.hub_logs import HubLog
from alectio_agent.cli.job_name import NamedJob
from alectio_agent.cli.main import main
from alectio_agent.core.errors import PlatformRejectedError, PlatformUnavailableError
from alectio_agent.wire.logs import LogText


class FakeOperator:
    """A hub with logs of `digits`: by loop and attempt, the runs of text by their position."""

    def __init__(self) -> None:
        self.logs: dict[tuple[int, int], dict[int, bytes]] = {}
        self.loops = 3
        self.asked: list[tuple[Any, ...]] = []
        self.is_away = False

    def experiment(self, name: str) -> Any:
        self._answer()
        if name != "digits":
            raise PlatformRejectedError(f"no experiment is called `{name}`", problem="not-found")
        return SimpleNamespace(loops=[SimpleNamespace(loop=loop) for loop in range(self.loops)])

    def loop_log(
        self, name: str, loop: int, attempt: int | None = None, offset: int = 0
    ) -> LogText:
        self._answer()
        self.asked.append((loop, attempt, offset))
        tried = max((of for at, of in self.logs if at == loop), default=0)
        runs = self.logs.get((loop, attempt or tried))
        if runs is None:
            raise PlatformRejectedError("nothing has come", problem="not-found")
        size = max(start + len(text) for start, text in runs.items())
        for start, text in sorted(runs.items()):
            if start + len(text) > offset:
                begin = max(start, offset)
                return LogText(attempt or tried, begin, size, text[begin - start :][:5])
        return LogText(attempt or tried, size, size, b"")

    def _answer(self) -> None:
        if self.is_away:
            raise PlatformUnavailableError("no answer")


class Bench:
    def __init__(self) -> None:
        self.operator = FakeOperator()
        self.lines: list[tuple[str, int, str]] = []

    def log(
        self, loop: int | None = 1, attempt: int | None = None, lines: int | None = None
    ) -> HubLog:
        def show(job: str, attempt: int, line: str) -> None:
            self.lines.append((job, attempt, line))

        job = NamedJob("digits", loop)
        return HubLog(self.operator, job, attempt, show, lines)  # type: ignore[arg-type]

    @property
    def texts(self) -> list[str]:
        return [line for _, _, line in self.lines]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_all_of_it_is_shown(bench: Bench) -> None:
    bench.operator.logs[1, 2] = {0: "epoch 1\nschön\nlast".encode()}
    log = bench.log()
    log.step()
    log.finish()
    assert bench.lines == [
        ("digits/1", 2, "epoch 1"),
        ("digits/1", 2, "schön"),
        ("digits/1", 2, "last"),
    ]


def test_what_comes_later_is_shown_once(bench: Bench) -> None:
    bench.operator.logs[1, 1] = {0: b"epoch 1\nepo"}
    log = bench.log()
    log.step()
    assert bench.texts == ["epoch 1"]
    bench.operator.logs[1, 1] = {0: b"epoch 1\nepoch 2\n"}
    log.step()
    log.step()
    assert bench.texts == ["epoch 1", "epoch 2"]


def test_a_new_attempt_is_shown_from_its_beginning(bench: Bench) -> None:
    bench.operator.logs[1, 1] = {0: b"a long first attempt\ncut"}
    log = bench.log()
    log.step()
    bench.operator.logs[1, 2] = {0: b"again\n"}
    log.step()
    assert bench.lines[1:] == [("digits/1", 1, "cut"), ("digits/1", 2, "again")]


def test_one_attempt_is_followed_when_it_was_named(bench: Bench) -> None:
    bench.operator.logs[1, 1] = {0: b"first\n"}
    bench.operator.logs[1, 2] = {0: b"second\n"}
    bench.log(attempt=1).step()
    assert bench.texts == ["first"]


def test_of_an_experiment_the_newest_loop_with_a_log_is_shown_then_the_next(bench: Bench) -> None:
    bench.operator.logs[1, 1] = {0: b"of loop 1\n"}
    log = bench.log(loop=None)
    log.step()
    bench.operator.logs[2, 1] = {0: b"of loop 2\n"}
    log.step()
    assert [(job, line) for job, _, line in bench.lines] == [
        ("digits/1", "of loop 1"),
        ("digits/2", "of loop 2"),
    ]


def test_a_gap_is_told_and_ends_a_line(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.operator.logs[1, 1] = {0: b"first\ncut", 2**20: b"last\n"}
    bench.log().step()
    assert bench.texts == ["first", "cut", "last"]
    assert "are not at the hub" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "shown"),
    [(0, []), (1, ["d"]), (2, ["c", "d"]), (3, ["b", "c", "d"]), (9, ["a", "b", "c", "d"])],
)
def test_only_the_last_lines_are_shown(bench: Bench, lines: int, shown: list[str]) -> None:
    bench.operator.logs[1, 1] = {0: b"a\nb\nc\nd"}
    log = bench.log(lines=lines)
    log.step()
    log.finish()
    assert bench.texts == shown


def test_after_the_last_lines_all_that_comes_is_shown(bench: Bench) -> None:
    bench.operator.logs[1, 1] = {0: b"a\nb\n"}
    log = bench.log(lines=1)
    log.step()
    bench.operator.logs[1, 1] = {0: b"a\nb\nc\nd\n"}
    log.step()
    assert bench.texts == ["b", "c", "d"]


def test_a_log_that_is_not_there_yet_is_waited_for(bench: Bench) -> None:
    log = bench.log()
    log.step()
    assert not log.has_begun
    bench.operator.logs[1, 1] = {0: b"epoch 1\n"}
    log.step()
    assert log.has_begun
    assert bench.texts == ["epoch 1"]


def test_a_hub_that_is_away_is_told_once(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.operator.logs[1, 1] = {0: b"epoch 1\n"}
    log = bench.log()
    log.step()
    bench.operator.is_away = True
    for _ in range(3):
        log.step()
    bench.operator.is_away = False
    bench.operator.logs[1, 1] = {0: b"epoch 1\nepoch 2\n"}
    log.step()
    assert capsys.readouterr().err == "no answer; trying again\n"
    assert bench.texts == ["epoch 1", "epoch 2"]


def test_an_experiment_that_went_away_is_an_error(bench: Bench) -> None:
    log = bench.log(loop=None)
    log._job = NamedJob("other", None)
    with pytest.raises(PlatformRejectedError):
        log.step()


def test_a_hub_wants_the_name_of_a_job() -> None:
    result = CliRunner().invoke(main, ["logs", "--hub", "http://127.0.0.1:1"])
    assert result.exit_code == 2
    assert "expected the name of a job" in result.stderr
    assert "alectio-agent jobs --hub http://127.0.0.1:1" in result.stderr
