"""Turns what a hook process reports about a failure into the error that the agent handles."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alectio_agent.agent.hooks.child.failures import NO_FILE
from alectio_agent.agent.hooks.elsewhere import Places, find_elsewhere
from alectio_agent.agent.hooks.full_disks import advise_on_disks
from alectio_agent.agent.hooks.limits import Limits, Overrun
from alectio_agent.config.nearest import nearest_file
from alectio_agent.config.pipeline import HookFunctions, PipelineSettings
from alectio_agent.core.errors import (
    CheckpointError,
    HookCrashedError,
    HookError,
    HookInterruptedError,
    HookLoadError,
    HookRaisedError,
    HookResultError,
    HookTimeoutError,
)
from alectio_agent.core.units import format_duration

KEPT = {"test": "train is kept. ", "infer": "train and test are kept. "}


def mend(what: str) -> str:
    """What a person does about a failure.

    Args:
        what: Where it happened: `xray/3 infer`, or something outside of a job.

    Returns:
        The next command to type. It is true while the agent runs, here or for a hub elsewhere;
        an agent with the hub in the box ends at a failure, and `run` is then all it takes.
    """
    experiment, is_job, _ = what.partition("/")
    if not is_job:
        return "Mend it, then run again"
    return (
        f"Mend it, then: alectio-agent experiment retry {experiment} (with the hub in the box: "
        "alectio-agent run)"
    )


@dataclass(frozen=True)
class Scene:
    """Where something failed.

    Attributes:
        what: Such as `xray/3 infer`, or `pipelines.xray state`.
        step: Name of the step; empty outside of one.
        is_debugged: What the hook prints goes to the terminal, not into the log.
        again: What to type once it is mended; empty for the usual words.
    """

    what: str
    step: str
    pipeline_name: str
    pipeline: PipelineSettings
    log_file: Path
    is_debugged: bool = False
    again: str = ""

    @property
    def python_key(self) -> str:
        """The interpreter's key, and whether somebody wrote it."""
        is_set = "python" in self.pipeline.model_fields_set
        key = f"pipelines.{self.pipeline_name}.python"
        return key if is_set else f"{key} is not set"

    @property
    def mend(self) -> str:
        """What is not lost, and what to do."""
        return self.again or f"{KEPT.get(self.step, '')}{mend(self.what)}"

    def in_log(self, what: str) -> str:
        """Where to read more.

        Args:
            what: Such as `The traceback`.
        """
        return f"{what} {'stands above' if self.is_debugged else f'is in {self.log_file}'}"


def to_error(told: Mapping[str, Any], scene: Scene) -> HookError:
    """The error for a report `failed`.

    Args:
        told: Content of the report.
        scene: Where it happened.

    Returns:
        The error, with a message for people.
    """
    kind, message = told["kind"], str(told["message"])
    trace = str(told.get("traceback", ""))
    if kind == "old_python":
        return HookLoadError(
            f"E-HOOK-02  {scene.pipeline.python} is Python {message} ({scene.python_key}); hooks "
            "need 3.9 or newer"
        )
    if kind == "load":
        told_absent = message.endswith(NO_FILE)
        return HookLoadError(f"E-HOOK-03  {_absent(message, scene) if told_absent else message}")
    if kind == "load_raised":
        return _import_failed(told, scene, trace)
    if kind == "left":
        return HookInterruptedError(f"E-RUN-05  the debugger was left at {message}")
    if kind == "stopped":
        return HookInterruptedError(f"{scene.what}: stopped at a checkpoint")
    if kind == "contract":
        text = f"{told['code']}  {scene.what}: {message}. {scene.mend}"
        return HookResultError(text, hint=str(told.get("detail", "")))
    if kind == "checkpoint":
        hint = "The platform has the loop trained once more, from nothing"
        return CheckpointError(message, hint=scene.again or hint, traceback=trace)
    hints = (_advice(told, scene), scene.mend, scene.in_log("The traceback"))
    hint = ". ".join(hint for hint in hints if hint)
    code = "E-HOOK-17" if told.get("cause") == "stopped" else ""
    return HookRaisedError(message, hint=hint, traceback=trace, code=code)


