"""Parts over real sockets: cut lines, hanging ones, wrong lengths, and a hub that is killed."""

import hashlib
import io
import json
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from tests.support.hub_process import Hub, listening_socket

EXPERIMENT = {"name": "digits", "classes": 2, "batch": 4, "loops": 3, "strategy": "margin"}
PIECE = 2**16


class Job:
    """A job whose infer is due, and calls about it."""

    def __init__(self, hub: Hub, pool_size: int = 20) -> None:
        self.hub = hub
        said = {
            "installation_id": "installation-1", "boot": {"count": 1, "id": "boot-1"},
            "name": "gpu01", "version": "1",
            "pipelines": [{"name": "digits", "pool_size": pool_size}],
        }  # fmt: skip
        agent_id = hub.call("POST", "/v1/agents", said).json()["agent_id"]
        assert hub.operate("POST", "/v1/experiments", {"settings": EXPERIMENT}).status_code == 200
        poll = {"agent_id": agent_id, "boot": "boot-1", "seq": 1, "wait_s": 20, "free": ["digits"]}
        self.claim = hub.call("POST", "/v1/claims", poll).json()
        self.lease = {"Alectio-Lease": self.claim["lease"]}
        self.path = f"/v1/jobs/{self.claim['job_id']}"
        self.asked: list[int] = self.claim["steps"][2]["payload"]["unlabeled"]
        hub.call("POST", f"{self.path}/heartbeat", {"step": "train"}, **self.lease)
        self.commit("train", media_type="application/json", rows=0, inline={})
        rows = {"rows": [[0, [0, 1]], [1, [1, 1]]]}
        self.commit("test", media_type="application/json", rows=2, inline=rows)

    def commit(self, step: str, **said: Any) -> requests.Response:
        body = {"key": f"key-{step}", **said}
        return self.hub.call("PUT", f"{self.path}/steps/{step}", body, **self.lease)

    def part(self, content: bytes) -> str:
        return f"{self.path}/parts/{hashlib.sha256(content).hexdigest()}"

    def put(self, content: bytes, start: int, stop: int) -> requests.Response:
        span = f"bytes {start}-{stop - 1}/{len(content)}"
        return self.hub.call(
            "PUT", self.part(content), content[start:stop], Content_Range=span, **self.lease
        )

    def have(self, content: bytes) -> int:
        answer = self.hub.call(
            "PUT", self.part(content), b"", Content_Range=f"bytes */{len(content)}", **self.lease
        )
        return int(answer.json()["have"])

    def open(self, path: str, *headers: str) -> socket.socket:
        """The beginning of a request, on a connection of its own."""
        port = int(self.hub.url.rsplit(":", 1)[1])
        line = socket.create_connection(("127.0.0.1", port), timeout=60)
        head = [
            f"PUT {path} HTTP/1.1", "Host: hub", "Alectio-Protocol: 1",
            f"Authorization: Bearer {self.hub.agent_token}",
            f"Alectio-Lease: {self.lease['Alectio-Lease']}", *headers,
        ]  # fmt: skip
        line.sendall("\r\n".join([*head, "", ""]).encode())
        return line


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def job(folder: Path) -> Iterator[Job]:
    """Its infer never comes: all tests send parts of their own for it."""
    with listening_socket() as bound:
        hub = Hub.embedded(folder / "hub", bound)
    yield Job(hub)
    hub.kill()


def answer_of(line: socket.socket) -> tuple[int, Any]:
    with line, line.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        length = 0
        while (header := stream.readline()) not in (b"\r\n", b""):
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        return status, json.loads(stream.read(length))


def until_there(job: Job, content: bytes, have: int) -> None:
    while job.have(content) < have:
        pass


def sizes(folder: Path, content: bytes) -> list[int]:
    """Of the files that lie at the hub for a part."""
    digest = hashlib.sha256(content).hexdigest()
    return [file.stat().st_size for file in folder.rglob(f"*{digest[:16]}*")]


def scores(asked: list[int]) -> bytes:
    stream = io.BytesIO()
    rows = np.random.default_rng(1).random((len(asked), 2), np.float32)
    np.savez(stream, index=np.array(asked, np.int64), logits=rows)
    return stream.getvalue()


def test_a_line_that_is_cut_keeps_what_came(job: Job) -> None:
    content = os.urandom(5 * PIECE)
    span = f"Content-Range: bytes 0-{4 * PIECE - 1}/{len(content)}"
    line = job.open(job.part(content), span, f"Content-Length: {4 * PIECE}")
    line.sendall(content[:PIECE])
    until_there(job, content, PIECE)
    line.close()
    assert job.have(content) == PIECE
    assert job.put(content, PIECE, len(content)).json()["have"] == len(content)


