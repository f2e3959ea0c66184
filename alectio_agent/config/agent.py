"""Section `agent` of `agent.yaml`: who this agent is, and how it stops."""

import socket
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, model_validator

from alectio_agent.config.lookup import state_of_service
from alectio_agent.config.section import Section
from alectio_agent.config.values import (
    AbsolutePath,
    Duration,
    GroupName,
    MachineName,
    Tag,
    surroundings,
)


class AgentSettings(Section):
    """Section `agent`.

    Attributes:
        name: How people call this agent; the host name by default.
        state_dir: Everything that must survive a restart; `$STATE_DIRECTORY` by default, for a
            file below /etc/alectio-agent that of its service, else `.alectio` beside the file.
        tags: An experiment may ask for them.
        control_group: Group whose members may look at this agent and steer it; None for its owner
            alone.
        when_stopped: What a stop does with the running step: `finish` waits for it, `checkpoint`
            asks the hook to save and end, `cancel` ends it.
        on_shutdown: The same when the machine goes down, which waits for nobody.
        drain_timeout: Seconds that a stop waits for the running step; None waits without limit.
    """

    name: MachineName = Field(default_factory=socket.gethostname)
    state_dir: AbsolutePath = Path(".alectio")
    tags: list[Tag] = []
    control_group: GroupName | None = None
    when_stopped: Literal["finish", "checkpoint", "cancel"] = "finish"
    on_shutdown: Literal["checkpoint", "cancel"] = "checkpoint"
    drain_timeout: Duration | None = None

    @model_validator(mode="before")
    @classmethod
    def _state_directory(cls, raw: Any, info: ValidationInfo) -> Any:
        # systemd names all folders of a unit, separated by colons; ours is the first.
        around = surroundings(info)
        granted = around.environment.get("STATE_DIRECTORY", "").split(":")[0]
        granted = granted or state_of_service(around.folder)
        if isinstance(raw, dict) and granted:
            return {"state_dir": granted, **raw}
        return raw
