"""Scenes of the live view: an experiment in its fourth loop, as drawn in the documentation."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alectio_agent.agent.client.traffic import Contact
from alectio_agent.agent.jobs.step_marks import Noted, StepMark
from alectio_agent.agent.service.snapshot import AgentSnapshot, JobInHand
from alectio_agent.cli.live.scene import Scene
from alectio_agent.cli.live.view import draw
from alectio_agent.wire.operation import ExperimentView
from alectio_agent.wire.results import Progress

NOW_S = 6120.0
"""1 h 42 min after the run began."""
MIX = "diverse_margin 90 %, random 10 %"


def make_loop(number: int, **members: Any) -> dict[str, Any]:
    """A loop that is done: 100 labels more than the one before, 10 minutes after it."""
    return {
        "loop": number,
        "state": "done",
        "labels": 100 * (number + 1),
        "chosen_by": MIX if number else "random",
        "metrics": {"accuracy": 0.7 + 0.02 * number, "macro_f1": 0.68 + 0.02 * number},
        "seconds": {"train": 100.0 + 50 * number, "test": 14.0, "infer": 115.0},
        "done_at": f"2026-01-01T{10 + number // 6:02}:{number % 6 * 10:02}:00.000Z",
        **members,
    }


def make_view(loops: list[dict[str, Any]] | None = None, **members: Any) -> ExperimentView:
    """Three loops done, the fourth runs."""
    current = {"loop": 3, "state": "running", "labels": 400, "chosen_by": MIX}
    return ExperimentView.model_validate(
        {
            "experiment_id": "e1",
            "name": "chest-xray",
            "state": "running",
            "pool": 12000,
            "version": 7,
            "settings": {"name": "chest-xray", "classes": 3, "batch": 100, "loops": 10},
            "created_at": "2026-01-01T09:00:00.000Z",
            "loops": [*(make_loop(n) for n in range(3)), current] if loops is None else loops,
            **members,
        }
    )


def make_job(**members: Any) -> JobInHand:
    """The job of loop 3, training at 13 of 20 for 100 seconds, with half a second an epoch."""
    progress = Progress(done=13, total=20, numbers={"loss": 0.214})
    job = JobInHand(
        job="chest-xray/3",
        experiment="chest-xray",
        loop=3,
        loops=10,
        attempt=1,
        began_s=NOW_S - 660,
        steps=(StepMark("train", "running", NOW_S - 660), StepMark("test"), StepMark("infer")),
        noted=Noted(progress, NOW_S, 1.0, NOW_S - 600),
        log_file=Path("/state/logs/chest-xray-3-a1.log"),
    )
    return replace(job, **members)


def make_agent(**members: Any) -> AgentSnapshot:
    """An agent at that job, or at `job` or `jobs`, all of whose results have arrived."""
    if "job" in members:
        job = members.pop("job")
        members["jobs"] = () if job is None else (job,)
    agent = AgentSnapshot(
        name="gpu01",
        state="working",
        jobs=(make_job(),),
        contact=Contact(1_258_291, NOW_S - 2),
        free_bytes=412 * 2**30,
        at_s=NOW_S,
    )
    return replace(agent, **members)


def make_scene(**members: Any) -> Scene:
    """The agent, the experiment, and a line of the hook."""
    scene = Scene(
        version="1.0.0",
        hub="in the box, http://127.0.0.1:8642",
        agent=make_agent(),
        began_s=0.0,
        now=datetime(2026, 1, 1, 12, 0, tzinfo=UTC),
        view=make_view(),
        hook_lines=("epoch 13 step 260 loss 0.2098",),
    )
    return replace(scene, **members)


def drawn(scene: Scene, columns: int = 80, rows: int = 24) -> str:
    """The view as plain text."""
    return "\n".join(row.plain.rstrip() for row in draw(scene, columns, rows))
