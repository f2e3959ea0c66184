"""The life of a hook process: load once, then run step after step until the agent says `end`."""

from __future__ import annotations

import os
import sys
import time
from array import array
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

from alectio_agent.agent.hooks.child.choosing import Start
from alectio_agent.agent.hooks.child.failures import tell_failure, tell_left, was_left
from alectio_agent.agent.hooks.child.guard import guard
from alectio_agent.agent.hooks.child.helpers import REPORTS
from alectio_agent.agent.hooks.child.infer_result import check_infer
from alectio_agent.agent.hooks.child.link import Link
from alectio_agent.agent.hooks.child.loading import Hooks, load_hooks
from alectio_agent.agent.hooks.child.ownership import OwnFiles
from alectio_agent.agent.hooks.child.parts import PartWriter, store
from alectio_agent.agent.hooks.child.prints import flush_prints, forgive_full_disks, print_to
from alectio_agent.agent.hooks.child.provenance import plain_args, tell_interpreter
from alectio_agent.agent.hooks.child.record_names import write_names
from alectio_agent.agent.hooks.child.results import Asked, Notice, Result
from alectio_agent.agent.hooks.child.seeding import derive_seed, seed_all
from alectio_agent.agent.hooks.child.standins import Pipeline, install_standins
from alectio_agent.agent.hooks.child.step_memory import Peaks, begin_peak
from alectio_agent.agent.hooks.child.tested_result import check_test
from alectio_agent.agent.hooks.child.train_result import check_train

DISK_WAIT_S = 5.0


def serve(commands: int, reports: int, agent: int) -> None:
    """Obey the agent until it says `end`.

    Args:
        commands: File descriptor to read from.
        reports: File descriptor to write to.
        agent: Process id of the agent.
    """
    guard(agent)
    # No caches beside the user's files: the folder may be read-only, and a file that was edited
    # twice within a second would be taken from an outdated one.
    sys.dont_write_bytecode = True
    forgive_full_disks()
    session = Session(Link(commands, reports))
    while session.obey():
        pass


class Session:
    """One pipeline and one experiment in this process."""

    def __init__(self, link: Link) -> None:
        """Wait for the first command.

        Args:
            link: To the agent.
        """
        self._link = link
        self._pid = os.getpid()
        self._hooks = Hooks({}, {})
        self._own = OwnFiles([])
        self._folder = ""
        self._said: set[str] = set()
        self._peaks = Peaks()
        self._kept: Any = None

    def obey(self) -> bool:
        """Do what the next command says, and report how it ended.

        Returns:
            False when there is nothing more to do.
        """
        command = self._link.next_command()
        work = {"load": self._load, "step": self._step, "state": self._state}.get(command["do"])
        if work is None:
            return False
        if not command["debug"]:
            print_to(command["log_file"])
        try:
            told = work(command)
        except BaseException as error:  # around user code: exits and interrupts end a step only
            told = self._tell(error, command)
            if command["debug"] and "traceback" in told:
                self._debug(error)
        self._stay_alone()
        REPORTS.connect(None)
        flush_prints()
        self._link.report(told.pop("report", "done"), **told, files=self._own.imported())
        self._kept = None  # freeing a million rows takes long: the agent need not wait for it
        return True

    def _load(self, command: dict[str, Any]) -> dict[str, Any]:
        os.environ.update(command["environment"])
        self._folder = command["cwd"]
        self._own = OwnFiles(command["folders"])
        # The folder of the hooks' file comes second, as Python would have it for a script.
        start = Start(**command["start"]) if command["start"] is not None else None
        is_module = start is not None and start.module is not None
        first = dict.fromkeys([self._folder, *([] if is_module else command["folders"])])
        sys.path[:] = [*first, *(entry for entry in sys.path if entry not in first)]
        registered: list[Pipeline] = []
        install_standins(registered)
        seed_all(derive_seed(*command["seeding"]))
        sys.argv = [command["script"] or "hooks", *command["argv"]]
        self._hooks = load_hooks(
            command["hooks"], registered, command["script"], command["pipeline"], start
        )
        return {
            "forms": {step: hook.form for step, hook in self._hooks.by_step.items()},
            "interpreter": tell_interpreter(),
        }

    def _step(self, command: dict[str, Any]) -> dict[str, Any]:
        step: str = command["step"]
        os.chdir(self._folder)
        seed_all(derive_seed(*command["seeding"]))
        REPORTS.connect(lambda **said: self._link.report("progress", **said))
        # A copy: the hook may change its own list.
        unlabeled = array("q", command["payload"].get("unlabeled", ()))
        asked = Asked(**command["asked"], unlabeled=unlabeled)
        payload = self._payload(command)
        args = plain_args(payload["args"])  # before the hook can change them
        if command["measured"]:
            begin_peak()
        start_s = time.monotonic()
        returned = self._hooks.by_step[step].call(payload)
        duration_s = time.monotonic() - start_s
        self._stay_alone()
        memory = self._peaks.of(step, duration_s) if command["measured"] else {}
        result = _check(step, returned, asked)
        self._kept = (returned, result)
        writer = PartWriter(
            Path(command["folder"]),
            self._wait_for_disk,
            lambda part: self._link.report("part", part=part),
        )
        stored = store(result, writer)
        warnings = self._warnings(result.notices)
        return {**stored, **memory, "duration_s": duration_s, "warnings": warnings, "args": args}

    def _state(self, command: dict[str, Any]) -> dict[str, Any]:
        seed_all(derive_seed(*command["seeding"]))
        returned = self._hooks.by_step["state"].call(self._payload(command))
        return {"size": write_names(returned, Path(command["file"]))}

    def _payload(self, command: dict[str, Any]) -> dict[str, Any]:
        """Everything that a hook may know; made anew for each step, since hooks may change it."""
        payload: dict[str, Any] = command["payload"]
        if payload.get("labels") is not None:
            # Keys of JSON are text.
            payload["labels"] = {int(index): label for index, label in payload["labels"].items()}
        payload["args"] = {**self._hooks.args, **command["args"]}
        return payload

    def _tell(self, error: BaseException, command: dict[str, Any]) -> dict[str, Any]:
        if command["debug"] and was_left(error):
            return {"report": "failed", **tell_left(error, self._own)}
        told = tell_failure(error, self._own, loading=command["do"] == "load")
        if told.get("traceback"):
            # User code may have closed or replaced the stream.
            with suppress(Exception):
                sys.stderr.write(told["traceback"])
        return {"report": "failed", **told}

    def _debug(self, error: BaseException) -> None:
        from alectio_agent.agent.hooks.child.debugging import open_debugger

        # Whatever happens in there: the step has failed already, and is reported as it failed.
        with suppress(BaseException):
            open_debugger(error, self._own)

    def _warnings(self, notices: tuple[Notice, ...]) -> list[str]:
        told = [n for n in notices if not (n.is_once and n.kind in self._said)]
        self._said.update(notice.kind for notice in told)
        return [notice.text for notice in told]

    def _wait_for_disk(self, path: Path, error: OSError) -> None:
        said = {"path": str(path), "errno": error.errno, "reason": error.strerror}
        self._link.report("waits", **said)
        Event().wait(DISK_WAIT_S)

    def _stay_alone(self) -> None:
        """End a copy of this process that user code forked and let come back here."""
        if os.getpid() != self._pid:
            os._exit(0)


def _check(step: str, returned: Any, asked: Asked) -> Result:
    if step == "train":
        return check_train(returned, asked)
    return check_test(returned, asked) if step == "test" else check_infer(returned, asked)
