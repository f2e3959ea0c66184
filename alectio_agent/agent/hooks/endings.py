"""How a call of a hook process may end without an answer."""

import signal
from contextlib import suppress

from alectio_agent.agent.hooks.limits import Overrun
from alectio_agent.agent.hooks.memory import Excess


class ChildEndedError(Exception):
    """The process ended without an answer.

    Attributes:
        code: Exit code, or minus the signal's number.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    @property
    def ending(self) -> str:
        """For people."""
        if self.code >= 0:
            return f"ended by itself with exit code {self.code}"
        with suppress(ValueError):
            return f"was killed by {signal.Signals(-self.code).name}"
        return f"was killed by signal {-self.code}"


class StoppedError(Exception):
    """The running command was stopped; the process must be killed.

    Attributes:
        overrun: The limit that it went over; None when another thread asked.
    """

    def __init__(self, overrun: Overrun | None) -> None:
        super().__init__(overrun)
        self.overrun = overrun


class OverMemoryError(Exception):
    """The running command took more memory than it may; the process must be killed.

    Attributes:
        excess: How much, and who.
    """

    def __init__(self, excess: Excess) -> None:
        super().__init__(excess)
        self.excess = excess
