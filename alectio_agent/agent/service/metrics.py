"""The metrics of an agent at one moment, as text that Prometheus reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alectio_agent.agent.client.reach import Outage
from alectio_agent.agent.jobs.counters import Counters
from alectio_agent.agent.service.metric_names import METRICS, Metric
from alectio_agent.agent.service.snapshot import AgentSnapshot

Labels = tuple[str, ...]
Samples = dict[str, dict[Labels, float]]
"""By name of the metric, without its prefix, and by the values of its labels."""


@dataclass(frozen=True)
class Figures:
    """What there is to tell; times of the monotonic clock but for those with a zone.

    Attributes:
        is_up: The agent has not stopped.
        has_failed: It ends, or has ended, because of an error.
        snapshot: What it is doing.
        is_paused: Somebody has paused it.
        hook_starts: Hook processes of all slots, by why they were started.
        beat_lag_s: How late the most overdue heartbeat is.
        answered_s: When the platform answered last; None before.
        outage: A time without an answer; None while it answers.
        token_ends: None when that is not known.
        min_free_bytes: As configured.
        slots: How many there are.
        started_s: When the agent started.
        now: The wall clock's time of the snapshot.
    """

    version: str
    is_up: bool
    has_failed: bool
    snapshot: AgentSnapshot
    is_paused: bool
    counters: Counters
    hook_starts: Mapping[str, float]
    beat_lag_s: float
    answered_s: float | None
    outage: Outage | None
    token_ends: datetime | None
    min_free_bytes: int
    slots: int
    started_s: float
    now: datetime

    def wall(self, moment_s: float) -> float:
        """A moment of the monotonic clock in seconds since 1970."""
        return (self.now - timedelta(seconds=self.snapshot.at_s - moment_s)).timestamp()


def render(figures: Figures) -> str:
    """The content of the file.

    Args:
        figures: What there is to tell.

    Returns:
        Each metric that has a value, with its help and its type, in the order of the documentation.
    """
    samples = _samples(figures)
    return "".join(line for metric in METRICS for line in _lines(metric, samples))


def _samples(figures: Figures) -> Samples:
    seen, counters = figures.snapshot, figures.counters
    found: Samples = {
        "info": {(figures.version, seen.name): 1},
        "jobs_total": _by_name(counters.jobs.amounts),
        "step_duration_seconds_sum": _by_name(counters.step_s.amounts),
        "step_duration_seconds_count": _by_name(counters.steps.amounts),
        "step_memory_peak_bytes": _known(
            {key: held.host_bytes for key, held in counters.memory.copy().items()}
        ),
        "step_gpu_memory_peak_bytes": _known(
            {key: held.gpu_bytes for key, held in counters.memory.copy().items()}
        ),
        "hook_starts_total": _by_name(figures.hook_starts),
        "polls_total": _by_name(counters.polls.amounts),
        "retries_total": _by_name(counters.retries.amounts),
        "results_total": _by_name(counters.results.amounts),
    }
    bare = {**_state(figures), **_surroundings(figures)}
    return found | {name: _known({(): value}) for name, value in bare.items()}


def _state(figures: Figures) -> dict[str, float | None]:
    seen = figures.snapshot
    return {
        "up": figures.is_up,
        "written_timestamp_seconds": figures.now.timestamp(),
        "start_timestamp_seconds": figures.wall(figures.started_s),
        "failed": figures.has_failed,
        "paused": figures.is_paused,
        "held_back": bool(seen.held_back),
        "slots": figures.slots,
        "jobs_in_hand": len(seen.jobs),
    }


def _surroundings(figures: Figures) -> dict[str, float | None]:
    seen, outage, ends = figures.snapshot, figures.outage, figures.token_ends
    oldest, answered_s = seen.unsent.oldest_at, figures.answered_s
    return {
        "heartbeat_lag_seconds": figures.beat_lag_s,
        "outbox_messages": seen.unsent.messages,
        "outbox_bytes": seen.unsent.size_bytes,
        "outbox_oldest_timestamp_seconds": (
            datetime.fromisoformat(oldest).timestamp() if oldest else None
        ),
        "sent_bytes_total": seen.contact.sent_bytes,
        "last_contact_timestamp_seconds": None if answered_s is None else figures.wall(answered_s),
        # An agent that is paused makes no call: it notices neither an outage nor its end.
        "outage_seconds": 0.0 if outage is None else outage.last_s - outage.since_s,
        "token_expiry_timestamp_seconds": None if ends is None else ends.timestamp(),
        "free_disk_bytes": seen.free_bytes,
        "min_free_disk_bytes": figures.min_free_bytes,
    }


def _by_name(amounts: Mapping[str, float]) -> dict[Labels, float]:
    return {(name,): amount for name, amount in amounts.items()}


def _known(values: Mapping[Labels, float | None]) -> dict[Labels, float]:
    return {labels: value for labels, value in values.items() if value is not None}


def _lines(metric: Metric, samples: Samples) -> Iterator[str]:
    suffixes = ("_sum", "_count") if metric.kind == "summary" else ("",)
    rows = [
        (suffix, labels, value)
        for suffix in suffixes
        for labels, value in samples.get(metric.name + suffix, {}).items()
    ]
    if not rows:
        return
    yield f"# HELP {metric.full_name} {metric.help}\n# TYPE {metric.full_name} {metric.kind}\n"
    for suffix, labels, value in rows:
        named = _label_text(metric.labels, labels)
        yield f"{metric.full_name}{suffix}{named} {_number(value)}\n"


def _label_text(names: Sequence[str], values: Labels) -> str:
    if not names:
        return ""
    pairs = (f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    """As people read it: no exponent, no more than milliseconds."""
    return f"{float(value):.3f}".rstrip("0").rstrip(".")
