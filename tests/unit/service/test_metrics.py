"""The text of the metrics."""

import re
from datetime import timedelta
from pathlib import Path

from alectio_agent.agent.client.reach import Outage
from alectio_agent.agent.jobs.counters import JOB_CLASSES, Counters, StepMemory
from alectio_agent.agent.journal.unsent import Unsent
from alectio_agent.agent.service.metric_names import METRICS
from alectio_agent.agent.service.metrics import render
from alectio_agent.agent.service.snapshot import AgentSnapshot
from tests.support.claims import make_claim
from tests.support.clocks import FakeClock
from tests.support.figures import make_figures
from tests.support.hooks import make_outcome

START = 1767225600  # 2026-01-01
DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"


def values(text: str) -> dict[str, float]:
    rows = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (row.rsplit(" ", 1) for row in rows)}


def everything() -> str:
    """Metrics of an agent of which everything is known."""
    clock, counters = FakeClock(), Counters()
    clock.advance(1000)
    counters.memory["digits", "train"] = StepMemory(2**30, 2**31)
    seen = AgentSnapshot(
        "gpu01", "working", unsent=Unsent(2, 500, "2026-01-01T00:05:00.000Z"), free_bytes=7,
        held_back="the disk", at_s=clock.monotonic(),
    )  # fmt: skip
    return render(
        make_figures(
            clock, counters=counters, snapshot=seen, answered_s=400.0, is_paused=True,
            outage=Outage(500.0, 950.0, "refused"), token_ends=clock.now() + timedelta(days=1),
            beat_lag_s=12.5, slots=2, started_s=10.0,
        )
    )  # fmt: skip


def test_moments_are_told_as_moments() -> None:
    """Their age is the reader's to work out: a dead agent writes no more."""
    found = values(everything())
    moments = {
        name.removeprefix("alectio_agent_").removesuffix("_timestamp_seconds"): value - START
        for name, value in found.items()
        if name.endswith("_timestamp_seconds")
    }
    assert moments == {
        "written": 1000, "start": 10, "outbox_oldest": 300, "last_contact": 400,
        "token_expiry": 1000 + 86400,
    }  # fmt: skip


def test_the_state_of_the_agent_is_told() -> None:
    found = values(everything())
    told = {name: found[f"alectio_agent_{name}"] for name in (
        "up", "failed", "paused", "held_back", "slots", "jobs_in_hand", "outbox_messages",
        "outbox_bytes", "outage_seconds", "heartbeat_lag_seconds", "free_disk_bytes",
    )}  # fmt: skip
    assert list(told.values()) == [1, 0, 1, 1, 2, 0, 2, 500, 450, 12.5, 7]


def test_what_has_not_happened_yet_is_zero() -> None:
    """An increase is only seen by Prometheus from a value that was there before it."""
    found = values(render(make_figures(FakeClock())))
    for name in JOB_CLASSES:
        assert found[f'alectio_agent_jobs_total{{class="{name}"}}'] == 0


def test_what_is_not_known_is_left_out() -> None:
    text = render(make_figures(FakeClock()))
    assert "last_contact" not in text
    assert "token_expiry" not in text
    assert "outbox_oldest" not in text
    assert "memory" not in text


def test_steps_are_summed_up_and_their_memory_is_of_the_newest_run() -> None:
    counters = Counters()
    for seconds, held in ((2.0, 300), (1.5, 200)):
        outcome = make_outcome(duration_s=seconds, memory_bytes=held, gpu_bytes=None)
        counters.note_step(make_claim(), "train", outcome)
    found = values(render(make_figures(FakeClock(), counters=counters)))
    assert found['alectio_agent_step_duration_seconds_sum{step="train"}'] == 3.5
    assert found['alectio_agent_step_duration_seconds_count{step="train"}'] == 2
    memory = 'alectio_agent_step_memory_peak_bytes{pipeline="digits",step="train"}'
    assert found[memory] == 200
    assert "gpu_memory_peak_bytes" not in "".join(found)


def test_names_cannot_break_the_text() -> None:
    seen = AgentSnapshot('a"\\\nb', "idle")
    text = render(make_figures(FakeClock(), snapshot=seen))
    assert 'name="a\\"\\\\\\nb"' in text


def test_every_metric_is_written_by_an_agent_that_knows_everything() -> None:
    said = re.findall(r"# TYPE (\S+) (\S+)", everything())
    assert said == [(metric.full_name, metric.kind) for metric in METRICS]


def test_the_documentation_lists_every_metric_with_its_kind_and_labels() -> None:
    rows = re.findall(r"^\| `(alectio_agent_\w+)` \| (\w+) \| ([^|]*) \|", DOCS.read_text(), re.M)
    found = [(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows]
    assert found == [(each.full_name, each.kind, each.labels) for each in METRICS]
