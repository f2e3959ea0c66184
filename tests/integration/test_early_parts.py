"""Parts of a result leave while it is still being stored, and survive the death of the agent."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.hook_runs import HOOKS, HookBench
from tests.support.part_servers import PartServer

ROWS = 400_000  # five parts
HOOK = """
def infer(payload):
    row = [float(score) for score in range(10)]
    return {"outputs": dict.fromkeys(payload["unlabeled"], row)}
"""
# The third file can be opened only when a file of this name is there: the step stays incomplete.
GATED = """
import os
from threading import Event

opened = os.open

def gated(path, *more, **named):
    while str(path).endswith("part-00002.npz") and not os.path.exists("open"):
        Event().wait(0.02)
    return opened(path, *more, **named)

os.open = gated
"""
WAIT_S = 40


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "token").write_text("alt_" + "x" * 43)
    (folder / "token").chmod(0o600)
    return folder


def write_site(site: Path, url: str, hooks: str) -> None:
    (site / "processes.py").write_text(hooks)
    (site / "agent.yaml").write_text(
        f"agent: {{state_dir: state}}\nplatform: {{url: '{url}', token_file: token}}\n"
        f"pipelines:\n  bulk: {{hooks: processes.py, pool_size: {ROWS}}}\n"
    )


@contextmanager
def agent(site: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "alectio_agent", "run", "-q"]
    with (site / "agent.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=site, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(WAIT_S)


def logged(server: PartServer, kind: str) -> list[tuple]:
    return [entry for entry in server.log if entry[0] == kind]


def test_parts_arrive_before_the_step_is_done(site: Path) -> None:
    with PartServer(ROWS) as server:
        write_site(site, server.url, HOOKS + GATED + HOOK)
        with agent(site):
            assert server.first_part.wait(WAIT_S), (site / "agent.log").read_text()
            assert not server.committed.is_set()
            (site / "open").touch()
            assert server.committed.wait(WAIT_S), (site / "agent.log").read_text()
        (commit,) = logged(server, "commit")
        named = [part["sha256"] for part in commit[1]["parts"]]
        assert len(named) == 5
        assert set(named) == set(server.begun)
        sent = sum(stop - start for _, _, start, stop in logged(server, "part"))
        assert sent == sum(part["bytes"] for part in commit[1]["parts"]), "each byte once"


def test_a_killed_agent_sends_only_what_is_missing(site: Path) -> None:
    with PartServer(ROWS) as server:
        write_site(site, server.url, HOOKS + HOOK)
        # Above this the slices of all parts in flight stall: the fifth part at least is not there.
        server.stall_after = 13 * 2**20
        with agent(site) as first:
            assert server.stalled.wait(WAIT_S), (site / "agent.log").read_text()
            manifest = site / "state" / "outbox" / "lease-1.infer" / "manifest.json"
            wait_for(manifest)
            first.kill()
            first.wait()
        kept = {sha256: len(content) for sha256, content in server.begun.items()}
        server.stall_after = None
        server.log.clear()
        server.go_on.set()
        with agent(site):
            assert server.committed.wait(WAIT_S), (site / "agent.log").read_text()
        (commit,) = logged(server, "commit")
        total = sum(part["bytes"] for part in commit[1]["parts"])
        again = sum(stop - start for _, _, start, stop in logged(server, "part"))
        assert sum(kept.values()) > 8 * 2**20, "several parts were there already"
        assert again == total - sum(kept.values())


def wait_for(file: Path) -> None:
    """Turn until a file is there; the test's own timeout ends it."""
    command = ["sh", "-c", f"until test -e '{file}'; do sleep 0.05; done"]
    subprocess.run(command, check=True, timeout=WAIT_S)


def test_a_step_that_fails_while_it_is_stored_has_told_of_its_first_parts(tmp_path: Path) -> None:
    """They are dropped by the platform, since no commit names them."""
    bench = HookBench(tmp_path)
    told = []
    hooks = HOOKS + GATED.replace("Event().wait(0.02)", "raise PermissionError(path)") + HOOK
    run = bench.step(
        bench.pipeline(hooks), "infer", classes=10, on_part=told.append,
        payload={"unlabeled": list(range(ROWS))},
    )  # fmt: skip
    with pytest.raises(Exception, match="PermissionError"):
        bench.slot.run(run)
    bench.close()
    assert [part.file for part in told] == ["part-00000.npz", "part-00001.npz"]
    assert all((run.folder / part.file).stat().st_size == part.bytes for part in told)
