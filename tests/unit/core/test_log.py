"""Lines of the log: safe to print, and saying which job they are about."""

import logging
import re

import pytest

from alectio_agent.core.log import configure, job_logger, printable


@pytest.fixture
def logger():
    """A logger of the package, which is left as it was."""
    root = logging.getLogger("alectio_agent")
    before = (root.handlers[:], root.level, root.propagate)
    yield logging.getLogger("alectio_agent.some.module")
    root.handlers[:], root.level, root.propagate = before[0], before[1], before[2]


def lines(capsys):
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain Ünïcode 例", "plain Ünïcode 例"),
        ("two\nlines\r", "two\\x0alines\\x0d"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("tab\tnul\x00del\x7f\x9b", "tab\\x09nul\\x00del\\x7f\\x9b"),
        ("abc\u202etxt.exe\u2066", "abc\\x202etxt.exe\\x2066"),
        (12, "12"),
        (None, "None"),
    ],
)
def test_foreign_text_can_neither_forge_lines_nor_steer_the_terminal(text, shown):
    assert printable(text) == shown


def test_long_text_is_cut_to_the_limit():
    assert printable("x" * 200) == "x" * 200
    assert printable("x" * 201) == "x" * 197 + "..."
    assert printable("abcdef", 5) == "ab..."


def test_a_line_has_time_with_offset_level_and_message(logger, capsys):
    configure("info")
    logger.info("started with %d", 3)
    logger.warning("slow")
    started, slow = lines(capsys)
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4}  "
    assert re.fullmatch(when + "started with 3", started)
    assert re.fullmatch(when + "warning: slow", slow)


def test_records_below_the_level_are_left_out(logger, capsys):
    configure("warning")
    logger.info("not this")
    logger.error("this")
    (line,) = lines(capsys)
    assert line.endswith("  error: this")


def test_no_text_can_pass_for_a_record_of_its_own(logger, capsys):
    configure("info")
    logger.info("found %s", "x\nerror: forged\r2026-01-01 fine")
    first, second = lines(capsys)
    assert first.endswith("found x")
    assert second == "    error: forged\\x0d2026-01-01 fine"


def test_the_job_stands_before_the_message(logger, capsys):
    configure("info")
    job_logger(logger, "xray/3").info("train took %s", "14 s")
    assert lines(capsys)[0].endswith("  xray/3 train took 14 s")


def test_the_attempt_is_named_from_the_second_on(logger, capsys):
    configure("info")
    job_logger(logger, "xray/3", 1).info("a")
    job_logger(logger, "xray/3", 2).info("b")
    first, second = lines(capsys)
    assert first.endswith("  xray/3 a")
    assert second.endswith("  xray/3 (attempt 2) b")


def fail(logger):
    try:
        int("inner words")
    except ValueError:
        logger.exception("it failed")


def test_tracebacks_are_silent_unless_asked_for(logger, capsys):
    configure("info")
    fail(logger)
    (line,) = lines(capsys)
    assert line.endswith("error: it failed")


def test_tracebacks_are_printed_on_request(logger, capsys):
    configure("info", tracebacks=True)
    fail(logger)
    shown = lines(capsys)
    assert shown[0].endswith("error: it failed")
    assert shown[-1].startswith("ValueError: invalid literal")


def test_configuring_twice_does_not_print_twice(logger, capsys):
    configure("info")
    configure("info")
    logger.info("once")
    assert len(lines(capsys)) == 1
