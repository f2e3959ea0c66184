"""What `bulk.py` compares with: a plain socket, a plain Flask route, and a line that is cut."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Self

import numpy as np

CHUNK_BYTES = 256 * 1024

FLASK_APP = """
import json, os, sys
from flask import Flask, request

app = Flask("push")

@app.post("/results")
def results():
    rows = request.get_json()
    with open(sys.argv[1], "w") as file:
        json.dump(rows, file)
        file.flush()
        os.fsync(file.fileno())
    return {"rows": len(rows["index"])}

app.run(port=int(sys.argv[2]))
"""


class RawServer:
    """Takes what comes over a connection into one file, syncs it, and answers one byte."""

    def __init__(self, folder: Path) -> None:
        program = f"from benchmarks.bulk_peers import take_raw; take_raw({str(folder / 'raw')!r})"
        self._process = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


def take_raw(path: str) -> None:
    """The server's process."""
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    while True:
        line, _ = listening.accept()
        with line, Path(path).open("wb", buffering=0) as file:
            while chunk := line.recv(CHUNK_BYTES):
                file.write(chunk)
            os.fsync(file.fileno())
            line.sendall(b"1")


class CuttingProxy:
    """Passes bytes on and counts them; cuts all connections once, when so many went up."""

    def __init__(self, port: int, cut_at_bytes: int) -> None:
        self._target = port
        self._cut_at = cut_at_bytes
        self._lines: list[socket.socket] = []
        self._lock = threading.Lock()
        self.sent_bytes = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        self._cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            with self._lock:
                self._lines += (near, far)
            for pair in ((near, far), (far, near)):
                is_up = {"is_up": pair[0] is near}
                threading.Thread(target=self._pass_on, args=pair, kwargs=is_up, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, *, is_up: bool) -> None:
        try:
            while chunk := source.recv(CHUNK_BYTES):
                if is_up and self._count(len(chunk)):
                    self._cut()
                    return
                target.sendall(chunk)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def _count(self, size: int) -> bool:
        """Whether this is where the line is cut."""
        with self._lock:
            before, self.sent_bytes = self.sent_bytes, self.sent_bytes + size
            return before < self._cut_at <= self.sent_bytes

    def _cut(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
        for line in lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()


def flask_s(folder: Path, rows: int) -> float:
    """Seconds to send the same rows as JSON to a Flask route that writes them to disk."""
    scores = np.random.default_rng(5).normal(size=(rows, 10)).astype("float32")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", FLASK_APP, str(folder / "flask.json"), str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        start = time.perf_counter()
        document = {"index": list(range(len(scores))), "logits": scores.tolist()}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/results",
            json.dumps(document).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request).read()
        return time.perf_counter() - start
    finally:
        server.kill()
        server.wait()


def wait_for(port: int) -> None:
    pause = threading.Event()
    with socket.socket() as line:
        while line.connect_ex(("127.0.0.1", port)):
            pause.wait(0.05)
