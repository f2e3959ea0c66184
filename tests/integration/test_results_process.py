"""The results process under a real hub: killed, in the way, restarted, read from elsewhere."""

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import StoreError, StoreVersionError
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.results import results_process, worker
from alectio_agent.hub.results.folders import Folders
from alectio_agent.hub.results.results_process import (
    ResultsClosedError,
    ResultsError,
    ResultsProcess,
)
from alectio_agent.hub.results.worker import HubReader
from alectio_agent.hub.results.writer import ResultsWriter
from alectio_agent.hub.store import engines
from alectio_agent.hub.store.store import Store
from tests.support.benches import make_settings
from tests.support.hub_process import Hub
from tests.support.results import EVERY, all_files, create, shown_files, until


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    started = Hub.served(tmp_path / "hub")
    yield started
    started.kill()


def results_pids(hub: Hub) -> list[int]:
    """The hub's results processes that live."""
    children = Path(f"/proc/{hub.process.pid}/task").glob("*/children")
    pids = {int(pid) for task in children for pid in task.read_text().split()}
    return [pid for pid in pids if b"hub.results.worker" in command_of(pid)]


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_files_are_made_by_a_process_that_lets_everybody_else_go_first(
    hub: Hub, tmp_path: Path
) -> None:
    create(hub)
    until(all_files(tmp_path))
    (pid,) = results_pids(hub)
    assert os.getpriority(os.PRIO_PROCESS, pid) > 0
    assert os.getsid(pid) == pid, "Ctrl-C at the hub does not reach it"


def test_a_killed_results_process_is_started_again(hub: Hub, tmp_path: Path) -> None:
    create(hub)
    until(all_files(tmp_path))
    (first,) = results_pids(hub)
    os.kill(first, signal.SIGKILL)
    create(hub, name="other")
    until(all_files(tmp_path, "other"))
    (second,) = results_pids(hub)
    assert second != first
    assert hub.stop()[0] == 0


def test_a_hub_that_stops_writes_what_is_owed_first(hub: Hub, tmp_path: Path) -> None:
    for number in range(5):
        create(hub, name=f"digits-{number}")
    code, told = hub.stop()
    assert code == 0, told
    assert all(all_files(tmp_path, f"digits-{number}")() for number in range(5))


def test_a_stuck_process_neither_keeps_a_hub_that_stops_nor_looks_like_an_error(
    hub: Hub, tmp_path: Path
) -> None:
    create(hub)
    until(all_files(tmp_path))
    (pid,) = results_pids(hub)
    os.kill(pid, signal.SIGSTOP)
    create(hub, name="other")
    code, told = hub.stop()
    assert code == 0
    assert not command_of(pid)
    assert told.count("made at the next start") == 1
    assert "the results files of other are older" in told
    assert "trying again" not in told
    assert "Traceback" not in told
    assert "ERROR" not in told


def test_a_killed_hub_takes_its_results_process_along(hub: Hub, tmp_path: Path) -> None:
    """The end of its input ends it; the next hub makes what is missing."""
    create(hub)
    until(all_files(tmp_path))
    (pid,) = results_pids(hub)
    (tmp_path / "hub" / "results" / "digits" / "report.html").unlink()
    hub.kill()
    until(lambda: not command_of(pid))
    again = Hub.served(tmp_path / "hub")
    try:
        until(all_files(tmp_path))
    finally:
        again.kill()


def test_a_folder_in_the_way_is_told_and_tried_again(hub: Hub, tmp_path: Path) -> None:
    results = tmp_path / "hub" / "results"
    results.mkdir(exist_ok=True)
    (results / "digits").write_text("in the way")
    create(hub)
    create(hub, name="other")
    until(all_files(tmp_path, "other"))
    (results / "digits").unlink()
    until(all_files(tmp_path))
    code, told = hub.stop()
    assert code == 0
    assert f"{results / 'digits'}: " in told
    assert "tried again" in told


