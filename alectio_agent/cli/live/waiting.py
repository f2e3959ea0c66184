"""Why nothing happens, or what is wrong, and what somebody has to do."""

from datetime import timedelta

from rich.text import Text

from alectio_agent.agent.service.snapshot import StopState
from alectio_agent.agent.service.stop_plan import StopMode
from alectio_agent.cli.experiment_outcome import labels_export
from alectio_agent.cli.experiment_table import problems
from alectio_agent.cli.live.rows import join, plain
from alectio_agent.cli.live.scene import Scene
from alectio_agent.cli.live.words import moment, roughly, spent
from alectio_agent.wire.operation import ExperimentView

CTRL_C: dict[StopMode, str] = {
    "finish": "Ctrl-C: finish this step, then stop.  Twice: stop now, continue next time.",
    "checkpoint": "Ctrl-C: save a checkpoint, then stop.  Twice: stop now, continue next time.",
    "cancel": "Ctrl-C: stop now, continue next time.  Twice: kill the hook.",
}
"""By what a first stop does."""
CTRL_C_IDLE = "Ctrl-C: stop."
CTRL_C_SHORT: dict[StopMode, str] = {
    "finish": "Ctrl-C: stop after this step. Twice: now",
    "checkpoint": "Ctrl-C: save, then stop. Twice: now",
    "cancel": "Ctrl-C: stop now, continue next time",
}


def state_rows(scene: Scene) -> list[Text]:
    """What somebody should know before anything else; usually nothing.

    Args:
        scene: What there is.
    """
    rows = [*_platform(scene)]
    if scene.agent.held_back:
        rows.append(join(Text("takes no job: ", "yellow"), plain(scene.agent.held_back)))
    view = scene.running
    if view is not None:
        rows += _experiment(view, is_held_back=bool(scene.agent.held_back))
        if scene.is_over:
            return [*rows, Text(f"{view.state}; waits for more work")]
        if not rows and scene.job is None and scene.agent.state != "stopping":
            rows += _between(view)
    return rows


def _platform(scene: Scene) -> list[Text]:
    contact, now_s = scene.agent.contact, scene.agent.at_s
    if contact.silent_s is not None:
        passed_s = now_s - contact.silent_s
        since = moment(scene.now - timedelta(seconds=passed_s), scene.now)
        what = Text(f"platform unreachable since {since} ({roughly(passed_s)}): ", "yellow")
        kept = Text(". Results are kept and sent later")
        return [join(what, plain(contact.reason), kept)]
    if scene.agent.trouble:
        return [plain(scene.agent.trouble, "red")]
    return [plain(f"{name}: {why}", "yellow") for name, why in scene.agent.failing.items()]


def _experiment(view: ExperimentView, *, is_held_back: bool) -> list[Text]:
    if view.state == "paused":
        return [
            Text("paused", "yellow").append(
                f". Go on: alectio-agent experiment resume {view.name}", "default"
            )
        ]
    if view.state == "waiting":
        told = problems(view) or [view.reason]
        retry = f"Go on: alectio-agent experiment retry {view.name}"
        rows = [plain(line, "red") for line in told]
        is_said = any("alectio-agent" in line for line in told)
        return rows if is_said else [*rows, Text(retry)]
    if view.waits_for:
        said = join(Text("waits for ", "yellow"), plain(view.waits_for))
        if view.loops and view.loops[-1].state == "labelling":
            return [said, Text(f"Go on: {labels_export(view.name, view.loops[-1].loop)}")]
        # An agent is waited for: this one, as far as anybody here knows, and it has said why.
        return [] if is_held_back else [said]
    return []


def _between(view: ExperimentView) -> list[Text]:
    """No job is in hand, and nothing is wrong."""
    if view.state != "running":
        return []
    selecting = [loop for loop in view.loops if loop.state == "selecting"]
    if selecting:
        return [Text(f"the samples of loop {selecting[-1].loop} are being chosen")]
    if view.loops and view.loops[-1].state != "done":
        return [Text(f"loop {view.loops[-1].loop} comes next")]
    return [Text("the next loop is being made")]


def stop_row(scene: Scene, width: int) -> Text:
    """What Ctrl-C does now.

    Args:
        scene: What there is.
        width: Columns.
    """
    agent = scene.agent
    steps = [mark for job in agent.jobs for mark in job.steps if mark.state == "running"]
    if agent.stops.asked and steps:
        began_s = min(mark.began_s or agent.at_s for mark in steps)
        these = "this step" if len(steps) == 1 else f"{len(steps)} steps"
        return Text(_stopping(agent.stops, these, began_s, agent.at_s), "yellow")
    if agent.state == "stopping":
        waits = f", {agent.unsent.messages} results wait" if agent.unsent.messages else ""
        return Text(f"stopping: what is left is being sent{waits}", "yellow")
    if _has_no_step(scene):
        return Text(CTRL_C_IDLE, "dim")
    told = CTRL_C[agent.stops.when_stopped]
    short = CTRL_C_SHORT[agent.stops.when_stopped]
    return Text(told if width >= len(told) else short, "dim")


def _stopping(stops: StopState, these: str, began_s: float, now_s: float) -> str:
    """What becomes of the step that runs, and what is still to be typed."""
    if stops.asked > 2:
        return "killing the running step"
    if stops.asked == 2:
        return "stopping the running step now. Ctrl-C again: kill it"
    mode = stops.plan.mode if stops.plan else stops.when_stopped
    time = f"{spent(now_s - began_s)} so far"
    if stops.ends_s is not None:
        time = f"{roughly(max(0.0, stops.ends_s - now_s))} left"
    if stops.plan is not None and stops.plan.is_shutdown:
        return f"the machine goes down: asked to save and end ({time})"
    if mode == "checkpoint":
        return f"the hook is asked to save and end ({time}). Ctrl-C again: stop now"
    return f"finishing {these} ({time}). Ctrl-C again: stop now, continue next time"


def _has_no_step(scene: Scene) -> bool:
    """Whether there is no step to be finished, and none comes by itself in a moment."""
    view = scene.running
    if scene.agent.jobs:
        return False
    if view is None or scene.is_over or scene.agent.held_back:
        return True
    return view.state in ("paused", "waiting") or bool(view.waits_for)
