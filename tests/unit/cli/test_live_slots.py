"""The live view of an agent with several jobs in hand."""

from pathlib import Path

import pytest

from alectio_agent.agent.jobs.step_marks import StepMark
from alectio_agent.agent.service.snapshot import AgentSnapshot, JobInHand, StopState
from alectio_agent.cli.live.glyphs import ASCII
from alectio_agent.cli.live.source import HookLines
from tests.support.scenes import (
    NOW_S,
    drawn,
    make_agent,
    make_job,
    make_scene,
    make_view,
)

TWO = """\
alectio-agent 1.0.0   gpu01   hub: https://alectio.example.org
2 jobs side by side                                          running 1 h 42 min
-------------------------------------------------------------------------------
 chest-xray   loop 3 of 10
 train [###############.........]  13/20  loss 0.214                 6 min left
 test  next
 infer next
 reviews   loop 0 of 5   attempt 2
 train done in 1 min 10 s
 test                                                               12 s so far
 from the hook (all of it: alectio-agent logs -f)
   reviews/0: 120 of 200 texts
-------------------------------------------------------------------------------
contact 2 s ago | outbox empty | 1.2 MiB sent | 412 GiB free
Ctrl-C: finish this step, then stop.  Twice: stop now, continue next time."""
SHORT = """\
2 jobs side by side                                          running 1 h 42 min
 chest-xray/3 train [#############.......]  13/20  loss 0.214        6 min left
 reviews/0    test                                                  12 s so far
Ctrl-C: finish this step, then stop.  Twice: stop now, continue next time."""


def reviews(**members: object) -> JobInHand:
    """A second job, which tests."""
    steps = (StepMark("train", "done", NOW_S - 90, 70.0), StepMark("test", "running", NOW_S - 12))
    return make_job(job="reviews/0", experiment="reviews", loop=0, loops=5, attempt=2, steps=steps,
                    noted=None, **members)  # fmt: skip


def two(**members: object) -> AgentSnapshot:
    return make_agent(jobs=(make_job(), reviews()), **members)


def alone(agent: AgentSnapshot, rows: int = 24) -> str:
    """What an agent shows whose platform is elsewhere."""
    scene = make_scene(view=None, agent=agent, hub="https://alectio.example.org", glyphs=ASCII,
                       hook_lines=("reviews/0: 120 of 200 texts",))  # fmt: skip
    return drawn(scene, rows=rows)


def test_each_job_in_hand_has_a_block_of_its_own() -> None:
    assert alone(two()) == TWO


def test_where_there_is_little_room_each_job_has_a_row() -> None:
    assert alone(two(), 5) == SHORT


@pytest.mark.parametrize("rows", range(2, 24))
def test_no_window_is_too_small(rows: int) -> None:
    assert len(alone(two(), rows).splitlines()) < rows


def test_a_control_beside_its_experiment_stands_below_it() -> None:
    control = make_view(
        [{"loop": 0, "state": "running", "labels": 100, "chosen_by": "random"}],
        name="chest-xray-control", control_of="chest-xray",
    )  # fmt: skip
    job = make_job(experiment="chest-xray-control", job="chest-xray-control/0", loop=0)
    agent = make_agent(jobs=(make_job(), job))
    shown = drawn(make_scene(control=control, agent=agent, glyphs=ASCII), rows=40)
    assert "\nchest-xray   loop 3 of 10" in shown
    below = shown[shown.index("infer next") :]
    assert " chest-xray-control   loop 0 of 10\n train [" in below


def test_a_stop_says_how_many_steps_it_waits_for() -> None:
    shown = alone(two(stops=StopState(1), state="stopping"))
    assert "finishing 2 steps (11 min 0 s so far). Ctrl-C again: stop now" in shown


def test_what_holds_jobs_back_is_said() -> None:
    held = "/state (agent.state_dir) has 9.8 GiB free"
    assert f" takes no job: {held}\n" in alone(make_agent(held_back=held))


def test_lines_of_several_hooks_say_whose_they_are(tmp_path: Path) -> None:
    red, blue = tmp_path / "red.log", tmp_path / "blue.log"
    red.write_text("epoch 1\n")
    lines = HookLines()
    lines.look({red: "red/0"})
    assert lines.shown == ("epoch 1",)
    blue.write_text("loading")
    lines.look({red: "red/0", blue: "blue/0"})
    assert lines.shown == ("red/0: epoch 1", "blue/0: loading")
    lines.look({blue: "blue/0"})
    assert lines.shown[-1] == "loading"
    lines.look({blue: "blue/0", tmp_path / "next.log": "red/1"})
    assert lines.shown == ("blue/0: loading",), "what a job printed goes when the next begins"
