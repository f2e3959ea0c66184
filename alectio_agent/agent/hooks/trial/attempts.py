"""Makes checks of what is tried: runs it, times it, and keeps what it printed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.core.checks import Check
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import ConfigError, ExitCode, HookError, HookInterruptedError

LAST_LINES = 12
LAST_BYTES = 2**16


@dataclass(frozen=True)
class Finding:
    """What went well.

    Attributes:
        warnings: What a person should know all the same.
    """

    said: str
    warnings: tuple[str, ...] = ()


class Attempts:
    """Remembers what was tried: nothing is tried that cannot work, and no warning said twice."""

    def __init__(self, clock: Clock, log_file: Path | None) -> None:
        """Begin with nothing tried.

        Args:
            clock: For durations.
            log_file: Gets what the hooks print; None: the terminal does.
        """
        self._clock = clock
        self._log_file = log_file
        self._done: dict[str, Check] = {}
        self._warned: set[str] = set()
        self._is_left = False
        self.exit_code = ExitCode.CLEAN

    def make(self, name: str, work: Callable[[], Finding], needs: str = "") -> Check:
        """Try something.

        Args:
            name: Of the check.
            work: Raises a HookError, or a ConfigError, when something is wrong.
            needs: Name of the check that must have gone well.

        Returns:
            What was found.
        """
        if self._is_left:
            return self.skip(name, "the debugger was left")
        if needs and not self.is_done(needs):
            failed = self._done[needs]
            return self.skip(name, failed.said if failed.state == "skipped" else f"{needs} failed")
        begin, start_s = self._log_bytes(), self._clock.monotonic()
        try:
            found = work()
        except (HookError, ConfigError) as error:
            self._is_left = isinstance(error, HookInterruptedError)
            self.exit_code = max(self.exit_code, ExitCode(error.exit_code))
            check = Check(
                name, "failed", problems=(str(error),), seconds=self._clock.monotonic() - start_s,
                log_file=self._log_file, printed=self._printed_since(begin),
            )  # fmt: skip
        else:
            warnings = tuple(text for text in found.warnings if text not in self._warned)
            self._warned.update(warnings)
            check = Check(
                name, "warn" if warnings else "ok", found.said,
                self._clock.monotonic() - start_s, warnings,
            )  # fmt: skip
        self._done[name] = check
        return check

    def skip(self, name: str, why: str) -> Check:
        """Leave something out.

        Args:
            name: Of the check.
            why: For people.
        """
        self._done[name] = Check(name, "skipped", why)
        return self._done[name]

    def is_done(self, name: str) -> bool:
        """Whether a check went well, if with a warning."""
        return self._done[name].state in ("ok", "warn")

    def seconds(self, name: str) -> float:
        """How long a check took; 0 when it was left out."""
        return self._done[name].seconds or 0.0

    def _log_bytes(self) -> int:
        if self._log_file is None or not self._log_file.exists():
            return 0
        return self._log_file.stat().st_size

    def _printed_since(self, begin: int) -> list[str]:
        if self._log_file is None or not self._log_file.exists():
            return []
        with self._log_file.open("rb") as stream:
            stream.seek(max(begin, self._log_bytes() - LAST_BYTES))
            text = stream.read().decode(errors="replace")
        return text.splitlines()[-LAST_LINES:]
