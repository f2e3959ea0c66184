"""All that the view shows at one moment."""

from dataclasses import dataclass, field
from datetime import datetime

from alectio_agent.agent.service.snapshot import AgentSnapshot, JobInHand
from alectio_agent.cli.live.glyphs import UNICODE, Glyphs
from alectio_agent.wire.operation import ExperimentView


@dataclass(frozen=True)
class Scene:
    """One moment.

    Attributes:
        version: Of this program.
        hub: `in the box, URL`, or the URL of a platform.
        agent: What the agent is doing.
        view: The experiment; None for an agent whose platform is elsewhere.
        control: Its control, once that was looked at.
        hook_lines: The last that the hooks printed, newest last.
        began_s: When this run began, by the monotonic clock.
        now: Local time.
    """

    version: str
    hub: str
    agent: AgentSnapshot
    began_s: float
    now: datetime
    view: ExperimentView | None = None
    control: ExperimentView | None = None
    hook_lines: tuple[str, ...] = ()
    glyphs: Glyphs = field(default=UNICODE)

    @property
    def running(self) -> ExperimentView | None:
        """The experiment whose loops run now: itself, then its control."""
        if self.view is None or self.control is None or self.view.state in ("running", "waiting"):
            return self.view
        is_over = self.view.state in ("finished", "cancelled")
        names = {job.experiment for job in self.agent.jobs}
        is_control = names == {self.control.name}
        return self.control if is_over or is_control else self.view

    @property
    def is_over(self) -> bool:
        """Whether the experiment has ended, and its control with it, and nothing is in hand."""
        if self.view is None or self.agent.jobs or self.agent.state == "stopping":
            return False
        if self.view.control is not None and self.control is None:
            return False  # it is looked at next
        shown = (self.view, self.control) if self.control else (self.view,)
        return all(view.state in ("finished", "cancelled") for view in shown)

    @property
    def job(self) -> JobInHand | None:
        """The job in hand of the experiment that is shown; without one, the only job."""
        jobs, running = self.agent.jobs, self.running
        if running is None:
            return jobs[0] if len(jobs) == 1 else None
        return next((job for job in jobs if job.experiment == running.name), None)
