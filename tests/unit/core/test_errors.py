"""The tree of errors: each says how the process ends, and what to do."""

import inspect

import pytest

from alectio_agent.core import errors
from alectio_agent.core.errors import (
    AlectioAgentError,
    ConfigError,
    ExitCode,
    PlatformUnavailableError,
    ProblemError,
)
from alectio_agent.core.setting_error import SettingError

ALL = [
    found for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, Exception) and found.__module__ == errors.__name__
]  # fmt: skip


def test_every_error_is_drawn_in_the_tree():
    drawn = errors.__doc__ or ""
    missing = [
        each.__name__ for each in ALL
        if each.__name__ not in drawn and each.__base__ is not errors.StoreError
        and each is not errors.HookInterruptedError
    ]  # fmt: skip
    assert missing == []


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_ends_with_error_and_hangs_in_the_tree(error):
    assert error.__name__.endswith("Error")
    assert issubclass(error, AlectioAgentError)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("AlectioAgentError", 1), ("UsageError", 2), ("ConfigError", 78), ("PlatformError", 75),
        ("NotAuthorizedError", 77), ("SupersededBootError", 78), ("HookError", 3),
        ("HookLoadError", 78), ("StoreBusyError", 75), ("StoreVersionError", 78),
    ],
)  # fmt: skip
def test_exit_codes_are_those_of_the_manual(name, code):
    assert getattr(errors, name).exit_code == code


def test_the_code_stands_before_the_message_and_the_hint_follows():
    error = ConfigError("no file", hint="make one")
    assert str(error) == "E-CONF-07  no file\nmake one"
    assert str(ConfigError("no file", code="E-CONF-01")) == "E-CONF-01  no file"
    assert error.exit_code is ExitCode.CONFIG


def test_a_message_may_begin_with_its_own_code():
    error = ConfigError("E-AUTH-02  the file is open")
    assert error.code == "E-AUTH-02"
    assert str(error) == "E-AUTH-02  the file is open"


def test_errors_carry_what_the_catcher_needs():
    assert PlatformUnavailableError("x", retry_after_s=3.0, status=503).retry_after_s == 3.0
    assert ProblemError("parts-missing", "x", missing=[1]).extra == {"missing": [1]}


def test_broken_rules_are_raised_together():
    first, second = SettingError("a", key="x"), SettingError("b")
    with pytest.raises(SettingError) as caught:
        SettingError.raise_any([first, second])
    assert caught.value is first
    assert caught.value.others == (second,)
    SettingError.raise_any([])


def test_a_broken_rule_names_its_key_where_nobody_places_it():
    assert str(SettingError("found 5", key="max")) == "max: found 5"
    assert str(SettingError("found 5")) == "found 5"
