"""Benchmarks run to their end, small and without peers; their figures say nothing here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.harness import ROOT


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "name",
    ["dispatch", "throughput", "startup", "idle", "claim", "bulk", "longpoll", "recovery", "soak"],
)
def test_a_benchmark_runs_to_its_end(name: str, tmp_path: Path) -> None:
    if name == "bulk":
        pytest.importorskip("numpy")
    command = [sys.executable, "-m", f"benchmarks.{name}", "--quick", "--json", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True,
        text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads((tmp_path / f"{name}.json").read_text())
    assert document["is_quick"]
    assert all(value >= 0 for figure in document["figures"] for value in figure["values"])


def test_peers_run_the_job(tmp_path: Path) -> None:
    pytest.importorskip("rq", reason="the peers are not installed: pip install '.[bench]'")
    redis_server = pytest.importorskip("benchmarks.peers.redis_server")
    if not redis_server.is_there():
        pytest.skip(redis_server.MISSING)
    from benchmarks.marks import Marks
    from benchmarks.peers.flask_push import flask_peer
    from benchmarks.peers.rq_worker import rq_peer

    marks = Marks(tmp_path)
    with redis_server.running_redis(tmp_path) as url:
        for peer in (rq_peer(tmp_path / "rq", marks, url), flask_peer(tmp_path / "flask", marks)):
            with peer.working():
                peer.send()
                assert marks.next().word == "run"
    marks.close()
