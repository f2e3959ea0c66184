"""Tells of what the agent counts: a line of the log now and then, metrics for Prometheus."""

import threading
from collections.abc import Callable
from dataclasses import replace

from alectio_agent.agent.journal.unsent import Unsent
from alectio_agent.agent.service.hourly import HourlyLine
from alectio_agent.agent.service.metrics import Figures, render
from alectio_agent.agent.service.metrics_file import MetricsFile

WRITE_S = 15.0
"""Between two texts of metrics; Prometheus seldom asks more often."""


class Accountant:
    """A step object: one turn writes the metrics, and the line when an hour is over."""

    def __init__(
        self, hourly: HourlyLine, look: Callable[[], Figures], file: MetricsFile | None = None
    ) -> None:
        """Tell of nothing yet.

        Args:
            hourly: The line.
            look: Gives the figures of the moment.
            file: Where metrics go; None: nobody wants them.
        """
        self._hourly = hourly
        self._look = look
        self._file = file
        self.wake = threading.Event()

    def step(self) -> float:
        """Tell what there is to tell.

        Returns:
            Seconds to wait before the next turn.
        """
        self._hourly.look(self._unsent)
        if self._file is None:
            return self._hourly.due_s
        self._file.write(render(self._look()))
        return min(WRITE_S, self._hourly.due_s)

    def close(self) -> None:
        """Say that the agent has stopped, and did so by itself."""
        if self._file is not None:
            self._file.write(render(replace(self._look(), is_up=False)))

    def _unsent(self) -> Unsent:
        return self._look().snapshot.unsent
