"""The steps of the loop in hand: done, running with a bar, or next."""

from dataclasses import dataclass

from rich.text import Text

from alectio_agent.agent.jobs.step_marks import Noted, StepMark
from alectio_agent.agent.service.snapshot import JobInHand
from alectio_agent.cli.live.bars import bar, counted, share_done
from alectio_agent.cli.live.rows import fit, join, spread
from alectio_agent.cli.live.scene import Scene
from alectio_agent.cli.live.times import STEPS, History, step_left, steps_of
from alectio_agent.cli.live.words import roughly, spent
from alectio_agent.core.units import format_duration
from alectio_agent.wire.claims import Step
from alectio_agent.wire.operation import LoopView

WIDEST = 90
"""Columns of a row: what belongs together stands together."""
NAME_WIDTH = 7
"""` train` and a space before what is said of it."""


@dataclass(frozen=True)
class _Loop:
    """What is known of the loop in hand."""

    marks: dict[Step, StepMark]
    seconds: dict[str, float]
    labels: int
    history: History | None
    asked: tuple[Step, ...]


def step_rows(scene: Scene, width: int) -> list[Text]:
    """A row for each step of the loop in hand.

    Args:
        scene: What there is.
        width: Columns.

    Returns:
        Nothing when there is no such loop.
    """
    loop = _loop(scene)
    if loop is None:
        return []
    # The platform said what it asks for; what it did not ask for may be done, or may never come.
    shown = [step for step in STEPS if step in {*loop.asked, *loop.marks, *loop.seconds}]
    return [fit(_row(scene, loop, step, width), width, scene.glyphs) for step in shown]


def running_row(rows: list[Text], scene: Scene) -> list[Text]:
    """The rows that are kept when there is room for one.

    Args:
        rows: Of all steps.
        scene: Tells which step runs.
    """
    if scene.job is None:
        return rows[:1]
    names = [mark.step for mark in scene.job.steps if mark.state == "running"]
    return [row for row in rows if row.plain.split()[0] in names] or rows[:1]


def _loop(scene: Scene) -> _Loop | None:
    job, view = scene.job, scene.running
    marks = {mark.step: mark for mark in job.steps} if job else {}
    if view is None:
        return _Loop(marks, {}, 0, None, ()) if job else None
    found = [loop for loop in view.loops if _is_in_hand(loop, job)]
    if not found:
        return None
    last = found[-1]
    asked = steps_of(view, last.loop, last.labels)
    return _Loop(marks, last.seconds, last.labels, History.of(view), asked)


def _is_in_hand(loop: LoopView, job: JobInHand | None) -> bool:
    if job is not None:
        return loop.loop == job.loop
    return loop.state in ("available", "claimed", "running", "waiting")


def _row(scene: Scene, loop: _Loop, step: Step, width: int) -> Text:
    name = Text(f" {step}".ljust(NAME_WIDTH))
    mark = loop.marks.get(step)
    if mark is not None and mark.state == "running":
        name.stylize("bold")
        return _running(scene, loop, mark, name, width)
    if mark is not None and mark.state == "failed":
        return join(name, Text("failed", "red"))
    took_s = mark.took_s if mark is not None and mark.took_s is not None else None
    took_s = loop.seconds.get(step) if took_s is None else took_s
    if took_s is not None:
        return join(name, Text(f"done in {format_duration(took_s)}", "green"))
    if mark is not None and mark.state == "done":
        return join(name, Text("done", "green"))
    last_s = loop.history.last(step) if loop.history else None
    last = "" if last_s is None else f" (last time {format_duration(last_s)})"
    return join(name, Text(f"next{last}", "dim"))


def _running(scene: Scene, loop: _Loop, mark: StepMark, name: Text, width: int) -> Text:
    noted = scene.job.noted if scene.job else None
    now_s = scene.agent.at_s
    expected_s = loop.history.expected(mark.step, loop.labels) if loop.history else None
    passed_s = now_s - (now_s if mark.began_s is None else mark.began_s)
    room = min(max(width // 3, 10), 36)
    share = share_done(noted)
    drawn = Text()
    if share is not None:
        drawn = bar(share, room, scene.glyphs)
    elif expected_s:
        drawn = bar(passed_s / expected_s, room, scene.glyphs, is_guess=True)
    parts = [part for part in (drawn, counted(noted)) if part.plain]
    left = _left(mark, noted, expected_s, now_s)
    said = join(name, join(*parts, between="  "))
    time = Text(left or f"{spent(passed_s)} so far")
    row = spread(said, time, min(width, WIDEST))
    # The time counts more than the numbers of a hook.
    return row if row is not said else spread(join(name, drawn), time, width)


def _left(mark: StepMark, noted: Noted | None, expected_s: float | None, now_s: float) -> str:
    left_s = step_left(mark, noted, expected_s, now_s)
    if left_s is not None:
        return f"{roughly(left_s)} left"
    if expected_s is not None and mark.began_s is not None and share_done(noted) is None:
        return f"{spent(now_s - mark.began_s)}, longer than expected"
    return ""
