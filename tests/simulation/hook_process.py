"""Hook processes of a machine: they may outlive the agent that started them."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alectio_agent.agent.journal.rows import Group
from alectio_agent.core.ids import new_id

MARK = "simulated"


@dataclass(eq=False)
class HookProcess:
    """One process that runs user code."""

    pgid: int
    marker: str
    slot: int = 0
    is_alive: bool = False
    """Whether it runs user code, which begins only once its group is journalled."""


@dataclass
class Processes:
    """All that live on a machine."""

    living: list[HookProcess] = field(default_factory=list)
    count: int = 0

    def start(self, slot: int) -> HookProcess:
        """A new process, which runs nothing yet."""
        self.count += 1
        return HookProcess(self.count, f"{MARK}.{new_id()}", slot)

    def release(self, process: HookProcess) -> None:
        """Let it run user code: its group is remembered."""
        process.is_alive = True
        self.living.append(process)

    def end(self, process: HookProcess) -> None:
        """End one."""
        process.is_alive = False
        if process in self.living:
            self.living.remove(process)

    def end_group(self, group: Group) -> None:
        """As a starting agent ends what was left behind: only what carries its marker."""
        for process in list(self.living):
            if process.pgid == group.pgid and process.marker == group.marker:
                self.end(process)

    def end_all(self) -> None:
        """The machine stops."""
        for process in list(self.living):
            self.end(process)


def checkpoint_bytes(train_run: str) -> bytes:
    """A checkpoint that says which train run wrote it, and shows when it is torn."""
    said = json.dumps({"train": train_run, "weights": "w" * 200}).encode()
    return hashlib.sha256(said).hexdigest().encode() + said


def read_checkpoint(file: Path) -> str | None:
    """The train run that wrote a checkpoint; None when it is torn, or not there."""
    content = file.read_bytes() if file.is_file() else b""
    digest, said = content[:64], content[64:]
    if hashlib.sha256(said).hexdigest().encode() != digest:
        return None
    return str(json.loads(said)["train"])


def rows_of(step: str, samples: list[int], run: str, train: str) -> list[list[Any]]:
    """The rows of a result: each says which run made it, from which train run."""
    if step == "test":
        return [[index, [run, train]] for index in range(3)]
    return [[index, {"run": run, "train": train}] for index in samples]
