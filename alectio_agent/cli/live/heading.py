"""The lines above: who this is, which experiment, how far."""

from datetime import timedelta

from rich.text import Text

from alectio_agent.cli.live.rows import fit, join, plain, spread
from alectio_agent.cli.live.scene import Scene
from alectio_agent.cli.live.times import experiment_left
from alectio_agent.cli.live.words import moment, roughly, spent

GAP = "   "


def head_row(scene: Scene, width: int) -> Text:
    """Version, name of the agent, hub.

    Args:
        scene: What there is.
        width: Columns.
    """
    name = Text(f"alectio-agent {scene.version}", "bold")
    row = join(name, plain(scene.agent.name), plain(f"hub: {scene.hub}"), between=GAP)
    return fit(row, width, scene.glyphs)


def experiment_row(scene: Scene, width: int) -> Text:
    """The experiment that runs, its loop, its labels; for an agent alone, what it does.

    Args:
        scene: What there is.
        width: Columns.
    """
    passed = spent(scene.agent.at_s - scene.began_s)
    running = Text() if scene.is_over else Text(f"running {passed}")
    row = _agent(scene) if scene.running is None else _experiment(scene)
    return fit(spread(row, running, width), width, scene.glyphs)


def end_row(scene: Scene) -> Text:
    """When the experiment ends; empty while nothing tells.

    Args:
        scene: What there is.
    """
    view = scene.running
    if view is None or view.state != "running":
        return Text()
    if scene.agent.state == "stopping" or scene.agent.held_back:
        return Text()
    steps = scene.job.steps if scene.job else ()
    noted = scene.job.noted if scene.job else None
    left_s = experiment_left(view, steps, noted, scene.agent.at_s)
    if left_s is None:
        return Text()
    what = "control" if view.control_of else "experiment"
    if left_s < 60:
        return Text(f"{what} ends in about {roughly(left_s)}")
    at = moment(scene.now + timedelta(seconds=left_s), scene.now)
    # A target, or an advice, may end it earlier than its last loop.
    latest = " at the latest" if view.settings.stop.target is not None else ""
    return Text(f"{what} ends about {at}{latest}")


def _experiment(scene: Scene) -> Text:
    view = scene.running
    assert view is not None  # noqa: S101 - the caller has looked
    parts = [Text(view.name, "bold")]
    if view.loops:
        parts.append(Text(f"loop {view.loops[-1].loop} of {view.settings.loops}"))
        labels = f"{view.loops[-1].labels:,}"
        of = "" if view.pool is None else f" of {view.pool:,}"
        parts.append(Text(f"{labels}{of} labelled"))
    else:
        parts.append(Text(f"{view.settings.loops} loops"))
    attempt = scene.job.attempt if scene.job else 1
    if attempt > 1:
        parts.append(Text(f"attempt {attempt}", "yellow"))
    return join(*parts, between=GAP)


def _agent(scene: Scene) -> Text:
    if len(scene.agent.jobs) > 1:
        return Text(f"{len(scene.agent.jobs)} jobs side by side")
    job = scene.job
    if job is not None:
        again = f"   attempt {job.attempt}" if job.attempt > 1 else ""
        return join(plain(job.experiment, "bold"), f"{GAP}loop {job.loop} of {job.loops}{again}")
    idle = "takes no job now" if scene.agent.held_back else "waiting for jobs"
    told = {"starting": "reaching the platform", "idle": idle}
    return Text(told.get(scene.agent.state, scene.agent.state))
