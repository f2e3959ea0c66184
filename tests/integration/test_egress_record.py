"""Everything that a real agent sends is on record, and `share` decides what that is."""

import csv
import io
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alectio_agent.cli.leaving_words import FIELDS
from alectio_agent.cli.main import main
from tests.support.hub_process import AGENT, Hub, listening_socket
from tests.support.projects import HOOKS, run_command, write_project
from tests.support.recording_server import RecordingServer, recording
from tests.support.running import Running

CANARIES = ("canary-label", "canary-param", "canary-print", "canary-name", "canary-text")
# A hub on this machine gets everything, so what is to stay is closed by name.
CLOSED = (
    "{logs: none, tracebacks: types, names: false, hyperparams: false, labels: none, host: none}"
)
TELLING = HOOKS.replace(
    'return {"hyperparams": {"trained": model["trained"]}}',
    'print("canary-print")\n'
    '    return {"hyperparams": {"canary-param": 1},\n'
    '            "labels": {i: i % CLASSES for i in payload["labeled"]}}',
) + ('\ndef state(payload):\n    return {index: "canary-name-%d" % index for index in range(60)}\n')
FAILING = TELLING.replace(
    "def test(payload):", 'def test(payload):\n    raise ValueError("canary-text")'
)


class Site:
    """An agent, a server that keeps what arrives, and the hub behind it."""

    def __init__(self, folder: Path, hub: Hub, server: RecordingServer) -> None:
        self.folder, self.hub, self.server = folder, hub, server
        folder.mkdir()
        (folder / "token").write_text(AGENT)
        (folder / "token").chmod(0o600)
        self.state = folder / ".alectio"

    def create(self, name: str) -> None:
        settings = {"name": name, "classes": 3, "batch": 5, "loops": 1, "strategy": "margin"}
        assert self.hub.operate("POST", "/v1/experiments", {"settings": settings}).ok

    def write(self, share: str, hooks: str) -> None:
        write_project(self.folder, hooks=hooks)
        (self.folder / "agent.yaml").write_text(
            f"platform: {{url: '{self.server.url}', token_file: token}}\n"
            f"pipelines:\n  toy: {{hooks: processes.py, share: {share}}}\n"
        )

    def run(self, name: str, share: str, hooks: str = TELLING) -> None:
        self.create(name)
        self.write(share, hooks)
        done = run_command("run", "--once", cwd=self.folder)
        assert done.returncode in (0, 3), done.stderr

    def audit(self, *words: str) -> Result:
        named = ("--config", str(self.folder / "agent.yaml"))
        return CliRunner().invoke(main, ["audit", *named, *words], terminal_width=80)

    def rows(self, *words: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.audit("--json", *words).stdout)
        return rows

    def sent(self, call: str) -> dict[str, Any]:
        """The body of the newest call of a kind."""
        body: dict[str, Any] = json.loads(self.server.of(call)[-1].body)
        return body

    def trained(self) -> dict[str, Any]:
        commits = [each for each in self.server.of("commit") if each.path.endswith("/train")]
        body: dict[str, Any] = json.loads(commits[-1].body)
        return body


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with listening_socket() as listening:
        hub = Hub.embedded(tmp_path / "hub", listening)
        with recording(listening.getsockname()[1]) as server:
            yield Site(tmp_path / "site", hub, server)
        hub.kill()


