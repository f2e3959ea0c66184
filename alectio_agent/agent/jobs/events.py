"""What happens on an agent and may be worth telling a person: see `notify` in `agent.yaml`."""

from typing import Protocol

from pydantic import JsonValue

from alectio_agent.config.notify import Event


class Tell(Protocol):
    """Passes an event on, some time later; never blocks, never raises."""

    def __call__(self, event: Event, **facts: JsonValue) -> None:
        """Pass on an event.

        Args:
            event: Its name, as in `notify.on`.
            facts: What there is to say, in plain values.
        """


def tell_nobody(event: Event, **facts: JsonValue) -> None:
    """Where nobody wants to know."""


def tell_failed(tell: Tell, job: str, step: str | None, failure_class: str, message: str) -> None:
    """Tell of a job that failed here.

    Args:
        tell: Passes it on.
        job: `experiment/loop`; empty when that is not known.
        step: That gave no result; None when none had begun.
        failure_class: As in the table of failure classes.
        message: In full: it is told on this machine.
    """
    experiment, _, loop = job.rpartition("/")
    tell(
        "failed",
        **{
            "job": job or None,
            "experiment": experiment or None,
            "loop": int(loop) if loop else None,
            "step": step,
            "class": failure_class,
            "message": message,
        },
    )
