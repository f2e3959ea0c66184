"""The files of a support bundle, before anything is masked in them."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from alectio_agent.agent.journal.history import JOURNAL, past_jobs
from alectio_agent.cli.main import COMMANDS
from alectio_agent.config.effective import as_yaml, effective_values, origins
from alectio_agent.config.layers import Layers
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import AlectioAgentError

LIMIT_S = 300.0
"""For one command: `check` imports the hooks."""
TAIL_BYTES = 256 * 2**10
MOST_BYTES = 2**20
JOBS = 200
LOG_LINES = 2000
MOST_LOGS = 5
UNITS = "alectio-*.service"
UNIT_FOLDERS = tuple(
    map(Path, ("/etc/systemd/system", "/run/systemd/system", "/lib/systemd/system"))
)
OWN_COMMANDS = (
    ("check.json", ("--json", "check", "--offline")),
    ("status.json", ("--json", "status")),
    ("outbox.json", ("--json", "outbox", "list")),
    ("audit.json", ("--json", "audit", "--since", "1d")),
)
"""What this program says of itself, as far as it has the command."""


@dataclass(frozen=True)
class Entry:
    """One file.

    Attributes:
        about: What it holds, for people.
    """

    name: str
    about: str
    content: bytes


@dataclass(frozen=True)
class Subject:
    """What a bundle is about.

    Attributes:
        config: The `agent.yaml`; None when there is none.
        settings: As loaded from it; None when it cannot be.
        problem: Why not.
        has_job_logs: What the hooks printed is wanted too.
    """

    config: Path | None
    settings: AgentFile | None
    layers: Layers | None
    problem: str
    has_job_logs: bool


def collect(subject: Subject, tell: Callable[[str], None]) -> Iterator[Entry]:
    """Collect everything, one file after the other.

    Args:
        subject: What it is about.
        tell: Told what takes a while.

    Yields:
        Files; what cannot be had is left out, or says why.
    """
    yield Entry("versions.json", "this program, Python, the system, packages", _versions())
    names = "\n".join(sorted(os.environ))
    yield Entry("environment.txt", "names of variables, no values", names.encode())
    yield from _units()
    yield from _service_log()
    if subject.settings is None:
        said = f"{subject.problem}\n".encode()
        yield Entry("configuration.txt", "why agent.yaml cannot be loaded", said)
        return
    yield from _of_settings(subject.settings, subject)
    for name, words in OWN_COMMANDS:
        verb = next(word for word in words if not word.startswith("-"))
        if verb in COMMANDS:
            command = " ".join(("alectio-agent", *words[1:]))
            tell(command)
            yield Entry(name, f"what `{command}` says", _own(words, subject.config))


def _of_settings(settings: AgentFile, subject: Subject) -> Iterator[Entry]:
    values = effective_values(settings)
    found = origins(values, subject.layers, os.environ) if subject.layers else None
    text = as_yaml(values, found)
    yield Entry("agent.yaml", "the configuration in force, and where it is from", text.encode())
    yield Entry("disk.json", "room, and what the state folder holds, by name", _disk(settings))
    folder = settings.agent.state_dir
    yield from _control(folder)
    if (folder / JOURNAL).is_file():
        yield Entry("jobs.json", f"the last {JOBS} jobs: state and class of failure", _jobs(folder))
    if subject.has_job_logs:
        logs = sorted((folder / "logs").glob("*.log"), key=_age)[-MOST_LOGS:]
        for log in logs:
            yield Entry(f"logs/{log.name}", "the last that hooks printed", tail(log))


def tail(file: Path, limit_bytes: int = TAIL_BYTES) -> bytes:
    """The last lines of a file; whole ones, so that no half of a secret is left at the cut.

    Args:
        file: Of text.
        limit_bytes: At most so much.
    """
    try:
        with file.open("rb") as opened:
            size = opened.seek(0, os.SEEK_END)
            opened.seek(max(0, size - limit_bytes))
            text = opened.read(limit_bytes)
    except OSError as error:
        return f"{file.name}: {error.strerror}\n".encode()
    return text if size <= limit_bytes else text.partition(b"\n")[2]


def _versions() -> bytes:
    packages = {each.metadata["Name"]: each.version for each in distributions()}
    return _json({
        "alectio-agent": packages.get("alectio-agent"),
        "python": sys.version,
        "executable": sys.executable,
        "system": platform.platform(),
        "libc": " ".join(platform.libc_ver()),
        "user": os.geteuid(),
        "packages": dict(sorted(packages.items())),
    })  # fmt: skip


def _disk(settings: AgentFile) -> bytes:
    folders = {"agent.state_dir": settings.agent.state_dir}
    for name, pipeline in settings.pipelines.items():
        folders[f"pipelines.{name}.checkpoints.dir"] = pipeline.checkpoints.dir
    return _json({
        "free": {key: _room(folder) for key, folder in folders.items()},
        "state_dir": list(_listing(settings.agent.state_dir)),
    })  # fmt: skip


def _room(folder: Path) -> dict[str, Any]:
    try:
        found, status = shutil.disk_usage(folder), folder.stat()
    except OSError as error:
        return {"folder": str(folder), "problem": error.strerror}
    inodes = os.statvfs(folder).f_favail
    owner = f"{status.st_uid}:{status.st_gid} {status.st_mode & 0o7777:04o}"
    return {"folder": str(folder), "total": found.total, "free": found.free, "inodes": inodes,
            "owner": owner}  # fmt: skip


def _listing(folder: Path) -> Iterator[dict[str, Any]]:
    """What lies at the top of a folder, with the bytes below each."""
    try:
        there = sorted(folder.iterdir())
    except OSError:
        return
    for path in there:
        try:
            status = path.lstat()
            below = [path, *path.rglob("*")] if path.is_dir() else [path]
            size = sum(each.lstat().st_size for each in below if not each.is_dir())
        except OSError:
            continue
        mode, changed = f"{status.st_mode & 0o7777:04o}", int(status.st_mtime)
        yield {"name": path.name, "bytes": size, "files": len(below), "mode": mode,
               "changed": changed}  # fmt: skip


def _jobs(folder: Path) -> bytes:
    """Jobs without what they are about: neither samples nor messages, which may quote data."""
    try:
        found = past_jobs(folder, JOBS)
    except AlectioAgentError as error:
        return f"{error}\n".encode()
    return _json([
        {
            "job": job.job, "attempt": job.attempt, "state": job.state, "outcome": job.outcome,
            "steps": job.steps, "done": job.done, "claimed_at": job.claimed_at,
            "failure": job.failure and [job.failure.failure_class, job.failure.step],
        }
        for job in found
    ])  # fmt: skip


def _control(folder: Path) -> Iterator[Entry]:
    """What a running agent answers at its socket."""
    from alectio_agent.agent.service.control.client import call
    from alectio_agent.agent.service.control.protocol import Request
    from alectio_agent.core.clock import SystemClock

    try:
        with call(folder, Request(verb="state"), SystemClock()) as made:
            said = _json(made.answer) if made is not None else b"no agent is running\n"
    except AlectioAgentError as error:
        said = f"{error}\n".encode()
    yield Entry("state.json", "what the agent is doing", said)


def unit_files(folders: Sequence[Path] = UNIT_FOLDERS) -> Iterator[Path]:
    """Our units that are installed, and their drop-ins.

    Args:
        folders: Where units lie.
    """
    for folder in folders:
        yield from sorted([*folder.glob(UNITS), *folder.glob(f"{UNITS}.d/*.conf")])


def _units() -> Iterator[Entry]:
    for file in unit_files():
        name = str(file).strip("/").replace("/", "_")
        yield Entry(f"units/{name}", f"{file}", tail(file))


def _service_log() -> Iterator[Entry]:
    """The agent's own lines, where a journal keeps them."""
    journalctl = shutil.which("journalctl")
    if journalctl is None:
        return
    words = (journalctl, "--no-pager", "-q", "-o", "short-iso", "-u", "alectio-*", "-n",
             str(LOG_LINES))  # fmt: skip
    text = _output(words, only_if_clean=True)  # without any unit it says that it has no filter
    if text.strip():
        yield Entry("log.txt", f"the last {LOG_LINES} lines in the journal of systemd", text)


def _own(words: tuple[str, ...], config: Path | None) -> bytes:
    named = () if config is None else ("--config", str(config))
    return _output((sys.executable, "-m", "alectio_agent", *words, *named))


def _output(words: tuple[str, ...], *, only_if_clean: bool = False) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - our own words, no shell
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"did not end within {LIMIT_S:g} s\n".encode()
    except OSError as error:
        return f"cannot be run: {error.strerror}\n".encode()
    if done.returncode and only_if_clean:
        return b""
    ended = f"\n(exit code {done.returncode})\n" if done.returncode else ""
    # Cut at a line: half of a secret would not be known as one.
    text = (done.stdout + done.stderr + ended.encode())[-MOST_BYTES:]
    return text if len(text) < MOST_BYTES else text.partition(b"\n")[2]


def _age(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2, default=str).encode() + b"\n"
