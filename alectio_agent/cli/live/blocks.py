"""The steps of all jobs in hand: those of the experiment above first, then a block for each other.

With one job, or none, that is nothing but its steps.
"""

from dataclasses import replace

from rich.text import Text

from alectio_agent.agent.service.snapshot import JobInHand
from alectio_agent.cli.live.rows import fit, join, plain
from alectio_agent.cli.live.scene import Scene
from alectio_agent.cli.live.steps import running_row, step_rows

GAP = "   "
WIDEST_NAME = 20
"""Columns of a job's name where it has one row."""


def block_rows(scene: Scene, width: int) -> list[Text]:
    """All rows of the jobs beside that of the experiment above.

    Args:
        scene: What there is.
        width: Columns.

    Returns:
        For each its name, and its steps.
    """
    rows = []
    for job in _others(scene):
        rows += [fit(_name(job), width, scene.glyphs), *step_rows(_alone(scene, job), width)]
    return rows


def short_rows(scene: Scene, steps: list[Text], width: int) -> list[Text]:
    """One row for each job, where there is no room for more: the step that runs.

    Args:
        scene: What there is.
        steps: Of the experiment above.
        width: Columns.
    """
    rows = running_row(steps, scene)[:1] if steps else []
    others = _others(scene)
    names = {job.job: fit(plain(f" {job.job}"), WIDEST_NAME, scene.glyphs) for job in others}
    column = max((name.cell_len for name in names.values()), default=0)
    for job in others:
        alone, name = _alone(scene, job), names[job.job]
        gap = " " * (column - name.cell_len)
        found = running_row(step_rows(alone, width - column), alone)[:1]
        rows.append(join(name, gap, *found))
    return rows


def _others(scene: Scene) -> list[JobInHand]:
    return [job for job in scene.agent.jobs if job is not scene.job]


def _name(job: JobInHand) -> Text:
    again = f"{GAP}attempt {job.attempt}" if job.attempt > 1 else ""
    return join(plain(f" {job.experiment}", "bold"), f"{GAP}loop {job.loop} of {job.loops}{again}")


def _alone(scene: Scene, job: JobInHand) -> Scene:
    """The same moment as if there were no other job."""
    views = [view for view in (scene.view, scene.control) if view and view.name == job.experiment]
    agent = replace(scene.agent, jobs=(job,))
    return replace(scene, agent=agent, view=views[0] if views else None, control=None)
