"""What the verbs do to an agent."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from alectio_agent.agent.client.traffic import Contact
from alectio_agent.agent.jobs.carried import Verdict
from alectio_agent.agent.jobs.step_marks import StepMark
from alectio_agent.agent.journal.by_hand import Parked
from alectio_agent.agent.journal.unsent import Unsent
from alectio_agent.agent.service.control.pauses import Pauses
from alectio_agent.agent.service.control.protocol import Request
from alectio_agent.agent.service.control.reloaded import Reloaded
from alectio_agent.agent.service.control.telling import StatusTeller
from alectio_agent.agent.service.control.verbs import Site, Verbs
from alectio_agent.agent.service.snapshot import AgentSnapshot, StopState
from alectio_agent.config.loader import load
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError, ControlWordsError, UsageError
from alectio_agent.wire.agents import Boot
from tests.support.clocks import FakeClock
from tests.support.disks import MemoryDisk
from tests.support.json_outputs import check_output
from tests.support.scenes import make_job


class FakeAgent:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.jobs = (make_job(),)
        self.deliveries = FakeSender()
        self.more: dict[str, Any] = {}

    def snapshot(self) -> AgentSnapshot:
        stops = len(self.asked) + self.asked.count("cancel")
        members = {"jobs": self.jobs, "stops": StopState(stops), **self.more}
        return AgentSnapshot("gpu01", "working", **members)

    def stop(self) -> None:
        self.asked.append("stop")

    def cancel(self) -> None:
        self.asked.append("cancel")

    @property
    def sender(self) -> "FakeSender":
        return self.deliveries


class FakeSender:
    """Remembers what it was asked."""

    platform_id = "platform-1"

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def retry(self, job: str | None) -> int:
        self.asked.append(job)
        return 2

    def take_verdicts(self, platform_id: str, verdicts: Sequence[Verdict]) -> int:
        self.asked.append((platform_id, verdicts))
        return len(verdicts)


class Bench:
    """Verbs on an agent that trains."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        settings = load_settings(folder)
        self.agent = FakeAgent()
        self.pauses = Pauses(MemoryDisk(), Path("/state"), self.clock)
        boot = Boot(count=3, id="b3")
        self.teller = StatusTeller(settings, boot, self.pauses, self.clock)
        self.broken: list[Exception] = []
        self.verbs = Verbs(
            self.agent,
            Site(
                "gpu01", boot, self.pauses, 3600.0,
                lambda: Reloaded("agent.yaml", ("logging.level",), ("slots",)), self.check,
                self.teller, lambda: Parked(1, 30),
            ),
        )  # fmt: skip

    def check(self) -> None:
        if self.broken:
            raise self.broken[0]

    def ask(self, verb: str, **members: object) -> dict:
        return self.verbs(Request.model_validate({"verb": verb, **members}))


def load_settings(folder: Path) -> AgentFile:
    (folder / "processes.py").write_text("")
    (folder / "agent.yaml").write_text(
        "agent: {name: gpu01, state_dir: state}\nexperiment: experiment.yaml\n"
        "pipelines: {toy: {hooks: processes.py, pool_size: 9}}\n"
    )
    return load(folder / "agent.yaml", AgentFile)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("verb", ["ping", "state"])
def test_the_state_tells_who_it_is_and_what_it_does(bench: Bench, verb: str) -> None:
    found = bench.ask(verb)
    assert (found["name"], found["state"], found["boot"]) == (
        "gpu01", "working", {"count": 3, "id": "b3"},
    )  # fmt: skip
    assert found["jobs"] == [{"job": "chest-xray/3", "attempt": 1, "step": "train"}]
    assert (found["paused"], found["stops_asked"], found["starts_again"]) == (None, 0, False)
    assert found["pid"] > 0


def test_a_verb_of_a_later_version_is_named_with_those_that_are_known(bench: Bench) -> None:
    with pytest.raises(ControlWordsError, match=r"found the verb `dance`.*pause, resume, stop"):
        bench.ask("dance")


def test_a_pause_and_its_end(bench: Bench) -> None:
    paused = bench.ask("pause", for_s=60.0, note="lunch")["paused"]
    assert paused == {
        "since": "2026-01-01T00:00:00.000Z",
        "until": "2026-01-01T00:01:00.000Z",
        "note": "lunch",
    }
    assert bench.pauses.is_paused()
    ended = bench.ask("resume")
    assert (ended["paused"], ended["was_paused"]) == (None, paused)
    assert bench.ask("resume")["was_paused"] is None


