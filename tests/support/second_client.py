"""A second agent, written from docs/wire.md alone: the standard library, and nothing of ours.

It stands for a client in another language. It keeps what it must know in memory; its "model" gives
each sample a score by its index.
"""

import hashlib
import http.client
import io
import json
import secrets
import struct
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SLICE_BYTES = 64 * 1024
INLINE_ROWS = 100
HOLD_S = 20
PRIME = 12_007
"""Fewer samples than this have no two rows of scores alike."""


class RefusedError(Exception):
    """A verdict of the platform.

    Attributes:
        document: The whole problem.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(f"{document['type']}: {document.get('detail', '')}")
        self.document = document

    @property
    def type(self) -> str:
        return str(self.document["type"])


@dataclass
class SecondClient:
    """One agent.

    Attributes:
        address: Host and port of the platform.
        classes: Columns of what `infer` returns.
        done: Jobs of which every step was accepted.
    """

    address: str
    token: str
    pipeline: str
    pool: int
    name: str = "second"
    classes: int = 2
    seq: int = 1
    boot: str = field(default_factory=lambda: secrets.token_hex(8))
    agent_id: str = ""
    done: list[str] = field(default_factory=list)

    def register(self) -> None:
        """Say who this is and what it can run."""
        answer = self._call(
            "POST",
            "/v1/agents",
            {
                "installation_id": secrets.token_hex(8),
                "boot": {"count": 1, "id": self.boot},
                "name": self.name,
                "version": "second 1.0",
                "pipelines": [{"name": self.pipeline, "pool_size": self.pool}],
            },
        )
        assert answer["protocol"]["min"] <= 1 <= answer["protocol"]["max"]
        self.agent_id = answer["agent_id"]

    def claim(self) -> dict[str, Any] | None:
        """Ask for a job; None when there is none at the end of the hold."""
        job = self._call(
            "POST",
            "/v1/claims",
            {
                "agent_id": self.agent_id,
                "boot": self.boot,
                "seq": self.seq,
                "wait_s": HOLD_S,
                "free": [self.pipeline],
            },
        )
        if job is not None:
            self.seq += 1
        return job

    def run(self, until: Callable[[], bool]) -> None:
        """Take jobs until told to stop; a job that is lost is let go.

        Args:
            until: Asked before each claim.
        """
        while not until():
            job = self.claim()
            if job is not None:
                try:
                    self.work(job)
                except RefusedError as error:
                    if error.type not in ("lease-lost", "job-closed"):
                        raise

    def work(self, job: dict[str, Any]) -> None:
        """Beat, then run and commit each step."""
        for order in job["steps"]:
            if self.beat(job, order["step"]) is not None:
                return
            self.deliver(job, order["step"], self._rows(order["step"], order["payload"]))
        self.done.append(job["job"])

    def beat(self, job: dict[str, Any], step: str) -> str | None:
        """Renew the lease; the reason when the job is cancelled."""
        answer = self.about(job, "POST", "heartbeat", {"step": step, "state": "running"})
        reason: str | None = answer["cancel"]
        return reason

    def deliver(self, job: dict[str, Any], step: str, rows: dict[int, Any]) -> None:
        """Commit a result: inline when it is small, else as a part."""
        commit: dict[str, Any] = {"key": f"{step}-{secrets.token_hex(8)}", "rows": len(rows)}
        if step == "train":
            commit |= {"media_type": "application/json", "inline": {"hyperparams": {"lr": 0.5}}}
        elif len(rows) <= INLINE_ROWS:
            inline = {"rows": [[index, value] for index, value in rows.items()]}
            commit |= {"media_type": "application/json", "inline": inline}
        else:
            part = npz(rows)
            sha256 = hashlib.sha256(part).hexdigest()
            self.send_part(job, sha256, part)
            named = [{"sha256": sha256, "bytes": len(part), "rows": len(rows)}]
            commit |= {"media_type": "application/x-npz", "parts": named}
        self.about(job, "PUT", f"steps/{step}", commit)

    def send_part(self, job: dict[str, Any], sha256: str, part: bytes) -> None:
        """Send what is not there yet, slice by slice."""
        path, total = f"parts/{sha256}", len(part)
        have = self.about(job, "PUT", path, b"", f"bytes */{total}")["have"]
        while have < total:
            piece = part[have : have + SLICE_BYTES]
            told = f"bytes {have}-{have + len(piece) - 1}/{total}"
            try:
                have = self.about(job, "PUT", path, piece, told)["have"]
            except RefusedError as error:
                if error.type != "parts-missing":
                    raise
                [missing] = error.document["missing"]
                have = missing["have"]

    def about(
        self, job: dict[str, Any], method: str, what: str, body: Any, content_range: str = ""
    ) -> Any:
        """A call about a job, with its lease."""
        headers = {"Alectio-Lease": job["lease"]}
        if content_range:
            headers["Content-Range"] = content_range
        return self._call(method, f"/v1/jobs/{job['job_id']}/{what}", body, headers)

    def leave(self) -> None:
        """Say goodbye."""
        self._call("DELETE", f"/v1/agents/{self.agent_id}")

    def _rows(self, step: str, payload: dict[str, Any]) -> dict[int, Any]:
        if step == "test":
            return {index: [index % self.classes, index % self.classes] for index in range(20)}
        if step == "infer":
            return {index: self._scores(index) for index in payload["unlabeled"]}
        return {}

    def _scores(self, index: int) -> list[float]:
        return [index * (7919 + 13 * column) % PRIME / PRIME for column in range(self.classes)]

    def _call(
        self, method: str, path: str, body: Any = None, more: dict[str, str] | None = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Alectio-Protocol": "1", **(more or {})}
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(self.address, timeout=HOLD_S + 10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status == 204:
            return None
        if answer.status == 200:
            return json.loads(content)
        assert answer.headers["Content-Type"] == "application/problem+json", content
        raise RefusedError(json.loads(content))


def npz(rows: dict[int, list[float]]) -> bytes:
    """Rows of scores as an uncompressed `.npz`."""
    columns = len(next(iter(rows.values())))
    scores = [score for row in rows.values() for score in row]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as arrays:
        arrays.writestr("index.npy", _npy("i8", "q", f"({len(rows)},)", list(rows)))
        arrays.writestr("logits.npy", _npy("f4", "f", f"({len(rows)}, {columns})", scores))
    return packed.getvalue()


def _npy(kind: str, letter: str, shape: str, values: list[Any]) -> bytes:
    head = f"{{'descr': '<{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    head = head.ljust(117) + "\n"
    numbers = struct.pack(f"<{len(values)}{letter}", *values)
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + numbers


def main(words: list[str]) -> None:
    """Run until ended: `second_client.py ADDRESS TOKEN PIPELINE POOL NAME`.

    Args:
        words: Of the command line. Prints each job when it has been claimed.
    """
    address, token, pipeline, pool, name = words
    client = SecondClient(address, token, pipeline, int(pool), name)
    client.register()
    while True:
        job = client.claim()
        if job is not None:
            client.beat(job, "train")
            print(job["job"], flush=True)
            sys.stdin.read()  # and ends it meanwhile
            client.work(job)


if __name__ == "__main__":
    main(sys.argv[1:])