def to_crash(code: int, ending: str, scene: Scene, kill_hint: str = "") -> HookCrashedError:
    """The error for a hook process that ended without a report.

    Args:
        code: Exit code, or minus the signal's number.
        ending: The same for people.
        scene: Where it happened.
        kill_hint: What is known of who killed it; empty when nothing is.
    """
    hints = [scene.in_log("What it printed")]
    if code == -signal.SIGKILL:
        hints.insert(0, kill_hint or "The kernel does this when memory runs out (see `dmesg`)")
    if scene.step and not scene.again:
        hints.append(
            f"It is tried again by itself (`retries`). If that does not help: {mend(scene.what)}"
        )
    return HookCrashedError(f"{scene.what}: the hook process {ending}", hint=". ".join(hints))


def _ended_itself(scene: Scene) -> str:
    """A script that parses its command line, mostly, and was given none."""
    return (
        f"The file ended the process. {scene.in_log('What it printed')}. Arguments that it "
        f"reads from sys.argv go into pipelines.{scene.pipeline_name}.argv"
    )


def to_timeout(overrun: Overrun, limits: Limits, scene: Scene) -> HookTimeoutError:
    """The error for a call that went over a limit.

    Args:
        overrun: Which limit.
        limits: Those of the call.
        scene: Where it happened; outside of a step the limit is that of `test`.
    """
    key = f"pipelines.{scene.pipeline_name}.timeout."
    if overrun == "no_progress":
        key += "no_progress"
        told = f"no progress was reported for {format_duration(limits.no_progress_s or 0)}"
        mend = f"report it with alectio_agent.progress(done, total), or raise {key}"
    else:
        key += scene.step or "test"
        told = f"not done after {format_duration(limits.total_s or 0)}"
        mend = f"raise {key} in agent.yaml (null: no limit)"
    return HookTimeoutError(
        f"E-HOOK-13  {scene.what}: {told} ({key}); the hook process was ended",
        hint=f"If it is only slow, {mend}. {scene.in_log('What it printed')}",
    )


def _absent(message: str, scene: Scene) -> str:
    """The hooks' file is not there: which key names it, and which file was probably meant."""
    key = f"pipelines.{scene.pipeline_name}.hooks"
    if isinstance(scene.pipeline.hooks, HookFunctions):
        key += ".script"
    file = scene.pipeline.hooks_file
    near = nearest_file(file) if file is not None else None
    return f"{key}: {message}{f'. Did you mean {near}?' if near else ''}"


def _advice(told: Mapping[str, Any], scene: Scene) -> str:
    """What else there is to say about an exception that many have met; mostly nothing."""
    cause = told.get("cause")
    if cause == "variable":
        return (
            f"Variables go into pipelines.{scene.pipeline_name}.env, or into the file that "
            f"pipelines.{scene.pipeline_name}.env_file names"
        )
    if cause == "stopped":
        return (
            "Nobody asked it to stop: raise Stopped only when alectio_agent.should_stop() is true"
        )
    if cause == "breakpoint":
        return "Remove breakpoint(), or use: alectio-agent try --pdb"
    return advise_on_disks(told, scene.pipeline, scene.pipeline_name)


def _import_failed(told: Mapping[str, Any], scene: Scene, trace: str) -> HookLoadError:
    module, place = told.get("missing"), told.get("place")
    if not module or not place:
        is_ended = ": SystemExit" in told["message"]
        hint = _ended_itself(scene) if is_ended else _advice(told, scene)
        return HookLoadError(f"E-HOOK-01  {told['message']}", hint=hint, traceback=trace)
    python, key = scene.pipeline.python, f"pipelines.{scene.pipeline_name}.python"
    found = find_elsewhere(module, python, Places((scene.pipeline.cwd,), Path.home()))
    hint = f"Install {module} there, or set {key} to an interpreter that has it"
    if found is not None:
        hint = f"Found {module} in {found.parent.parent}. Set {key}: {found}"
    return HookLoadError(
        f"E-HOOK-01  {place}: not installed in {python} ({scene.python_key}).",
        hint=hint,
        traceback=trace,
    )
