"""All metrics that an agent writes: docs/metrics.md lists them, and a test compares the two."""

from dataclasses import dataclass
from typing import Literal

PREFIX = "alectio_agent_"


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: Without the prefix that all have.
        help: What it is, in a sentence.
        labels: Names of them.
    """

    name: str
    kind: Literal["counter", "gauge", "summary"]
    help: str
    labels: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """As it stands in the file."""
        return PREFIX + self.name


METRICS = (
    Metric("up", "gauge", "1 while the agent runs, 0 once it has stopped by itself."),
    Metric(
        "info", "gauge", "Always 1; which version runs, under which name.", ("version", "name")
    ),
    Metric(
        "written_timestamp_seconds", "gauge",
        "When these metrics were written; an agent that was killed does not write any more.",
    ),
    Metric("start_timestamp_seconds", "gauge", "When the agent started; counters began at zero."),
    Metric("failed", "gauge", "1 once the agent has ended because of an error."),
    Metric("paused", "gauge", "1 while somebody has paused the agent."),
    Metric(
        "held_back", "gauge",
        "1 while no job is asked for, since something on this machine speaks against it.",
    ),
    Metric("slots", "gauge", "Jobs that may run side by side."),
    Metric("jobs_in_hand", "gauge", "Jobs that are being worked at."),
    Metric("jobs_total", "counter", "Jobs that ended here, by how.", ("class",)),
    Metric(
        "step_duration_seconds", "summary", "Time that hooks took for steps with a result.",
        ("step",),
    ),
    Metric(
        "step_memory_peak_bytes", "gauge",
        "The most memory that the hook process held in the newest run of a step.",
        ("pipeline", "step"),
    ),
    Metric(
        "step_gpu_memory_peak_bytes", "gauge",
        "The most memory of one GPU that torch held in the newest run of a step.",
        ("pipeline", "step"),
    ),
    Metric(
        "hook_starts_total", "counter", "Hook processes that were started, by why.", ("reason",)
    ),
    Metric("polls_total", "counter", "Polls for a job, by what came of them.", ("outcome",)),
    Metric(
        "retries_total", "counter", "Calls that failed and are made again, by what they are for.",
        ("activity",),
    ),
    Metric("heartbeat_lag_seconds", "gauge", "How late the most overdue heartbeat is."),
    Metric("outbox_messages", "gauge", "Results and failures that the platform has not taken yet."),
    Metric("outbox_bytes", "gauge", "Size of these results."),
    Metric(
        "outbox_oldest_timestamp_seconds", "gauge",
        "When the oldest of them was put there; missing while the outbox is empty.",
    ),
    Metric("results_total", "counter", "Results that left the outbox, by how.", ("outcome",)),
    Metric("sent_bytes_total", "counter", "Bodies of requests that were answered."),
    Metric(
        "last_contact_timestamp_seconds", "gauge",
        "When the platform answered last; missing before the first time.",
    ),
    Metric(
        "outage_seconds", "gauge",
        "From the first to the newest call that was not answered; 0 while the platform answers.",
    ),
    Metric(
        "token_expiry_timestamp_seconds", "gauge",
        "When the token ends; missing when the platform does not say, and for tokens without end.",
    ),
    Metric("free_disk_bytes", "gauge", "Free on the disk of the state folder."),
    Metric("min_free_disk_bytes", "gauge", "claim.min_free_disk: with less no job is asked for."),
)  # fmt: skip
