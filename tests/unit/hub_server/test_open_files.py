"""The limit of open files is raised as far as the system lets us."""

import logging
import resource

import pytest

from alectio_agent.hub.server import open_files
from alectio_agent.hub.server.open_files import ENOUGH, raise_open_files


def limits(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> list[tuple[int, int]]:
    """What the system says; and what it is told."""
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(open_files.resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(open_files.resource, "setrlimit", lambda _, limit: told.append(limit))
    return told


def test_the_soft_limit_becomes_the_hard_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = limits(monkeypatch, 1024, 65536)
    assert raise_open_files() == 65536
    assert told == [(65536, 65536)]
    assert caplog.messages == []


def test_a_low_hard_limit_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    limits(monkeypatch, 1024, 1024)
    with caplog.at_level(logging.WARNING):
        assert raise_open_files() == 1024
    assert "enough for about 462 agents" in caplog.text


@pytest.mark.parametrize("hard", [ENOUGH, resource.RLIM_INFINITY])
def test_enough_is_not_worth_a_word(
    hard: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    limits(monkeypatch, hard, hard)
    assert raise_open_files() == hard
    assert caplog.messages == []
