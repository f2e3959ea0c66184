"""What must not be left behind by an experiment that is over: processes, files."""

import re
import sqlite3
from pathlib import Path

from tests.torture.deployment import Agent, Site, fail, processes_of

CHECKPOINTS_KEPT = 2


def check_leaks(site: Site, beside: Site, *, did_the_same: bool = True) -> None:
    """Compare what a tortured site left with what an undisturbed one left.

    Args:
        site: Tortured; all its processes have been stopped.
        beside: Ran such experiments in peace.
        did_the_same: As many of them, so that the hubs must have the same files.
    """
    if left := processes_of(site.folder):
        fail(f"processes are left: {left}")
    for agent, other in zip(site.agents, beside.agents, strict=True):
        _same(_names(agent.state_dir), _names(other.state_dir), "the state folder")
        _same(_outbox(agent), set(), "the outbox: all results were acknowledged")
        _check_checkpoints(agent)
        _check_journal(agent)
    if did_the_same:
        _same(_files(site.data), _files(beside.data), "the hub's folder")


def _same(found: set[str], expected: set[str], what: str) -> None:
    if found != expected:
        fail(f"{what}: too many {sorted(found - expected)}, missing {sorted(expected - found)}")


def _names(folder: Path) -> set[str]:
    # A journal that was closed in peace has no log beside it; which case it is says nothing.
    names = {path.name for path in folder.iterdir()}
    return {name for name in names if not name.endswith((".db-wal", ".db-shm"))}


def _outbox(agent: Agent) -> set[str]:
    return {path.name for path in (agent.state_dir / "outbox").iterdir()}


def _check_checkpoints(agent: Agent) -> None:
    for folder in (agent.folder / "checkpoints").iterdir():
        names = {path.name for path in folder.iterdir()} - {"log"}
        loops = {re.sub(r"-a\d+$", "", name) for name in names}
        if len(loops) > CHECKPOINTS_KEPT:
            fail(f"{folder}: checkpoints of {len(loops)} loops are left: {sorted(names)}")


def _check_journal(agent: Agent) -> None:
    with sqlite3.connect(agent.state_dir / "agent.db") as journal:
        open_jobs = journal.execute("SELECT job FROM jobs WHERE state != 'closed'").fetchall()
        pending = journal.execute("SELECT key FROM messages WHERE state = 'pending'").fetchall()
        parked = journal.execute("SELECT reason FROM messages WHERE state = 'parked'").fetchall()
        groups = journal.execute("SELECT pgid FROM groups").fetchall()
    journal.close()
    if open_jobs or pending or parked or groups:
        fail(f"the journal is not at rest: {open_jobs} {pending} {parked} {groups}")


def _files(folder: Path) -> set[str]:
    """Files below the hub's folder; ids in their paths are made alike."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.endswith(("-wal", "-shm")):
            name = str(path.relative_to(folder))
            name = re.sub(r"(parts|logs)/[^/]+/", r"\1/JOB/", name)
            found.add(re.sub(r"-a\d+|/\d+-\d+\.log|a\d+\.log", "", name))
    return found
