"""Watches an experiment and its control from `run`: a line per loop, and when it is over."""

import logging
import threading
from collections.abc import Callable

from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.agent.jobs.events import Tell, tell_nobody
from alectio_agent.cli.experiment_outcome import labels_mend
from alectio_agent.cli.experiment_table import describe_loop
from alectio_agent.core.errors import ExitCode, PlatformError
from alectio_agent.core.units import count
from alectio_agent.wire.operation import ExperimentView

log = logging.getLogger(__name__)

HOLD_S = 20.0
AGAIN_S = 1.0
BETWEEN_S = 0.25
"""Changes that follow each other faster are told together: each look costs the hub a whole view."""


class Watcher:
    """A step object: one turn waits for the next change of state."""

    def __init__(
        self,
        operator: OperationClient,
        name: str,
        on_over: Callable[[ExitCode], None] | None,
        tell: Tell = tell_nobody,
    ) -> None:
        """Start with the experiment; its control follows.

        Args:
            operator: Client of the hub.
            name: Of the experiment.
            on_over: Called once with the outcome, when nothing is left to run or a person is
                needed; None goes on watching.
            tell: Told when it ends, and when people have to label.
        """
        self._operator = operator
        self.first_name = name
        self._name = name
        self._on_over = on_over
        self._notify = tell
        self._version: int | None = None
        self._told: set[tuple[str, int]] = set()
        self._views: dict[str, ExperimentView] = {}
        self._waited_for = ""
        self._told_end = ""
        self.is_paused = False
        self._asked_loop: int | None = None
        self.outcome: ExitCode | None = None
        self.wake = threading.Event()

    @property
    def name(self) -> str:
        """The experiment that runs: the one named at first, then its control."""
        return self._name

    @property
    def views(self) -> tuple[ExperimentView | None, ExperimentView | None]:
        """The experiment and its control, as they were told last."""
        first = self._views.get(self.first_name)
        control = self._views.get(first.control) if first and first.control else None
        return first, control

    def step(self) -> float:
        """Wait for a change and tell it.

        Returns:
            Seconds to wait before the next turn.
        """
        try:
            view = self._operator.experiment(self._name, after=self._version or 0, wait_s=HOLD_S)
        except PlatformError as error:
            log.debug("watching %s: %s", self._name, error.message)
            return AGAIN_S
        self.look(view)
        # Somebody who stays may see it go on: the hub holds each look until something changes.
        return HOLD_S if self.outcome is not None and self._on_over is not None else BETWEEN_S

    def look(self, view: ExperimentView) -> None:
        """Tell what is new, and see whether it is over.

        Args:
            view: Of the experiment that is watched.
        """
        is_first = self._version is None
        self._version = view.version
        self._views[view.name] = view
        self._tell(view, silently=is_first)
        self._tell_pause(view)
        self._tell_labels(view)
        if not is_first:  # at the start this run's own agent has not called yet
            self._tell_wait(view)
        self._judge(view)

    def _judge(self, view: ExperimentView) -> None:
        """Whether it is over; what somebody made go on is not over any more."""
        self.outcome = None
        if view.state == "waiting":
            self._over(ExitCode.FAILED)
        elif view.state in ("finished", "cancelled"):
            self._ended(view)
        else:
            self._told_end = ""

    def _tell(self, view: ExperimentView, *, silently: bool) -> None:
        """Log each loop once, when its metrics are there; those of earlier runs not at all."""
        # Loops that were rewound are told again when they have run again.
        self._told = {known for known in self._told if _is_done(view, known)}
        for loop in view.loops:
            known = (view.name, loop.loop)
            if loop.metrics is None or loop.state != "done" or known in self._told:
                continue
            self._told.add(known)
            if not silently:
                job = f"{view.name}/{loop.loop}"
                names = {"job": job, "job_prefix": f"{job}: "}
                log.info("%s: %s", job, describe_loop(loop), extra=names)

    def _tell_pause(self, view: ExperimentView) -> None:
        """Say why nothing happens, once for each pause."""
        if view.state == "paused" and not self.is_paused:
            log.warning(
                "%s is paused. It goes on with: alectio-agent experiment resume %s",
                view.name,
                view.name,
            )
        self.is_paused = view.state == "paused"

    def _tell_labels(self, view: ExperimentView) -> None:
        """Say once for each loop that people have to label its batch, and how they do."""
        loop = view.loops[-1] if view.loops else None
        if loop is None or loop.state != "labelling" or view.state != "running":
            self._asked_loop = None
        elif self._asked_loop != loop.loop:
            self._asked_loop = loop.loop
            missing = (loop.asked or 0) - (loop.returned or 0)
            mend = labels_mend(view.name, loop.loop)
            log.warning(
                "`%s` waits for labels of %s. In another terminal: %s",
                view.name,
                count(missing, "sample"),
                mend,
            )
            self._notify(
                "waiting_for_labels",
                experiment=view.name,
                loop=loop.loop,
                samples=missing,
                message=mend,
            )

    def _tell_wait(self, view: ExperimentView) -> None:
        """Say what is waited for, once; of labels it is told already, with what to do."""
        waits_for = "" if self._asked_loop is not None else view.waits_for
        if waits_for and waits_for != self._waited_for:
            log.warning("%s waits for %s", view.name, waits_for)
        self._waited_for = waits_for

    def _ended(self, view: ExperimentView) -> None:
        said = f"{view.name} {view.state}{f': {view.reason}' if view.reason else ''}"
        if said != self._told_end:  # the hub answers a held look with the same view
            log.info("%s", said)
            if view.state == "finished":
                loops = len(view.loops)
                self._notify("finished", experiment=view.name, loops=loops, message=said)
        self._told_end = said
        if view.control is not None:
            self._name, self._version = view.control, None
        else:
            self._over(ExitCode.CLEAN)

    def _over(self, outcome: ExitCode) -> None:
        self.outcome = outcome
        if self._on_over is not None:
            self._on_over(outcome)


def _is_done(view: ExperimentView, known: tuple[str, int]) -> bool:
    """Whether a loop that was told is done still; of another experiment nothing is known here."""
    name, number = known
    return name != view.name or any(
        loop.loop == number and loop.state == "done" for loop in view.loops
    )
