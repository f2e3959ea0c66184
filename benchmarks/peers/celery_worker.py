"""Celery with one prefork process; results are kept in Redis, as RQ keeps them."""

import sys
from pathlib import Path

from celery import Celery

from benchmarks.marks import Marks
from benchmarks.peers.peer import Peer

APP = """
from celery import Celery
from job import run

app = Celery("job", broker={url!r}, backend={url!r})
app.conf.broker_connection_retry_on_startup = True
app.task(name="run")(run)
"""


def celery_peer(folder: Path, marks: Marks, url: str) -> Peer:
    """The default queue of its own database of Redis, and its worker.

    Args:
        folder: Gets the modules.
        marks: Told when a job begins.
        url: Of Redis.
    """
    folder.mkdir()
    own = url.removesuffix("/0") + "/1"
    (folder / "job.py").write_text(marks.job)
    (folder / "celery_job.py").write_text(APP.format(url=own))
    sender = Celery("job", broker=own, backend=own)
    command = (
        sys.executable, "-m", "celery", "-A", "celery_job", "worker",
        "--pool", "prefork", "--concurrency", "1", "--loglevel", "WARNING",
    )  # fmt: skip
    return Peer("Celery, prefork", folder, command, lambda: sender.send_task("run", [1]))