def test_a_newer_request_wins_over_one_that_hangs(job: Job) -> None:
    content = os.urandom(5 * PIECE)
    span = f"Content-Range: bytes 0-{len(content) - 1}/{len(content)}"
    line = job.open(job.part(content), span, f"Content-Length: {len(content)}")
    line.sendall(content[: 2 * PIECE])
    until_there(job, content, 2 * PIECE)
    assert job.put(content, 2 * PIECE, 3 * PIECE).json()["have"] == 3 * PIECE
    line.sendall(bytes(3 * PIECE))
    status, told = answer_of(line)
    assert (status, told["type"]) == (409, "parts-missing")
    assert told["missing"][0]["have"] == 3 * PIECE
    assert job.put(content, 3 * PIECE, len(content)).json()["have"] == len(content)


@pytest.mark.parametrize(("sent", "status"), [(400, 200), (399, 422), (401, 422), (0, 422)])
def test_a_body_in_chunks_is_held_to_its_range(
    job: Job, folder: Path, sent: int, status: int
) -> None:
    content = os.urandom(1000)
    line = job.open(
        job.part(content), "Content-Range: bytes 0-399/1000", "Transfer-Encoding: chunked"
    )
    if sent:
        line.sendall(f"{sent:x}\r\n".encode() + content[:sent] + b"\r\n")
    line.sendall(b"0\r\n\r\n")
    assert answer_of(line)[0] == status
    assert sizes(folder, content) == [400] * (status == 200)


def test_a_body_in_thousands_of_chunks_is_put_together(job: Job) -> None:
    """Many come at once, and are told one by one; the digest tells whether all are there."""
    content = os.urandom(100_000)
    line = job.open(job.part(content), "Transfer-Encoding: chunked")
    chunks = (content[at : at + 10] for at in range(0, len(content), 10))
    line.sendall(b"".join(b"a\r\n" + chunk + b"\r\n" for chunk in chunks) + b"0\r\n\r\n")
    status, told = answer_of(line)
    assert (status, told["have"]) == (200, len(content))


@pytest.mark.parametrize("length", [399, 401])
def test_a_length_that_is_not_that_of_the_range_is_refused(
    job: Job, folder: Path, length: int
) -> None:
    content = os.urandom(1000)
    line = job.open(
        job.part(content), "Content-Range: bytes 0-399/1000", f"Content-Length: {length}"
    )
    line.sendall(content[:length])
    status, told = answer_of(line)
    assert (status, told["type"]) == (422, "invalid")
    assert sizes(folder, content) == []


@pytest.mark.parametrize("header", ["Content-Length: 5000000", "Transfer-Encoding: chunked"])
def test_a_whole_part_or_commit_that_is_cut_leaves_nothing(
    job: Job, folder: Path, header: str
) -> None:
    content = os.urandom(PIECE)
    for path in (job.part(content), f"{job.path}/steps/infer"):
        line = job.open(path, header)
        line.sendall(b"64\r\n" + content[:100])
        line.close()
    assert job.have(content) == 0
    assert sizes(folder, content) == []
    view = job.hub.operate("GET", "/v1/experiments/digits").json()
    assert view["loops"][0]["state"] == "running"


def test_a_killed_hub_goes_on_where_the_file_ends_and_the_result_counts(
    tmp_path: Path, listening: socket.socket
) -> None:
    first = Hub.embedded(tmp_path / "hub", listening)
    job = Job(first)
    content = scores(job.asked)
    job.put(content, 0, 500)
    first.kill()
    job.hub = Hub.embedded(tmp_path / "hub", listening)
    try:
        assert job.have(content) == 500
        assert job.put(content, 500, len(content)).json()["have"] == len(content)
        part = {"sha256": job.part(content)[-64:], "bytes": len(content), "rows": len(job.asked)}
        said = {"media_type": "application/x-npz", "rows": len(job.asked), "parts": [part]}
        assert job.commit("infer", **{**said, "rows": 3}).json()["type"] == "invalid"
        for _ in range(2):  # the answer may get lost
            assert job.commit("infer", **said).json() == {"status": "accepted"}
        view = job.hub.operate("GET", "/v1/experiments/digits").json()
        assert view["loops"][0]["state"] == "done"
    finally:
        job.hub.kill()


def test_parts_are_never_in_memory(job: Job) -> None:
    contents = [os.urandom(4 * 2**20) for _ in range(12)]
    before = most_memory(job.hub.process.pid)
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda part: job.put(part, 0, len(part)), contents))
    assert [answer.json()["have"] for answer in answers] == [4 * 2**20] * 12
    assert most_memory(job.hub.process.pid) - before < 40_000


def most_memory(pid: int) -> int:
    """The most that a process ever had, in kB."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
