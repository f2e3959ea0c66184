"""Tables that people act upon say what the code does."""

import re
from typing import get_args

from alectio_agent.cli.agent_jobs import TRIED_AGAIN
from alectio_agent.cli.reference import EXIT_CODES
from alectio_agent.core import errors
from alectio_agent.core.codes import explanations
from alectio_agent.core.errors import ExitCode, HookError
from alectio_agent.wire.results import FailureClass
from tests.support.pages import DOCS, blocks_of, rows_of

CLASSES = {row[0]: row for row in rows_of(DOCS / "failure-classes.md", "class")}
CODES = {row[0]: row for row in rows_of(DOCS / "exit-codes.md", "exit code")}


def test_every_failure_class_has_its_row_and_no_other() -> None:
    assert list(CLASSES) == list(get_args(FailureClass))


def test_the_classes_that_are_tried_again_are_those_of_the_code() -> None:
    said = {name for name, row in CLASSES.items() if row[3] != "no"}
    assert said == set(TRIED_AGAIN)


def test_every_error_of_a_hook_stands_in_the_row_of_its_class() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    hooks = [kind for kind in kinds if issubclass(kind, HookError)]
    assert len(hooks) > 5
    for kind in hooks:
        assert kind.usual_code in CLASSES[kind.failure_class][2], kind.__name__


def test_every_code_that_is_named_is_explained() -> None:
    for row in CLASSES.values():
        for code in re.findall(r"E-[A-Z]+-\d\d", row[2]):
            assert code in explanations(), code


def test_every_exit_code_has_its_row_and_no_other() -> None:
    assert list(CODES) == [str(int(code)) for code in EXIT_CODES]
    assert set(CODES) == {str(int(code)) for code in ExitCode}


def test_what_a_service_manager_must_not_start_again_is_what_the_page_tells_it() -> None:
    said = {code for code, row in CODES.items() if row[3] == "must not"}
    text = (DOCS / "exit-codes.md").read_text("utf-8")
    (line,) = re.findall(r"RestartPreventExitStatus=([\d ]+)", text)
    assert set(line.split()) == said


def test_the_script_of_the_page_knows_real_codes() -> None:
    (script,) = blocks_of(DOCS / "exit-codes.md", "sh")
    assert set(re.findall(r"^ *(\d+)\)", script, re.M)) < set(CODES)