@pytest.mark.timeout(240)
def test_what_arrived_is_on_record_and_nothing_that_is_closed_arrives(site: Site) -> None:
    """An agent whose share is closed, then half open, then open: many checks on few processes."""
    site.run("closed", CLOSED)
    arrived = [each.body for each in site.server.arrived]
    for canary in CANARIES:
        assert not any(canary.encode() in body for body in arrived), canary
    assert site.sent("register")["name"].startswith("agent-")
    assert site.trained()["inline"] == {}
    assert site.trained()["provenance"]["args"] is None

    is_on_record(site)

    site.run("counts", "{labels: counts, logs: tail, names: false, host: none}")
    assert site.trained()["inline"]["label_counts"].keys() <= {"0", "1", "2"}
    assert "labels" not in site.trained()["inline"]
    assert site.trained()["inline"]["hyperparams"] == {"canary-param": 1}
    assert site.sent("register")["name"].startswith("agent-")
    assert [each.body for each in site.server.of("log") if each.body] == [b"canary-print\n"]
    assert not site.server.of("names")

    site.run("open", "{}", FAILING)
    assert b"canary-text" in site.server.of("fail")[-1].body
    assert site.server.of("names")
    assert site.sent("register")["name"] == os.uname().nodename

    is_on_record(site)
    headers = {name for each in site.server.arrived for name in each.headers}
    assert {f"header.{name}" for name in headers} <= FIELDS.keys()
    record = b"".join(file.read_bytes() for file in site.state.glob("egress.db*"))
    for canary in (*CANARIES, AGENT):
        assert canary.encode() not in record, canary
    is_read_beside_an_agent_and_after_its_kill(site)
    is_printed(site)


def is_on_record(site: Site) -> None:
    """Each request that arrived is there, with its size and digest; polls and beats as a number."""
    rows = site.rows()
    calls = [row for row in rows if row["kind"] == "call"]
    seen = [each for each in site.server.arrived if each.call not in ("poll", "beat")]
    assert Counter((row["call"], row["bytes"], row["sha256"]) for row in calls) == Counter(
        each.told for each in seen
    )
    for kind in ("poll", "beat"):
        counted = [row for row in rows if row["kind"] == "count" and row["call"] == kind]
        assert sum(row["calls"] for row in counted) == len(site.server.of(kind))
        assert sum(row["bytes"] for row in counted) == sum(
            len(each.body) for each in site.server.of(kind)
        )
    assert {row["target"] for row in calls} == {site.server.url}
    assert {row["outcome"] for row in calls} == {"200"}
    commits = {(row["job"], row["step"]) for row in calls if row["call"] == "commit"}
    assert ("closed/0", "train") in commits
    assert ("closed/0", "test") in commits
    assert site.audit("--verify").exit_code == 0


def is_printed(site: Site) -> None:
    """For people, as CSV, and of one job; and a change of the file is named."""
    text = site.audit()
    assert max(map(len, text.stdout.splitlines())) <= 80
    assert f"to {site.server.url}\n" in text.stdout
    assert "commit    closed/0 train" in text.stdout
    assert {row["job"] for row in site.rows("--job", "counts")} == {"counts/0"}
    assert site.rows("--since", "1ms") == []
    cells = list(csv.DictReader(io.StringIO(site.audit("--csv").stdout)))
    assert len(cells) == len(site.rows())
    assert "inline.label_counts" in " ".join(cell["fields"] for cell in cells)
    change(site.state / "egress.db", "UPDATE kept SET size_bytes = 1 WHERE id = 3")
    broken = site.audit("--verify")
    assert broken.exit_code == 3
    assert "row 3: it is not what was written" in broken.stdout
    told = json.loads(site.audit("--verify", "--json").stdout)
    assert (told["is_whole"], told["first_broken"]) == (False, 3)


def change(file: Path, sql: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(sql)
    connection.close()


def is_read_beside_an_agent_and_after_its_kill(site: Site) -> None:
    site.create("killed")
    with Running(site.folder) as agent:
        agent.until("killed/0")
        agent.until("no job now")
        assert site.audit("--verify").exit_code == 0
        assert "commit    killed/0 train" in site.audit().stdout
        agent.kill()
    assert site.audit("--verify").exit_code == 0
    written = Counter(row["call"] for row in site.rows() if row["kind"] == "call")
    arrived = Counter(each.call for each in site.server.arrived)
    assert not {call for call in arrived - written if call not in ("poll", "beat")}
