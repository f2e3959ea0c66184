"""Gathers scenes from the agent, the watcher and the hook's log, and sees when nothing changed."""

from collections import deque
from collections.abc import Callable
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
        if agent.job is not None:
            self._hook.look(agent.job.log_file)
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
    """The newest lines of the job in hand; those of the last job stay until there are others."""

    def __init__(self) -> None:
        """Start without a job."""
        self._file: Path | None = None
        self._tail: Tail | None = None
        self._lines: deque[str] = deque(maxlen=HOOK_LINES)

    @property
    def shown(self) -> tuple[str, ...]:
        """The lines, newest last, and one that has begun."""
        begun = self._tail.begun if self._tail else ""
        lines = [*self._lines, *([shown_line(begun)] if begun.strip() else [])]
        return tuple(line.expandtabs(4) for line in lines[-HOOK_LINES:])

    def look(self, file: Path) -> None:
        """Read what is new.

        Args:
            file: Log of the job in hand; need not exist yet.
        """
        if file != self._file:
            self._file, self._tail = file, Tail(file, HOOK_LINES)
            self._lines.clear()
        assert self._tail is not None  # noqa: S101 - set with the file
        self._lines.extend(shown_line(line) for line in self._tail.lines() if line.strip())


def _without_time(scene: Scene) -> Any:
    """All that counts as a change; a view is known by its version, since comparing it costs."""
    agent = replace(scene.agent, at_s=0.0, contact=replace(scene.agent.contact, answered_s=None))
    if agent.free_bytes is not None:
        agent = replace(agent, free_bytes=agent.free_bytes >> 27)  # an eighth of a GiB
    views = [view and (view.name, view.version, view.state) for view in (scene.view, scene.control)]
    return agent, views, scene.hook_lines


def _beat(scene: Scene) -> int:
    """Counts seconds while something runs or is waited for."""
    is_calm = scene.agent.job is None and scene.agent.state == "idle"
    return int(scene.agent.at_s // (CALM_S if is_calm else 1))
