"""Why nothing happens, or what is wrong, and what somebody has to do."""

from datetime import timedelta

from rich.text import Text

from alectio_agent.cli.experiment_outcome import labels_export
from alectio_agent.cli.experiment_table import problems
from alectio_agent.cli.live.rows import join, plain
from alectio_agent.cli.live.scene import Scene
from alectio_agent.cli.live.words import moment, roughly, spent
from alectio_agent.wire.operation import ExperimentView

CTRL_C = "Ctrl-C: finish this step, then stop.  Twice: stop now, continue next time."
CTRL_C_IDLE = "Ctrl-C: stop."
CTRL_C_SHORT = "Ctrl-C: stop after this step. Twice: now"


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
        rows += _experiment(view)
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


def _experiment(view: ExperimentView) -> list[Text]:
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
        return [said]
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
    if agent.stops_asked > 2:
        return Text("killing the running step", "yellow")
    if agent.stops_asked == 2:
        return Text("stopping the running step now. Ctrl-C again: kill it", "yellow")
    steps = [mark for job in agent.jobs for mark in job.steps if mark.state == "running"]
    if agent.stops_asked == 1 and steps:
        so_far = spent(agent.at_s - min(mark.began_s or agent.at_s for mark in steps))
        these = "this step" if len(steps) == 1 else f"{len(steps)} steps"
        told = f"finishing {these} ({so_far} so far). "
        return Text(told + "Ctrl-C again: stop now, continue next time", "yellow")
    if agent.state == "stopping":
        waits = f", {agent.unsent.messages} results wait" if agent.unsent.messages else ""
        return Text(f"stopping: what is left is being sent{waits}", "yellow")
    if _has_no_step(scene):
        return Text(CTRL_C_IDLE, "dim")
    return Text(CTRL_C if width >= len(CTRL_C) else CTRL_C_SHORT, "dim")


def _has_no_step(scene: Scene) -> bool:
    """Whether there is no step to be finished, and none comes by itself in a moment."""
    view = scene.running
    if scene.agent.jobs:
        return False
    if view is None or scene.is_over or scene.agent.held_back:
        return True
    return view.state in ("paused", "waiting") or bool(view.waits_for)
