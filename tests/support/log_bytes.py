"""How much an agent writes into its log."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from alectio_agent.core.log_lines import formatter_of


class LogBytes(logging.Handler):
    """Keeps what would be written, in each format."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.messages: list[str] = []
        self.sizes = dict.fromkeys(("text", "json", "journald"), 0)

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
        for form in self.sizes:
            self.sizes[form] += len(formatter_of(form).format(record).encode()) + 1


@contextmanager
def log_bytes() -> Iterator[LogBytes]:
    """Listen to the package's log at its usual level."""
    logger, handler = logging.getLogger("alectio_agent"), LogBytes()
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
