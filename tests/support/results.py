"""Results files: without a process, where the writer asks the maker directly; of a real hub."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.results.folders import Folders
from alectio_agent.hub.results.maker import ResultsMaker
from alectio_agent.hub.results.results_process import ResultsError
from alectio_agent.hub.results.writer import ResultsWriter
from tests.support.benches import Bench
from tests.support.hub_process import Hub

PROGRAM = "1"
EVERY = ["classes.csv", "experiment.json", "loops.csv", "report.html", "selected.csv"]
SETTINGS = {
    "name": "digits", "pipeline": "digits", "classes": ['say "=1+1"', "a,\nb"], "batch": 4,
    "loops": 3, "pool": 20, "strategy": "random",
}  # fmt: skip


class DirectMaker:
    """Implements `Maker`; goes through JSON, as the pipes do."""

    def __init__(self, bench: Bench) -> None:
        context = bench.platform.context
        self.maker = ResultsMaker(
            bench.run,
            Folders(context.parts, context.names.folder, context.results),
            PROGRAM,
        )
        self.asked: list[tuple[str, str]] = []
        self.rests = 0
        self.refusals: list[Exception] = []
        self.clock = bench.clock
        self.report_s = 0.0

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((request["op"], request["name"]))
        if self.refusals:
            raise self.refusals.pop(0)
        if request["op"] == "report" and self.report_s:
            self.clock.advance(self.report_s)
        try:
            answer = self.maker.answer(json.dumps(request).encode())
        except StoreError:
            raise
        except Exception as error:
            raise ResultsError(str(error)) from error
        return dict(json.loads(json.dumps(answer)))

    def rest(self) -> None:
        self.rests += 1


def make_writer(bench: Bench, maker: Any = None, program: str = PROGRAM) -> ResultsWriter:
    """A writer on a bench."""
    direct = DirectMaker(bench) if maker is None else maker
    return ResultsWriter(bench.store, bench.platform, direct, program)  # type: ignore[arg-type]


def results_folder(bench: Bench, name: str = "digits") -> Path:
    return bench.folder / "results" / name


def shown_files(folder: Path) -> list[str]:
    """The files that people see, as paths below the folder."""
    found = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return sorted(str(file) for file in found if not file.name.startswith("."))


def create(hub: Hub, **changed: Any) -> None:
    made = hub.operate("POST", "/v1/experiments", {"settings": {**SETTINGS, **changed}})
    assert made.status_code == 200, made.text


def until(what: Callable[[], Any]) -> Any:
    """Wait for the hub, which writes off the path of everything else."""
    pause = threading.Event()
    for _ in range(1200):
        if found := what():
            return found
        pause.wait(0.05)
    raise AssertionError("it did not happen")


def all_files(folder: Path, name: str = "digits") -> Callable[[], bool]:
    return lambda: shown_files(folder / "hub" / "results" / name) == EVERY
