"""A platform of one job over real sockets: gives an `infer`, takes its parts, can stall a slice."""

import hashlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from alectio_agent.wire.slices import RANGE_HEADER, Slice

CLASSES = 10


class PartServer(ThreadingHTTPServer):
    """Keeps what came; `log` tells in which order.

    Attributes:
        begun: Bytes of each part, by digest.
        stall_after: How many bytes of parts are taken before the line stalls; None: never.
        stalled: Set while it stalls, which `go_on` ends.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, rows: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.rows = rows
        self.begun: dict[str, bytes] = {}
        self.log: list[tuple[Any, ...]] = []
        self.taken_bytes = 0
        self.stall_after: int | None = None
        self.stalled, self.go_on, self.committed = (threading.Event() for _ in range(3))
        self.first_part = threading.Event()
        self.lock = threading.Lock()
        self.is_claimed = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, *told: Any) -> None:
        """An agent that is killed leaves broken lines behind; all else is printed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*told)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PartServer

    def do_POST(self) -> None:
        body = self._read()
        if self.path == "/v1/agents":
            self._answer(agent_id="agent-1", platform_id="platform-1", lease_s=90, poll_wait_s=1,
                max_part_bytes=2**26, protocol={"min": 1, "max": 1},
            )  # fmt: skip
        elif self.path == "/v1/claims":
            self._claim()
        elif self.path.endswith("/heartbeat"):
            self._answer(cancel=None)
        else:
            self.server.log.append(("post", self.path, json.loads(body)))
            self._answer(status="accepted")

    def do_DELETE(self) -> None:
        self._answer(status="accepted")

    def do_PUT(self) -> None:
        kind, name = self.path.split("?")[0].split("/")[-2:]
        if kind == "parts":
            return self._part(name)
        body = self._read()
        if kind == "steps":
            self.server.log.append(("commit", json.loads(body)))
            self._answer(status="accepted")
            self.server.committed.set()
            return None
        return self._answer(status="accepted", have=len(body))

    def _claim(self) -> None:
        with self.server.lock:
            is_first, self.server.is_claimed = not self.server.is_claimed, True
        if not is_first:
            self.server.go_on.wait(1)
            self.send_response(204)
            self.end_headers()
            return
        payload = {"ckpt_file": "bulk-ckpt_0", "unlabeled": list(range(self.server.rows))}
        self._answer(job="bulk/0", job_id="job-1", experiment="bulk", experiment_id="experiment-1",
            pipeline="bulk", task="classification", classes=CLASSES, output="logits",
            pool={"size": self.server.rows}, loop=0, loops=2, attempt=1, lease="lease-1", seed=7,
            steps=[{"step": "infer", "payload": payload}],
        )  # fmt: skip

    def _part(self, sha256: str) -> None:
        size = int(self.headers["Content-Length"])
        place = self.headers.get(RANGE_HEADER)
        piece = Slice.read(place) if place else Slice(0, size, size)
        have = len(self.server.begun.get(sha256, b""))
        if piece.is_question:
            self.server.log.append(("ask", sha256))
            return self._answer(status="accepted", have=have)
        content = self._receive(size)
        with self.server.lock:
            self.server.log.append(("part", sha256, piece.start, piece.stop))
        whole = self.server.begun.get(sha256, b"")[: piece.start] + content
        if len(whole) == piece.total:
            assert hashlib.sha256(whole).hexdigest() == sha256
        self.server.begun[sha256] = whole
        self.server.first_part.set()
        return self._answer(status="accepted", have=len(whole))

    def _receive(self, size: int) -> bytes:
        """A body; nothing of it is kept when the line breaks."""
        content = b""
        while len(content) < size:
            chunk = self.rfile.read(min(2**16, size - len(content)))
            if not chunk:
                raise ConnectionResetError
            content += chunk
            with self.server.lock:
                self.server.taken_bytes += len(chunk)
                limit = self.server.stall_after
                is_stalled = limit is not None and self.server.taken_bytes > limit
            if is_stalled:
                self.server.stalled.set()
                self.server.go_on.wait(60)
        return content

    def _read(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, **record: Any) -> None:
        body = json.dumps(record).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
