"""Whether `run` shows the view, and the stage for it."""

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.metadata import version
from typing import TYPE_CHECKING, TextIO

from alectio_agent.cli.live.glyphs import glyphs_for
from alectio_agent.cli.options import Common
from alectio_agent.core.clock import SystemClock

if TYPE_CHECKING:
    from alectio_agent.agent.service.agent import Agent
    from alectio_agent.cli.live.source import Told
    from alectio_agent.cli.live.stage import Draw, Stage


class Screen:
    """What `run` draws on: a stage, or nothing when nobody looks.

    What draws is imported only when somebody looks: a service starts without it.
    """

    def __init__(self, stage: "Stage | None" = None) -> None:
        """Bind the stage.

        Args:
            stage: None when there is no terminal, or none is wanted.
        """
        self._stage = stage

    def show_agent(self, hub: str, agent: "Agent") -> None:
        """Draw what an agent is doing from now on.

        Args:
            hub: Where its platform is.
            agent: Built, not started.
        """
        if self._stage is not None:
            from alectio_agent.cli.live.source import SceneSource

            self._stage.show(SceneSource(told(hub), agent.snapshot, SystemClock()).rows)

    def show(self, draw: "Draw") -> None:
        """Draw from now on.

        Args:
            draw: Gives the rows.
        """
        if self._stage is not None:
            self._stage.show(draw)

    def close(self) -> None:
        """Remove the view; what is printed from now on stands where it stood."""
        if self._stage is not None:
            self._stage.close()


def told(hub: str) -> "Told":
    """What stays the same in the whole view.

    Args:
        hub: Where the platform is.
    """
    from alectio_agent.cli.live.source import Told

    return Told(version("alectio-agent"), hub, glyphs_for(os.environ))


def wants_view(common: Common, stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a view would be seen, and is wanted.

    Args:
        common: `--quiet` wants none; the lines of `--debug` leave no room for one.
        stream: stderr.
        environment: `TERM` tells what the terminal can do.
    """
    if common.is_quiet or common.is_debug or not stream.isatty():
        return False
    return environment.get("TERM", "dumb") not in ("", "dumb", "unknown")


def open_screen(stack: ExitStack, common: Common) -> Screen:
    """Take the terminal, when there is one.

    Args:
        stack: Gives it back.
        common: The options of every command.
    """
    if not wants_view(common, sys.stderr, os.environ):
        return Screen()
    from alectio_agent.cli.live.stage import Stage

    stage = Stage(glyphs_for(os.environ))
    stack.callback(stage.finish)
    return Screen(stage)
