"""The analysis process as the hub runs it."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.analysis import npz_part, random_logits

MIX = [{"name": "diverse_margin", "share": 0.9}, {"name": "random", "share": 0.1}]


class Worker:
    """A running worker."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alectio_agent.analysis.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def end(self) -> tuple[int, bytes]:
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors


@pytest.fixture
def worker() -> Iterator[Worker]:
    running = Worker()
    yield running
    running.process.kill()
    running.process.wait()
    for pipe in (running.process.stdin, running.process.stdout, running.process.stderr):
        assert pipe is not None
        with contextlib.suppress(BrokenPipeError):
            pipe.close()


def select(parts: list[Path], **fields: Any) -> dict[str, Any]:
    request = {
        "op": "select",
        "seed": 3,
        "loop": 4,
        "batch": 30,
        "strategy": MIX,
        "output": "logits",
        "classes": 10,
        "result": {
            "media_type": "application/x-npz",
            "parts": [str(part) for part in parts],
            "inline": None,
        },
    }
    return {**request, **fields}


def test_a_loop_is_selected_judged_and_selected_again(worker: Worker, tmp_path: Path) -> None:
    logits = random_logits(600)
    parts = [
        npz_part(
            tmp_path / f"{at}.npz", index=np.arange(at, at + 200), logits=logits[at : at + 200]
        )
        for at in (0, 200, 400)
    ]
    first = worker.ask(
        op="select", seed=3, loop=0, batch=30, strategy=[{"name": "random"}], pool=600, labeled=[]
    )
    assert len(set(first["indices"])) == 30
    judged = worker.ask(
        op="metrics",
        classes=2,
        result={"media_type": "application/json", "inline": {"rows": [[0, [1, 1]], [1, [0, 1]]]}},
    )
    assert judged["metrics"]["accuracy"] == 0.5
    second = worker.ask(**select(parts, labeled=first["indices"]))
    assert len(set(second["indices"])) == 30
    assert not set(second["indices"]) & set(first["indices"])
    assert second["pool"] == 570
    assert worker.end() == (0, b"")


def test_a_process_started_anew_gives_the_same_batch(worker: Worker, tmp_path: Path) -> None:
    """A crash in the middle of a loop must not change what is labelled."""
    part = npz_part(tmp_path / "part.npz", index=np.arange(600), logits=random_logits(600))
    again = Worker()
    try:
        assert worker.ask(**select([part])) == again.ask(**select([part]))
    finally:
        assert again.end() == (0, b"")


def test_a_request_that_fails_does_not_end_it(worker: Worker, tmp_path: Path) -> None:
    refused = worker.ask(**select([tmp_path / "missing.npz"]))
    assert refused["kind"] == "ScoresError"
    assert "missing.npz: no readable .npz file" in refused["error"]
    without = worker.ask(op="select", seed=0, loop=0, batch=1, strategy=MIX)
    assert without["kind"] == "StrategyError"
    part = npz_part(tmp_path / "part.npz", index=np.arange(40), logits=random_logits(40))
    assert len(worker.ask(**select([part]))["indices"]) == 30


def test_an_interrupt_of_the_terminal_is_left_to_the_hub(worker: Worker) -> None:
    """Ctrl-C reaches the whole foreground group; the hub still owes the selection."""
    request = {"op": "select", "seed": 0, "loop": 0, "batch": 1, "pool": 1}
    random = [{"name": "random"}]
    worker.ask(**request, strategy=random)
    worker.process.send_signal(signal.SIGINT)
    assert worker.ask(**request, strategy=random)["indices"] == [0]
    assert worker.end() == (0, b"")


def test_it_ends_quietly_when_nobody_reads_its_answers(worker: Worker) -> None:
    """So it goes when the hub is killed."""
    assert worker.process.stdin is not None
    assert worker.process.stdout is not None
    assert worker.process.stderr is not None
    worker.process.stdout.close()
    worker.process.stdin.write(b"{}\n")
    worker.process.stdin.close()
    assert worker.process.stderr.read() == b""
    assert worker.process.wait(timeout=30) == 0


def test_a_large_pool_needs_little_more_memory_than_its_parts(
    worker: Worker, tmp_path: Path
) -> None:
    """Mapped and read in chunks: 500,000 rows are 24 MB; copies of them would show."""
    part = npz_part(
        tmp_path / "part.npz",
        index=np.arange(500_000),
        logits=np.random.default_rng(0).standard_normal((500_000, 10), dtype="f4"),
    )
    small = npz_part(tmp_path / "small.npz", index=np.arange(400), logits=random_logits(400))
    worker.ask(**select([small]))
    worker.ask(**select([small]))  # scikit-learn is loaded after the first answer
    before = peak_bytes(worker.process.pid)
    assert len(worker.ask(**select([part], batch=1000))["indices"]) == 1000
    assert peak_bytes(worker.process.pid) - before < part.stat().st_size + 64 * 2**20


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
