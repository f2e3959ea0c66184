"""`logs`: what the hooks printed, read from files that grow, shrink and come late."""

import json
import os
from pathlib import Path
from threading import Event

import pytest
from click.testing import CliRunner, Result

from alectio_agent.agent.journal.capped_log import cap_log
from alectio_agent.agent.journal.job_logs import JobLog, job_logs
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.cli.log_follow import LogFollower
from alectio_agent.cli.log_tail import LONGEST_LINE, Tail, shown_line
from alectio_agent.cli.logs import follow
from alectio_agent.cli.main import main
from tests.support.claims import PLATFORM, make_claim
from tests.support.clocks import FakeClock
from tests.support.projects import write_project


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of logs of a project with two experiments."""
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALECTIO_AGENT_CONFIG", raising=False)
    made = tmp_path / ".alectio" / "logs"
    made.mkdir(parents=True)
    for at, name in enumerate(("toy-9-a1", "toy-9-a2", "toy-10-a1", "toy-control-0-a1")):
        (made / f"{name}.log").write_text(f"one of {name}\ntwo of {name}\n")
        os.utime(made / f"{name}.log", (at, at))
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["logs", *words])


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((), "toy-control-0-a1"),
        (("toy",), "toy-10-a1"),
        (("toy/9",), "toy-9-a2"),
        (("toy/9", "--attempt", "1"), "toy-9-a1"),
        (("toy-control",), "toy-control-0-a1"),
    ],
)
def test_the_newest_file_that_is_meant_is_printed(
    folder: Path, words: tuple[str, ...], name: str
) -> None:
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"one of {name}\ntwo of {name}\n"
    assert str(folder / f"{name}.log") in result.stderr


def test_without_a_job_the_file_written_last_counts(folder: Path) -> None:
    os.utime(folder / "toy-9-a2.log", (99, 99))
    assert run().stdout.startswith("one of toy-9-a2")


def test_quietly_there_is_no_heading(folder: Path) -> None:
    assert run("-q").stderr == ""


@pytest.mark.parametrize("job", ["toy/7", "digits", "toy/9 --attempt 3"])
def test_an_unknown_job_names_those_there_are(folder: Path, job: str) -> None:
    result = run(*job.split())
    assert result.exit_code == 2
    assert "E-USE-02" in result.stderr
    assert "There are logs of: toy/9, toy/10, toy-control/0" in result.stderr


def test_without_any_job_that_is_told(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    result = run()
    assert result.exit_code == 2
    assert "No job has run here yet." in result.stderr
    assert not folder.exists()


@pytest.mark.parametrize(
    ("lines", "shown"), [("0", ""), ("1", "c\n"), ("2", "b\nc\n"), ("9", "a\nb\nc\n")]
)
def test_only_the_last_lines_are_printed(folder: Path, lines: str, shown: str) -> None:
    (folder / "toy-10-a1.log").write_text("a\nb\nc\n")
    assert run("toy", "-n", lines).stdout == shown


def test_the_last_lines_of_a_large_file_are_found_from_its_end(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("".join(f"line {number} {'x' * 100}\n" for number in range(3000)))
    found = [line.split()[1] for line in Tail(file, 2000).lines()]
    assert found == [str(number) for number in range(1000, 3000)]


def test_a_last_line_without_an_end_is_a_line(folder: Path) -> None:
    (folder / "toy-10-a1.log").write_text("a\nb")
    assert run("toy").stdout == "a\nb\n"
    assert run("toy", "-n", "1").stdout == "b\n"


def test_json_is_an_object_a_line(folder: Path) -> None:
    (folder / "toy-10-a1.log").write_text("a\x1b[31m\n")
    told = [json.loads(line) for line in run("toy", "--json").stdout.splitlines()]
    assert told == [{"job": "toy/10", "attempt": 1, "line": "a\x1b[31m"}]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("\x1b]0;owned\x07 red", "\\x1b]0;owned\\x07 red"),
        ("a\tb", "a\tb"),
        ("10%\r 20%\r100%", "100%"),
        ("windows\r", "windows"),
        ("\u202egpj.exe", "\\x202egpj.exe"),
        ("naïve ✓", "naïve ✓"),
    ],
)
def test_nothing_that_a_hook_prints_drives_the_terminal(line: str, shown: str) -> None:
    assert shown_line(line) == shown


def test_bytes_that_are_no_text_are_shown_as_such(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"caf\xc3\xa9 \xff\n")
    assert list(Tail(tmp_path / "log").lines()) == ["café \ufffd"]


def test_a_character_that_comes_in_two_pieces_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"caf\xc3")
    tail = Tail(file)
    assert list(tail.lines()) == []
    with file.open("ab") as opened:
        opened.write(b"\xa9\n")
    assert list(tail.lines()) == ["café"]


def test_a_file_that_shrank_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("a long line\nbegun")
    tail = Tail(file)
    assert list(tail.lines()) == ["a long line"]
    file.write_text("new\n")
    assert list(tail.lines()) == ["new"]


def test_a_file_that_was_replaced_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("old\n")
    tail = Tail(file)
    assert list(tail.lines()) == ["old"]
    (tmp_path / "other").write_text("newer and longer\n")
    (tmp_path / "other").rename(file)
    assert list(tail.lines()) == ["newer and longer"]


def test_a_line_that_never_ends_does_not_fill_the_memory(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("x" * (3 * LONGEST_LINE))
    assert sum(map(len, Tail(tmp_path / "log").lines())) > LONGEST_LINE


class Turns(FakeClock):
    """Does the next thing at each wait; ends the follower when there is none left."""

    def __init__(self, *todo) -> None:
        super().__init__()
        self.todo = list(todo)

    def wait(self, event: Event, seconds: float) -> bool:
        if self.todo:
            self.todo.pop(0)()
        else:
            event.set()
        return super().wait(event, seconds)


def followed(folder: Path, *todo, started: JobLog | None = None) -> list[str]:
    shown: list[str] = []
    follower = LogFollower(
        folder, lambda log: True, lambda log, line: shown.append(f"{log.job} {line}"), started, None
    )
    clock = Turns(*todo)
    follow(follower, clock, Event())
    assert set(clock.waits) <= {0.5}
    return shown


def append(file: Path, text: str):
    def work() -> None:
        file.parent.mkdir(exist_ok=True)
        with file.open("a") as opened:
            opened.write(text)

    return work


def test_a_follower_goes_on_to_the_next_job(tmp_path: Path) -> None:
    first, second = tmp_path / "toy-0-a1.log", tmp_path / "toy-1-a1.log"
    first.write_text("a\n")
    shown = followed(
        tmp_path,
        append(first, "b\n"),
        append(second, "c\n"),
        append(second, "d\n"),
        started=JobLog("toy", 0, 1),
    )
    assert shown == ["toy/0 a", "toy/0 b", "toy/1 c", "toy/1 d"]


def test_a_follower_waits_for_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    shown = followed(tmp_path / "logs", append(tmp_path / "logs" / "toy-0-a1.log", "a\n"))
    assert shown == ["toy/0 a"]


def test_old_files_are_not_printed_again(tmp_path: Path) -> None:
    (tmp_path / "toy-0-a1.log").write_text("old\n")
    (tmp_path / "toy-1-a1.log").write_text("new\n")
    assert followed(tmp_path, started=JobLog("toy", 1, 1)) == ["toy/1 new"]


def test_a_line_that_was_begun_is_shown_when_following_ends(tmp_path: Path) -> None:
    file = tmp_path / "toy-0-a1.log"
    file.write_text("whole\nbeg")
    shown = followed(tmp_path, append(file, "un"), started=JobLog("toy", 0, 1))
    assert shown == ["toy/0 whole", "toy/0 begun"]


def test_ctrl_c_ends_a_follower_without_a_failure(tmp_path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    (tmp_path / "toy-0-a1.log").write_text("a\n")
    assert followed(tmp_path, interrupt, started=JobLog("toy", 0, 1)) == ["toy/0 a"]


def test_names_of_files_lead_to_jobs_and_back(tmp_path: Path) -> None:
    for log in (JobLog("a-1-a2", 3, 4), JobLog("x.y_z-control", 0, 12)):
        assert JobLog.of(log.file_name) == log
    for name in ("toy-07-a1.log", "toy-1.log", "toy-1-a1.log.gz", "notes.txt"):
        (tmp_path / name).touch()
        assert JobLog.of(name) is None
    assert job_logs(tmp_path) == []


class TestALogThatWasCut:
    """Its middle was dropped while it grew: nobody wants to read that as zeros."""

    MIB = 2**20

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        made = tmp_path / "toy-9-a1.log"
        line = "%07d\n"
        made.write_text("".join(line % number for number in range(self.MIB)))  # 8 MiB
        if not cap_log(made, self.MIB) or made.stat().st_size < self.MIB:
            pytest.skip("this file system has no holes")
        return made

    def test_what_is_missing_is_told_in_its_place(self, file: Path) -> None:
        lines = list(Tail(file).lines())
        assert lines[0] == "0000000"
        (at,) = [at for at, line in enumerate(lines) if "dropped" in line]
        assert lines[at] == "[... 7.2 MiB dropped ...]"
        assert at * 8 == self.MIB // 4
        assert lines[-1] == f"{self.MIB - 1:07d}"
        assert not [line for line in lines if "\0" in line]

    def test_the_last_lines_are_found_behind_it(self, file: Path) -> None:
        assert list(Tail(file, 2).lines()) == [f"{self.MIB - 2:07d}", f"{self.MIB - 1:07d}"]

    def test_more_last_lines_than_stand_behind_it_go_on_before_it(self, file: Path) -> None:
        behind = self.MIB // 2 // 8
        lines = list(Tail(file, behind + 100).lines())
        assert lines[0] == f"{self.MIB // 4 // 8 - 100:07d}"
        assert "dropped" in lines[100]

    def test_a_follower_who_was_slow_goes_on_behind_it(self, tmp_path: Path) -> None:
        made = tmp_path / "toy-9-a1.log"
        made.write_text("first\n")
        tail = Tail(made)
        assert list(tail.lines()) == ["first"]
        with made.open("a") as stream:
            stream.write("x" * 99 + "\n")
            stream.writelines("y" * 99 + "\n" for _ in range(80_000))
        if made.stat().st_size - cap_log(made, self.MIB) < self.MIB // 8:
            pytest.skip("this file system has no holes")
        lines = list(tail.lines())
        assert lines[0] == "x" * 99
        assert sum("dropped" in line for line in lines) == 1
        assert lines[-1] == "y" * 99


@pytest.mark.parametrize("words", [("toy/3",), ("toy/3", "--attempt", "1"), ("quiet",)])
def test_a_job_that_printed_nothing_is_told_so(folder: Path, words: tuple[str, ...]) -> None:
    """The agent removes logs that are empty; the journal still knows the job."""
    journal = Journal(folder.parent / "agent.db", FakeClock())
    for name in ("toy/3", "quiet/0"):
        lease, experiment = name.replace("/", "-"), name.partition("/")[0]
        claim = make_claim(job=name, experiment=experiment, lease=lease)
        journal.put_claim("boot", 1, claim, PLATFORM)
        journal.supersede(lease, "another counted")
    journal.close()
    result = run(*words)
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{words[0]}: its hooks printed nothing, or its log was removed" in result.stderr
    assert run("toy/3", "--attempt", "2").exit_code == 2
    assert run("toy/4").exit_code == 2
