"""Sending record names: those that were asked for, packed, and tried again."""

import hashlib
import random
from pathlib import Path

import pytest

from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.jobs import name_sender
from alectio_agent.agent.jobs.name_sender import IDLE_S, NameSender
from alectio_agent.core.errors import NotAuthorizedError, PlatformRejectedError
from tests.support.platforms import FakePlatform

LINES = b'"one.png"\n"two.png"\n'
DIGEST = hashlib.sha256(LINES).hexdigest()
SENT = ("put_names", "agent-1", DIGEST, LINES)


class Bench:
    """A sender with one file of names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "digits.names"
        self.file.write_bytes(LINES)
        self.platform = FakePlatform()
        backoff = Backoff(random.Random(1))
        self.sender = NameSender(self.platform, {DIGEST: self.file}, backoff)

    @property
    def left(self) -> list[str]:
        return [file.name for file in self.folder.iterdir()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_names_that_were_asked_for_are_sent_packed(bench: Bench) -> None:
    bench.sender.want("agent-1", [DIGEST])
    assert not bench.sender.is_idle
    assert bench.sender.step() == 0.0
    assert bench.platform.calls == [SENT]
    assert bench.sender.is_idle
    assert bench.sender.step() == IDLE_S
    assert bench.left == ["digits.names"]


def test_a_platform_that_asks_for_nothing_gets_nothing(bench: Bench) -> None:
    bench.sender.want("agent-1", [])
    assert bench.sender.step() == IDLE_S
    assert bench.platform.calls == []


def test_names_that_may_not_leave_are_not_sent_whoever_asks(bench: Bench) -> None:
    sender = NameSender(bench.platform, {}, Backoff(random.Random(1)))
    sender.want("agent-1", [DIGEST, "e" * 64])
    assert sender.step() == IDLE_S
    assert bench.platform.calls == []


def test_a_platform_that_is_away_is_tried_again(bench: Bench) -> None:
    bench.platform.go_away("put_names", "put_names")
    bench.sender.want("agent-1", [DIGEST])
    waits = [bench.sender.step() for _ in range(3)]
    assert bench.platform.calls == [SENT] * 3
    assert waits[2] == 0.0
    assert all(0 < wait_s <= 2 for wait_s in waits[:2])
    assert bench.left == ["digits.names"]


def test_a_refusal_is_said_once_and_ends_it(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.platform.say("put_names", PlatformRejectedError("3 names", problem="invalid"))
    bench.sender.want("agent-1", [DIGEST])
    bench.sender.step()
    assert bench.sender.is_idle
    assert [record.getMessage() for record in caplog.records] == [
        "the platform refuses the record names: 3 names"
    ]


def test_a_refused_token_is_tried_again_seldom(bench: Bench) -> None:
    bench.platform.say("put_names", NotAuthorizedError("who?", problem="unauthorized"))
    bench.sender.want("agent-1", [DIGEST])
    assert bench.sender.step() >= 60
    assert not bench.sender.is_idle


def test_a_file_that_went_away_is_tried_again(bench: Bench) -> None:
    bench.file.unlink()
    bench.sender.want("agent-1", [DIGEST])
    assert bench.sender.step() > 0
    assert bench.sender.is_failing
    bench.sender.hurry()
    assert not bench.sender.is_failing


def test_more_names_than_a_platform_takes_stay_here(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(name_sender, "MAX_NAMES_BYTES", 10)
    bench.sender.want("agent-1", [DIGEST])
    bench.sender.step()
    assert bench.platform.calls == []
    assert bench.sender.is_idle
    assert "more than 10 bytes" in caplog.text


def test_another_registration_takes_the_place_of_the_first(bench: Bench) -> None:
    bench.sender.want("agent-1", [DIGEST])
    bench.sender.want("agent-2", [])
    assert bench.sender.is_idle
