"""Push without a queue: a route that runs the function, and a caller that waits for it.

The development server, as the SDKs which ask for an open port start it.
"""

import sys
from pathlib import Path

import requests

from benchmarks.marks import Marks
from benchmarks.peers.peer import Peer
from benchmarks.processes import free_port, listens

APP = """
from flask import Flask, request
from job import run

app = Flask("push")

@app.post("/run")
def called():
    return {{"result": run(request.get_json()["number"])}}

app.run("127.0.0.1", {port})
"""


def flask_peer(folder: Path, marks: Marks) -> Peer:
    """The server, and a caller with a session.

    Args:
        folder: Gets the modules.
        marks: Told when a job begins.
    """
    folder.mkdir()
    port = free_port()
    (folder / "job.py").write_text(marks.job)
    (folder / "flask_job.py").write_text(APP.format(port=port))
    session, url = requests.Session(), f"http://127.0.0.1:{port}/run"
    return Peer(
        "plain Flask push",
        folder,
        (sys.executable, "flask_job.py"),
        lambda: session.post(url, json={"number": 1}, timeout=60).raise_for_status(),
        lambda: listens(port),
    )
