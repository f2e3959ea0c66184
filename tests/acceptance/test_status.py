"""`status` of a real agent: at work, watched in a pipe and on a terminal, killed, and damaged."""

import grp
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.json_outputs import check_output
from tests.support.projects import HOOKS, run_command, write_project
from tests.support.running import Running
from tests.support.tmux import Tmux

pytestmark = pytest.mark.timeout(240)

HELD = HOOKS.replace(
    '    begun(payload, "train")\n',
    '    begun(payload, "train")\n'
    "    import threading\n"
    "    from alectio_agent import progress\n"
    "    progress(1, 20)\n"
    '    while payload["loop"] == 1 and not Path("go").exists():\n'
    "        threading.Event().wait(0.05)\n"
    "        progress(13, 20, loss=0.214)\n",
)
"""Loop 1 trains at 13 of 20 until there is a file `go`."""
NOBODY = 65534
AS_MEMBER = """
import os, sys
from click.testing import CliRunner
from alectio_agent.cli.main import main

config = ["--config", sys.argv[1]]
commands = [["status", "--json"], ["logs", "toy/0", "-n", "1"], ["outbox", "retry", "--json"],
            ["reload", "--json"], ["outbox", "import", sys.argv[3], "--json"],
            ["outbox", "list"], ["jobs"], ["audit"], ["status", "--json"]]
for words in commands:  # as root: what is imported lies where others may not look
    CliRunner().invoke(main, [*words, *config])
from pathlib import Path
from alectio_agent.agent.service.control.client import call
from alectio_agent.agent.service.control.protocol import Request
from alectio_agent.cli import agent_log
from alectio_agent.core.clock import SystemClock
os.setgroups([int(sys.argv[2])]); os.setgid(65534); os.setuid(65534)
for words in commands:
    done = CliRunner().invoke(main, [*words, *config])
    print(done.exit_code, repr(done.output))
try:
    with call(Path(sys.argv[1]).parent / ".alectio", Request(verb="verdicts"), SystemClock()):
        print(0, "taken")
except Exception as error:
    print(int(error.exit_code), error)
"""


