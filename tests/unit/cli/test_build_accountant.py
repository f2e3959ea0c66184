"""What the figures of an agent are made from."""

from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alectio_agent.agent.service.snapshot import AgentSnapshot
from alectio_agent.cli.build_accountant import FiguresSource
from tests.support.clocks import FakeClock


def make_source() -> FiguresSource:
    any_: Any = SimpleNamespace
    settings = any_(claim=any_(min_free_disk=0))
    state = any_(pauses=any_(is_paused=bool), settings=settings)
    rooms = any_(desk=any_(counters=None), heartbeats=any_(lag_s=0.0))
    hooks = [any_(starts=any_(amounts={"first": number})) for number in (1, 2)]
    agent = any_(error=None, snapshot=lambda: AgentSnapshot("gpu01", "idle"))
    reach, expiry = any_(answered_s=None, outage=None), any_(ends=None)
    return FiguresSource(state, rooms, hooks, reach, FakeClock(), 0.0, agent, expiry)


def test_the_version_is_the_one_that_runs_whatever_is_installed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking it up each time would also take longer than all the rest."""
    runs, source = version("alectio-agent"), make_source()
    newer = tmp_path / "alectio_agent-99.0.dist-info"
    newer.mkdir()
    (newer / "METADATA").write_text("Metadata-Version: 2.1\nName: alectio-agent\nVersion: 99.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert version("alectio-agent") == "99.0"
    assert source().version == runs


def test_hook_processes_of_all_slots_are_counted_together() -> None:
    assert make_source()().hook_starts == {"first": 3}
