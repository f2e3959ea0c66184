"""A real Redis of the benchmark's own: on a free port, in a folder of its own, nothing kept."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from benchmarks.processes import free_port, running, wait_until

PROGRAM = "redis-server"
MISSING = "no redis-server on this machine; Debian: apt install redis-server"


def is_there() -> bool:
    """Whether there is a Redis to start."""
    return shutil.which(PROGRAM) is not None


@contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """A Redis without snapshots and without a log, which is as fast as it gets.

    Args:
        folder: Exists; Redis works there.
    """
    if not is_there():
        raise SystemExit(MISSING)
    port = free_port()
    command = [
        PROGRAM, "--port", str(port), "--bind", "127.0.0.1",
        "--save", "", "--appendonly", "no", "--daemonize", "no",
    ]  # fmt: skip
    url = f"redis://127.0.0.1:{port}/0"
    with running(command, folder, "redis.log"):
        wait_until(lambda: _answers(url), 10, "Redis")
        yield url


def _answers(url: str) -> bool:
    with redis.Redis.from_url(url) as connection:
        try:
            return bool(connection.ping())
        except redis.ConnectionError:
            return False