@pytest.fixture
def site() -> Iterator[Path]:
    """A project in a folder that others may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="alectio-status-"))
    folder.chmod(0o755)
    write_project(folder, loops=3, hooks=HELD, agent=_group())
    yield folder
    shutil.rmtree(folder)


def _group() -> str:
    return f"agent: {{control_group: {grp.getgrgid(os.getegid()).gr_name}}}\n"


def status(site: Path, *words: str, code: int = 0) -> Any:
    done = run_command("status", "--json", *words, cwd=site)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if code:
        return done.stderr
    found = json.loads(done.stdout)
    check_output("status", found)
    return found


def test_an_agent_from_its_first_start_to_its_ruins(site: Path) -> None:
    assert "E-USE-02" in status(site, code=2)
    with Running(site) as agent, Tmux(site) as terminal:
        agent.until("toy/1 train started")
        _tells_what_it_does(site, agent.process.pid)
        terminal.type(f"{sys.executable} -m alectio_agent status --watch")
        terminal.shows("13 of 20 (65%), loss 0.214")
        if os.geteuid() == 0:  # only root can become another user
            _shows_it_to_members(site)
        with _watching(site) as watching:
            assert watching.stdout is not None
            assert "working; toy/1 train; outbox empty" in watching.stdout.readline()
            run_command("pause", "--note", "lunch", cwd=site)
            assert "; paused; paused since " in watching.stdout.readline()
            terminal.shows("(lunch). Go on: alectio-agent resume")
            agent.kill()
            assert ": killed; toy/1 was begun; outbox empty" in _newest(watching, "killed")
            watching.send_signal(signal.SIGINT)
            assert watching.wait(30) == 0
        terminal.shows("last sign of life")
        terminal.press("C-c")
        assert "ended with 0" in terminal.ends()
    _tells_what_is_left(site)


def _tells_what_it_does(site: Path, pid: int) -> None:
    found = next(seen for _ in range(60) if (seen := status(site))["jobs"][0]["done"] == 13)
    assert (found["is_running"], found["state"], found["pid"]) == (True, "working", pid)
    [job] = found["jobs"]
    assert (job["slot"], job["job"], job["loops"], job["step"]) == (0, "toy/1", 3, "train")
    assert (job["done"], job["total"], job["numbers"]) == (13, 20, {"loss": 0.214})
    assert job["left_s"] is not None
    assert job["began_at"] >= found["since"] > found["started_at"]
    assert found["platform"]["last_at"] > found["started_at"]
    assert found["checkpoints"][0]["held"] == {"toy": 1}
    assert found["disks"][0]["free_bytes"] > 0
    assert (found["version"], found["needs_restart"]) == (found["installed"], False)
    text = run_command("status", cwd=site, environment={"COLUMNS": "80"}).stdout
    assert "slot 0      toy/1 of 3, train, 13 of 20 (65%), loss 0.214" in text


@contextmanager
def _watching(site: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "alectio_agent", "status", "--watch"]
    with subprocess.Popen(command, cwd=site, stdout=subprocess.PIPE, text=True) as watching:
        try:
            yield watching
        finally:
            watching.kill()


def _newest(watching: "subprocess.Popen[str]", word: str) -> str:
    """A kill is seen at once, or first as an agent that does not answer."""
    assert watching.stdout is not None
    for line in watching.stdout:
        if word in line:
            return line
    raise AssertionError(f"{word} was not told")


def _shows_it_to_members(site: Path) -> None:
    """A member sees and retries; a receipt and what lies in the folder are not for members."""
    (site / "receipt").write_text("{}")
    done = subprocess.run(
        [sys.executable, "-c", AS_MEMBER, str(site / "agent.yaml"), str(os.getegid()),
         str(site / "receipt")],
        capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = [line.partition(" ") for line in done.stdout.splitlines()]
    codes = [int(code) for code, _, _ in told if code.isdigit()]
    assert codes[:10] == [0, 0, 0, 0, 2, 77, 77, 77, 0, 77], done.stdout
    assert '"state": "working"' in told[0][2]


def _tells_what_is_left(site: Path) -> None:
    folder = site / ".alectio"
    before = _contents(folder)
    found = status(site)
    assert (found["is_running"], found["state"], found["version"]) == (False, "killed", None)
    assert found["started_at"] < found["since"]
    assert [job["job"] for job in found["jobs"]] == ["toy/1"]
    assert found["paused"]["note"] == "lunch"
    text = run_command("status", cwd=site).stdout
    assert "vm: does not run" in text or "does not run; it was not stopped in order" in text
    assert _contents(folder) == before, "who looks changes nothing"
    for end in ("-wal", "-shm"):
        (folder / f"agent.db{end}").unlink(missing_ok=True)
    (folder / "agent.db").write_bytes(b"no database at all" * 500)
    (folder / "identity.json").write_text("{")
    before = _contents(folder)
    broken = status(site)
    assert len(broken["problems"]) == 2
    assert "identity.json: not the identity" in broken["problems"][0]
    assert "agent.db: file is not a database" in broken["problems"][1]
    assert broken["outbox"]["pending"] == 3, "as the next start finds it"
    listed = run_command("outbox", "list", cwd=site)
    assert listed.stdout.count("pending") == 3
    assert "file is not a database" in listed.stderr
    refused = run_command("outbox", "export", "out.tar", cwd=site)
    assert refused.returncode == 1
    assert "E-DISK-04" in refused.stderr
    assert _contents(folder) == before


def _contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """All but the hub's, and SQLite's index of the write-ahead log, which each reader uses."""
    files = [path for path in folder.rglob("*") if path.is_file() and "hub" not in path.parts]
    files = [path for path in files if not path.name.endswith("-shm")]
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}