def test_a_stop_is_asked_once_however_often_a_script_repeats_it(bench: Bench) -> None:
    """The second one would cancel the step that the first waits for."""
    answer = bench.ask("stop")
    bench.ask("stop")
    assert bench.agent.asked == ["stop"]
    assert answer["drain_timeout_s"] == 3600.0


def test_a_stop_at_once_cancels_and_a_second_one_kills_nothing(bench: Bench) -> None:
    bench.ask("stop")
    bench.ask("stop", now=True)
    bench.ask("stop", now=True)
    assert bench.agent.asked == ["stop", "cancel"]


def test_a_restart_stops_and_remembers(bench: Bench) -> None:
    assert bench.ask("restart")["starts_again"] is True
    bench.ask("restart")
    assert bench.agent.asked == ["stop"]
    assert bench.verbs.starts_again


def test_a_restart_that_would_fail_leaves_the_agent_alone(bench: Bench) -> None:
    bench.broken = [ConfigError("E-CONF-02  agent.yaml:3 nonsense: unknown key")]
    with pytest.raises(ConfigError, match="nonsense"):
        bench.ask("restart", now=True)
    assert bench.agent.asked == []
    assert not bench.verbs.starts_again


def test_a_stop_takes_a_restart_back(bench: Bench) -> None:
    bench.ask("restart")
    assert bench.ask("stop")["starts_again"] is False
    assert not bench.verbs.starts_again


def test_a_stop_is_not_turned_into_a_restart(bench: Bench) -> None:
    bench.ask("stop")
    with pytest.raises(UsageError, match="stopping already"):
        bench.ask("restart")
    assert not bench.verbs.starts_again


def test_a_reload_tells_what_changed_and_what_waits(bench: Bench) -> None:
    found = bench.ask("reload")
    assert found["changed"] == ("logging.level",)
    assert found["needs_restart"] == ("slots",)


def test_a_job_between_two_steps_names_no_step(bench: Bench) -> None:
    bench.agent.jobs = (make_job(steps=(StepMark("train", "done"), StepMark("test"))),)
    assert bench.ask("state")["jobs"][0]["step"] is None


def test_a_status_tells_moments_and_what_waits(bench: Bench) -> None:
    """The monotonic times of a snapshot become times of day."""
    bench.clock.advance(100)
    bench.agent.more = {
        "at_s": 6120.0,
        "since_s": 6090.0,
        "contact": Contact(7, 6118.0, None, error="refused", error_s=6020.0),
        "unsent": Unsent(2, 50),
        "failing": {"logs": "no answer"},
        "slots": 2,
    }
    found = bench.ask("status")
    check_output("status", found)
    assert found["started_at"] == "2026-01-01T00:00:00.000Z"
    assert found["since"] == "2026-01-01T00:01:10.000Z"
    assert found["platform"] == {
        "url": "embedded", "platform_id": "platform-1", "last_at": "2026-01-01T00:01:38.000Z",
        "silent_since": None, "last_error": "refused",
        "last_error_at": "2026-01-01T00:00:00.000Z", "sent_bytes": 7,
    }  # fmt: skip
    assert found["outbox"] == {
        "pending": 2, "pending_bytes": 50, "parked": 1, "parked_bytes": 30,
    }  # fmt: skip
    [job] = found["jobs"]
    assert (job["step"], job["done"], job["total"], job["left_s"]) == ("train", 13, 20, 350.0)
    assert (found["slots"], found["failing"]) == (2, {"logs": "no answer"})


def test_an_update_that_was_installed_since_the_start_asks_for_a_restart(bench: Bench) -> None:
    bench.teller.version = "0.0.1"
    found = bench.ask("status")
    assert (found["version"], found["needs_restart"]) == ("0.0.1", True)
    assert bench.ask("state")["version"] == "0.0.1", "it runs what it was started with"


def test_a_retry_and_verdicts_reach_the_sender(bench: Bench) -> None:
    assert bench.ask("retry", job="digits/1")["retried"] == 2
    said = [{"key": "k1", "outcome": "accepted"}]
    assert bench.ask("verdicts", platform_id="p", verdicts=said)["noted"] == 1
    assert bench.agent.deliveries.asked == ["digits/1", ("p", [Verdict("k1", "accepted")])]