def test_the_same_files_are_read_from_elsewhere_with_nothing_but_a_url(
    hub: Hub, tmp_path: Path
) -> None:
    """As `pandas.read_csv(url, storage_options={"Authorization": ...})` does."""
    create(hub)
    until(all_files(tmp_path))
    made = hub.operate("POST", "/v1/tokens", {"name": "eyes", "scope": "viewer"}).json()

    def read(path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        named = {"Authorization": f"Bearer {made['token']}", **headers}
        request = urllib.request.Request(f"{hub.url}/results/digits/{path}", headers=named)
        with urllib.request.urlopen(request) as answer:
            return answer.status, dict(answer.headers), answer.read()

    listed = json.loads(read("")[2])["files"]
    assert [file["path"] for file in listed] == EVERY
    folder = tmp_path / "hub" / "results" / "digits"
    for path in EVERY:
        assert read(path)[2] == (folder / path).read_bytes()
    _, headers, content = read("classes.csv")
    assert headers["content-type"].startswith("text/csv")
    assert list(csv.DictReader(io.StringIO(content.decode()))) == []
    with pytest.raises(urllib.error.HTTPError, match="304"):
        read("classes.csv", **{"If-None-Match": headers["etag"]})


class RealWriter:
    """A writer with the real process over a real store, on this test's thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        clock = SystemClock()
        data = folder / "data"
        self.folders = Folders(data / "parts", data / "names", folder / "results")
        self.store = Store(folder / "hub.db", clock)
        self.platform = Platform(folder / "data", folder / "results", clock)
        self.process = ResultsProcess(folder / "hub.db", self.folders)
        self.writer = ResultsWriter(self.store, self.platform, self.process, "1")
        self.store.write(lambda tx: self.platform.create(tx, make_settings())).result()

    def close(self) -> None:
        self.process.close()
        self.store.close()


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealWriter]:
    made = RealWriter(tmp_path)
    yield made
    made.close()


def test_what_the_disk_refuses_arrives_as_such(real: RealWriter) -> None:
    (real.folder / "results").write_text("in the way")
    with pytest.raises(StoreError, match=r"results.*: (Not a directory|File exists)"):
        real.writer.step()
    (real.folder / "results").unlink()
    real.writer.step()
    assert shown_files(real.folder / "results" / "digits") == EVERY


def test_a_full_disk_leaves_the_files_as_they_were(real: RealWriter) -> None:
    """Half a table must never be seen; /dev/full says what a full disk says."""
    real.writer.step()
    folder = real.folder / "results" / "digits"
    before = (folder / "experiment.json").read_bytes()
    limited = (
        "import resource, sys, runpy;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "sys.argv = ['worker', *sys.argv[1:]];"
        "runpy.run_module('alectio_agent.hub.results.worker', run_name='__main__')"
    )
    process = ResultsProcess(real.folder / "hub.db", real.folders)
    paths = (real.folder / "hub.db", *real.folders.arguments)
    process._lines._command = (sys.executable, "-c", limited, *map(str, paths))
    (folder / "experiment.json").write_text("older and other")
    with pytest.raises(StoreError, match="File too large"):
        process.ask({"op": "data", "name": "digits"})
    assert (folder / "experiment.json").read_text() == "older and other"
    assert shown_files(folder) == EVERY
    process.close()
    real.process.ask({"op": "data", "name": "digits"})
    assert (folder / "experiment.json").read_bytes() == before


def test_a_closed_process_is_told_as_such(real: RealWriter) -> None:
    real.process.close()
    with pytest.raises(ResultsClosedError):
        real.process.ask({"op": "data", "name": "digits"})


def test_a_resting_process_comes_back_when_it_is_asked(real: RealWriter) -> None:
    real.writer.step()
    real.process.rest()
    real.process.rest()
    assert real.process.ask({"op": "report", "name": "digits"}) == {}


def test_a_request_that_cannot_be_done_leaves_the_process_alive(real: RealWriter) -> None:
    with pytest.raises(ResultsError, match="nothing"):
        real.process.ask({"op": "data", "name": "nothing"})
    assert real.process.ask({"op": "data", "name": "digits"})["state"] == "running"


def test_the_database_is_read_only_for_it(real: RealWriter) -> None:
    read = HubReader(real.folder / "hub.db")
    with pytest.raises(StoreError, match=r"readonly|read-only|query_only"):
        read(lambda tx: tx.exec_driver_sql("DELETE FROM experiments"))
    assert real.store.read(real.platform.list).result().experiments


def test_a_hub_that_writes_is_not_waited_for(real: RealWriter) -> None:
    with sqlite3.connect(real.folder / "hub.db", isolation_level=None) as writing:
        writing.execute("BEGIN IMMEDIATE")
        assert real.process.ask({"op": "data", "name": "digits"})["state"] == "running"
        writing.execute("ROLLBACK")
    writing.close()


def test_a_locked_database_is_an_error_for_another_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_S", 0.0)
    store = Store(tmp_path / "hub.db", SystemClock())
    store.close()
    locking = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    locking.execute("PRAGMA journal_mode=DELETE")
    locking.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="another process holds it"):
        HubReader(tmp_path / "hub.db")(lambda tx: None)
    locking.close()


def test_a_program_that_was_changed_under_the_hub_touches_nothing(
    real: RealWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SCHEMA", 999)
    with pytest.raises(StoreVersionError, match="this version expects 999"):
        HubReader(real.folder / "hub.db")(lambda tx: None)


def test_every_kind_of_disk_trouble_is_known_on_the_other_side() -> None:
    assert {"StoreError", "StoreBusyError", "StoreVersionError"} == set(results_process._KINDS)


def test_a_million_rows_pass_through_little_memory(tmp_path: Path) -> None:
    """Parts are read one at a time: what is large must not be in memory as a whole."""
    rows = np.zeros((20_000, 10), "<f4")
    for number in range(10):
        with (tmp_path / f"{number}").open("wb") as file:
            np.savez(file, index=np.arange(20_000) + number * 20_000, logits=rows)
    # Not ru_maxrss: that begins with the parent's.
    code = (
        "import re, sys; from pathlib import Path;"
        "from alectio_agent.hub.results.arrays import check_parts, write_parts;"
        "parts = [Path(sys.argv[1], str(number)) for number in range(int(sys.argv[2]))];"
        "write_parts(parts, check_parts(parts), open(Path(sys.argv[1], 'made'), 'w+b'));"
        "print(re.search('VmHWM:[^0-9]*([0-9]+)', Path('/proc/self/status').read_text())[1])"
    )
    peaks = [
        int(subprocess.check_output([sys.executable, "-c", code, str(tmp_path), str(parts)]))
        for parts in (1, 10)
    ]
    assert peaks[1] - peaks[0] < 4000, "in kB; nine more parts hold 8,600"
