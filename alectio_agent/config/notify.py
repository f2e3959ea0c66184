"""Section `notify` of `agent.yaml`: whom to tell when something happens."""

from typing import Literal

from alectio_agent.config.section import Section
from alectio_agent.config.values import CommandLine

Event = Literal["failed", "waiting_for_labels", "finished", "unreachable_1h", "token_expires_14d"]


class NotifySettings(Section):
    """Section `notify`.

    Attributes:
        command: Run by `/bin/sh` at each event, which it gets as JSON on its standard input.
        on: The events that it is run for.
    """

    command: CommandLine | None = None
    on: list[Event] = [
        "failed", "waiting_for_labels", "finished", "unreachable_1h", "token_expires_14d",
    ]  # fmt: skip
