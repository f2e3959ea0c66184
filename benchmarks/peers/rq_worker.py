"""RQ. Its default worker forks a work horse for each job; the simple one runs it in-process."""

import sys
from pathlib import Path

from redis import Redis
from rq import Queue

from benchmarks.marks import Marks
from benchmarks.peers.peer import Peer

FORKING, SIMPLE = "rq.Worker", "rq.SimpleWorker"
NAMES = {FORKING: "RQ, a fork per job", SIMPLE: "RQ, SimpleWorker"}


def rq_peer(folder: Path, marks: Marks, url: str, worker: str = FORKING) -> Peer:
    """A queue of its own, and its worker.

    Args:
        folder: Gets the module with the job.
        marks: Told when a job begins.
        url: Of Redis.
        worker: Which class of worker.
    """
    folder.mkdir()
    (folder / "job.py").write_text(marks.job)
    queue = Queue(folder.name, connection=Redis.from_url(url))
    command = (
        sys.executable, "-m", "rq.cli", "worker", "--quiet",
        "--url", url, "--path", str(folder), "--worker-class", worker, folder.name,
    )  # fmt: skip
    return Peer(NAMES[worker], folder, command, lambda: queue.enqueue("job.run", 1))
