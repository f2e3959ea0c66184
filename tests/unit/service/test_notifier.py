"""Events reach `notify.command` in order, and hold nothing up."""

import json
import logging

import pytest

from alectio_agent.agent.hooks.shell_command import CommandEnd
from alectio_agent.agent.jobs.events import tell_failed
from alectio_agent.agent.service.notifier import LIMIT_S, LOOK_S, MOST_WAITING, Notifier
from alectio_agent.config.notify import NotifySettings
from tests.support.clocks import FakeClock

EVERY = NotifySettings().on


class FakeCommand:
    """Implements `notifier.Command`; takes note, and ends as told."""

    def __init__(self) -> None:
        self.given: list[dict] = []
        self.limits_s: set[float] = set()
        self.end: CommandEnd | OSError = CommandEnd(0, "")
        self.is_stopped = False

    def run(self, limit_s: float, text: bytes) -> CommandEnd:
        assert text.endswith(b"\n")
        self.given.append(json.loads(text))
        self.limits_s.add(limit_s)
        if isinstance(self.end, OSError):
            raise self.end
        return self.end

    def stop(self) -> None:
        self.is_stopped = True


@pytest.fixture
def command() -> FakeCommand:
    return FakeCommand()


@pytest.fixture
def notifier(command: FakeCommand) -> Notifier:
    return Notifier(command, EVERY, "gpu01", FakeClock())


def run(notifier: Notifier) -> None:
    while not notifier.is_idle:
        assert notifier.step() == 0.0


def test_a_failed_job_is_told_with_all_that_a_person_asks_first(
    notifier: Notifier, command: FakeCommand
) -> None:
    tell_failed(notifier.tell, "toy/3", "infer", "crash", "killed by SIGSEGV\nin /data/toy.py")
    assert notifier.wake.is_set()
    assert command.given == [], "whoever tells does not wait"
    run(notifier)
    assert command.given == [
        {
            "event": "failed",
            "at": "2026-01-01T00:00:00.000Z",
            "agent": "gpu01",
            "job": "toy/3",
            "experiment": "toy",
            "loop": 3,
            "step": "infer",
            "class": "crash",
            "message": "killed by SIGSEGV\nin /data/toy.py",
        }
    ]
    assert command.limits_s == {LIMIT_S}


def test_of_a_claim_that_was_refused_not_even_the_job_may_be_known(
    notifier: Notifier, command: FakeCommand
) -> None:
    tell_failed(notifier.tell, "", None, "refused", "the claim breaks the protocol")
    run(notifier)
    (said,) = command.given
    assert (said["job"], said["experiment"], said["loop"], said["step"]) == (None,) * 4


def test_events_are_passed_on_in_their_order(notifier: Notifier, command: FakeCommand) -> None:
    for loop in range(3):
        notifier.tell("finished", loops=loop)
    run(notifier)
    assert [said["loops"] for said in command.given] == [0, 1, 2]


def test_only_the_events_that_are_wanted_are_told(command: FakeCommand) -> None:
    notifier = Notifier(command, ["finished"], "gpu01", FakeClock())
    tell_failed(notifier.tell, "toy/3", "infer", "crash", "no")
    assert notifier.is_idle
    notifier.tell("finished")
    run(notifier)
    assert [said["event"] for said in command.given] == ["finished"]


def test_without_a_command_nothing_is_kept() -> None:
    notifier = Notifier(None, EVERY, "gpu01", FakeClock())
    notifier.tell("finished")
    assert notifier.is_idle


def test_other_events_are_passed_on_from_a_change_on() -> None:
    command = FakeCommand()
    notifier = Notifier(command, [], "gpu01", FakeClock())
    notifier.tell("finished")
    notifier.change(["finished"])
    notifier.tell("finished")
    notifier.tell("failed")
    notifier.change([])
    notifier.tell("failed")
    run(notifier)
    assert [said["event"] for said in command.given] == ["finished"]


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (CommandEnd(7, "no such host"), "exit code 7; it printed last: no such host"),
        (CommandEnd(-9, ""), "killed by signal 9"),
        (CommandEnd(None, ""), "it was killed (it may take 1 min 0 s)"),
        (CommandEnd(None, "", is_stopped=True), "it was killed, since the agent stops"),
        (OSError(12, "Cannot allocate memory"), "it cannot be run: Cannot allocate memory"),
    ],
)
def test_a_command_that_fails_is_told_once_and_the_next_event_comes(
    notifier: Notifier,
    command: FakeCommand,
    caplog: pytest.LogCaptureFixture,
    end: CommandEnd | OSError,
    said: str,
) -> None:
    command.end = end
    notifier.tell("finished", experiment="toy")
    notifier.tell("failed", job="toy/1")
    run(notifier)
    assert caplog.messages == [
        f"notify.command: not passed on: `finished` of toy: {said}",
        f"notify.command: not passed on: `failed` of toy/1: {said}",
    ]
    assert len(command.given) == 2


def test_events_that_nobody_takes_fill_no_memory(
    notifier: Notifier, command: FakeCommand, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(MOST_WAITING + 5):
        notifier.tell("finished", experiment=f"toy-{number}", message="x" * 100_000)
    assert len(caplog.records) == 5
    assert "not passed on: `finished` of toy-0" in caplog.messages[0]
    run(notifier)
    assert [said["experiment"] for said in command.given][::99] == ["toy-5", "toy-104"]
    assert len(command.given[0]["message"]) == 8000


def test_without_events_it_looks_once_a_minute_for_what_nobody_tells(notifier: Notifier) -> None:
    looks: list[int] = []
    notifier.watches += [lambda: looks.append(1), lambda: looks.append(2)]
    assert notifier.step() == LOOK_S == 60
    assert looks == [1, 2]


def test_an_agent_that_stops_waits_no_longer_than_it_wants(
    notifier: Notifier, command: FakeCommand, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    notifier.tell("finished", experiment="toy")
    notifier.tell("failed", job="toy/1")
    notifier.interrupt()
    assert command.is_stopped
    assert notifier.is_idle
    notifier.step()
    assert command.given == []
    assert caplog.messages == [
        "notify.command: not passed on before the stop: `finished` of toy, `failed` of toy/1"
    ]
