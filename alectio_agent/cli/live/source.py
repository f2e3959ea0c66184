"""Gathers scenes from the agent, the watcher and the hook's log, and sees when nothing changed."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.text import Text

from alectio_agent.agent.service.snapshot import AgentSnapshot
from alectio_agent.cli.live.glyphs import Glyphs
from alectio_agent.cli.live.region import Size
from alectio_agent.cli.live.scene import Scene
from alectio_agent.cli.live.view import draw
from alectio_agent.cli.log_tail import Tail, shown_line
from alectio_agent.core.clock import Clock
from alectio_agent.wire.operation import ExperimentView

HOOK_LINES = 8
CALM_S = 10
"""Between two drawings while nothing happens but that time passes."""

Views = Callable[[], tuple[ExperimentView | None, ExperimentView | None]]


@dataclass(frozen=True)
class Told:
    """What stays the same in all scenes.

    Attributes:
        hub: `in the box, URL`, or the URL of a platform.
    """

    version: str
    hub: str
    glyphs: Glyphs


class SceneSource:
    """Gives the rows of the view as long as something changes."""

    def __init__(
        self,
        told: Told,
        snapshot: Callable[[], AgentSnapshot],
        clock: Clock,
        views: Views = lambda: (None, None),
    ) -> None:
        """Begin a run.

        Args:
            told: What stays the same.
            snapshot: Of the agent.
            clock: For what people read.
            views: The experiment and its control, as the hub told them last.
        """
        self._told = told
        self._snapshot = snapshot
        self._clock = clock
        self._views = views
        self._began_s = clock.monotonic()
        self._hook = HookLines()
        self._last: Any = None

    def rows(self, size: Size) -> list[Text] | None:
        """The view at this moment.

        Args:
            size: Of the terminal.

        Returns:
            None when nothing has changed since the last call.
        """
        scene = self._scene()
        key = (size, _without_time(scene), _beat(scene))
        if key == self._last:
            return None
        self._last = key
        return draw(scene, size.columns, size.rows)

    def _scene(self) -> Scene:
        agent, (view, control) = self._snapshot(), self._views()
        if agent.jobs:
            self._hook.look({job.log_file: job.job for job in agent.jobs})
        return Scene(
            version=self._told.version,
            hub=self._told.hub,
            agent=agent,
            began_s=self._began_s,
            now=self._clock.now().astimezone(),
            view=view,
            control=control,
            hook_lines=self._hook.shown,
            glyphs=self._told.glyphs,
        )


class HookLines:
    """The newest lines of the jobs in hand; those of the last stay until there is another."""

    def __init__(self) -> None:
        """Start without a job."""
        self._names: dict[Path, str] = {}
        self._tails: dict[Path, Tail] = {}
        self._lines: deque[tuple[Path, str]] = deque(maxlen=HOOK_LINES)

    @property
    def shown(self) -> tuple[str, ...]:
        """The lines, newest last, and those that have begun; of several jobs with their names."""
        begun = [(file, shown_line(tail.begun)) for file, tail in self._tails.items()]
        lines = [*self._lines, *((file, line) for file, line in begun if line.strip())]
        return tuple(self._named(file, line).expandtabs(4) for file, line in lines[-HOOK_LINES:])

    def look(self, files: Mapping[Path, str]) -> None:
        """Read what is new.

        Args:
            files: Logs of the jobs in hand, and the job of each; they need not exist yet.
        """
        if not files.keys() <= self._tails.keys():
            kept = [(file, line) for file, line in self._lines if file in files]
            self._lines = deque(kept, HOOK_LINES)
        self._names = dict(files)
        self._tails = {file: self._tails.get(file) or Tail(file, HOOK_LINES) for file in files}
        for file, tail in self._tails.items():
            self._lines.extend((file, shown_line(line)) for line in tail.lines() if line.strip())

    def _named(self, file: Path, line: str) -> str:
        if len(self._names) < 2:
            return line
        name = self._names.get(file)
        return line if name is None else f"{name}: {line}"


def _without_time(scene: Scene) -> Any:
    """All that counts as a change; a view is known by its version, since comparing it costs."""
    agent = replace(scene.agent, at_s=0.0, contact=replace(scene.agent.contact, answered_s=None))
    if agent.free_bytes is not None:
        agent = replace(agent, free_bytes=agent.free_bytes >> 27)  # an eighth of a GiB
    views = [view and (view.name, view.version, view.state) for view in (scene.view, scene.control)]
    return agent, views, scene.hook_lines


def _beat(scene: Scene) -> int:
    """Counts seconds while something runs or is waited for."""
    is_calm = not scene.agent.jobs and scene.agent.state == "idle"
    return int(scene.agent.at_s // (CALM_S if is_calm else 1))
