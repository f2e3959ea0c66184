"""The formats of the log: for people, for machines, for the journal of systemd."""

import json
import logging
import os
import threading
import time
from pathlib import Path

import pytest

from alectio_agent.core.errors import HookResultError, PlatformUnavailableError
from alectio_agent.core.log import about, configure, job_logger, set_format
from alectio_agent.core.log_lines import formatter_of, pick_format


@pytest.fixture
def logger():
    """A logger of the package, which is left as it was."""
    root = logging.getLogger("alectio_agent")
    before = (root.handlers[:], root.level, root.propagate)
    yield logging.getLogger("alectio_agent.some.module")
    root.handlers[:], root.level, root.propagate = before[0], before[1], before[2]


def lines(capsys):
    return capsys.readouterr().err.splitlines()


def objects(capsys):
    return [json.loads(line) for line in lines(capsys)]


@pytest.fixture
def in_kolkata(monkeypatch):
    """Five and a half hours ahead of UTC, all year."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "IST-5:30")  # no file of zones is needed for this form
        time.tzset()
        yield
    time.tzset()


def test_people_read_their_own_time_with_its_offset_and_machines_utc(in_kolkata):
    record = logging.makeLogRecord({"msg": "hello", "created": 1767225600.0})
    record.levelno, record.levelname = logging.INFO, "INFO"
    assert formatter_of("text").format(record) == "2026-01-01 05:30:00+0530  hello"
    found = json.loads(formatter_of("json").format(record))
    assert found["time"] == "2026-01-01T00:00:00.000Z"


def test_json_is_one_object_a_line_in_utc(logger, capsys):
    configure("info", form="json")
    logger.warning("slow\nand %s", "näh \x1b[31m")
    (line,) = lines(capsys)
    assert line.isascii()
    found = json.loads(line)
    assert found.pop("time").endswith("Z")
    assert found == {
        "level": "warning",
        "logger": "alectio_agent.some.module",
        "message": "slow\nand näh \x1b[31m",
    }


def test_json_names_the_job_beside_the_message(logger, capsys):
    configure("info", form="json")
    job_logger(logger, "xray/3", 1, "train").info("train started")
    job_logger(logger, "xray/3").info("goes on")
    first, second = objects(capsys)
    names = ("message", "job", "experiment", "loop", "attempt", "step")
    assert [first[name] for name in names] == [
        "train started", "xray/3", "xray", 3, 1, "train",
    ]  # fmt: skip
    assert (second["message"], second["job"]) == ("goes on", "xray/3")
    assert not {"attempt", "step", "code", "exception"} & second.keys()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (HookResultError("rows are missing", code="E-HOOK-04"), "E-HOOK-04"),
        (PlatformUnavailableError("down", code="E-NET-01"), "E-NET-01"),
        ("E-DISK-04  damaged", "E-DISK-04"),
    ],
)
def test_json_has_the_code_of_an_error(logger, capsys, given, code):
    configure("info", form="json")
    logger.error("failed: %s", given)
    (found,) = objects(capsys)
    assert found["code"] == code


@pytest.mark.parametrize("is_debug", [True, False])
def test_json_has_the_exception_when_tracebacks_are_wanted(logger, capsys, is_debug):
    configure("info", form="json", tracebacks=is_debug)
    try:
        int("inner words")
    except ValueError:
        logger.exception("it failed")
    (found,) = objects(capsys)
    assert ("ValueError: invalid literal" in found.get("exception", "")) is is_debug


def test_a_message_without_end_is_cut(logger, capsys):
    """Lines of the journal and of shippers are bounded; JSON that is cut elsewhere is none."""
    configure("info", form="json")
    logger.info("x" * 100_000)
    (found,) = objects(capsys)
    assert len(found["message"]) == 8000


def test_the_journal_gets_a_priority_on_each_line_and_no_time(logger, capsys):
    configure("debug", form="journald")
    logger.debug("a")
    logger.info("b\nforged")
    logger.warning("c")
    logger.error("d")
    assert lines(capsys) == ["<7>debug: a", "<6>b", "<6>    forged", "<4>warning: c", "<3>error: d"]


def test_a_traceback_keeps_its_priority_in_the_journal(logger, capsys):
    configure("info", form="journald", tracebacks=True)
    try:
        int("x")
    except ValueError:
        logger.exception("it failed")
    found = lines(capsys)
    assert len(found) > 3
    assert all(line.startswith("<3>") for line in found)


class TestAuto:
    def test_it_is_the_journals_when_stderr_is_the_journals_stream(self, tmp_path: Path) -> None:
        with (tmp_path / "stream").open("w") as stream:
            found = os.fstat(stream.fileno())
            named = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
            assert pick_format("auto", named, stream.fileno()) == "journald"

    def test_a_stream_that_leads_elsewhere_gets_text(self, tmp_path: Path) -> None:
        """A shell inside a service inherits the variable, and may have sent stderr to a file."""
        with (tmp_path / "stream").open("w") as stream:
            assert pick_format("auto", {"JOURNAL_STREAM": "8:1"}, stream.fileno()) == "text"
            assert pick_format("auto", {}, stream.fileno()) == "text"

    def test_a_closed_stream_gets_text(self) -> None:
        assert pick_format("auto", {"JOURNAL_STREAM": "8:1"}, 10**6) == "text"

    @pytest.mark.parametrize("asked", ["text", "json", "journald"])
    def test_what_is_asked_for_is_taken(self, asked: str) -> None:
        assert pick_format(asked, {}) == asked


def test_the_format_can_change_while_lines_are_written(logger, capsys):
    configure("info")
    set_format("json")
    logger.info("a")
    set_format("journald")
    logger.info("b")
    first, second = lines(capsys)
    assert json.loads(first)["message"] == "a"
    assert second == "<6>b"


def test_what_a_thread_logs_while_it_works_at_a_job_names_the_job(logger, capsys):
    """The hook's slot knows of processes only; its lines are about a job all the same."""
    configure("info", form="journald")
    with about("xray/3", 2, "train"):
        logger.warning("the running step did not end in time")
        other = threading.Thread(target=logger.info, args=("elsewhere",))
        other.start()
        other.join()
    logger.info("after")
    assert lines(capsys) == [
        "<4>warning: xray/3 (attempt 2) train: the running step did not end in time",
        "<6>elsewhere",
        "<6>after",
    ]


def test_the_step_is_not_named_twice(logger, capsys):
    configure("info", form="journald")
    told = job_logger(logger, "xray/3", 1, "train")
    told.info("train done in 3 s")
    told.warning("heartbeat: no answer")
    with about("xray/3", 1, "train"):
        told.info("train started")
    assert lines(capsys) == [
        "<6>xray/3 train done in 3 s",
        "<4>warning: xray/3 train: heartbeat: no answer",
        "<6>xray/3 train started",
    ]
