"""The live view at fixed sizes, as plain text."""

from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from alectio_agent.agent.client.traffic import Contact
from alectio_agent.agent.jobs.slot import EndedJob
from alectio_agent.agent.jobs.step_marks import Noted, StepMark
from alectio_agent.agent.journal.unsent import Unsent
from alectio_agent.agent.service.snapshot import StopState
from alectio_agent.agent.service.stop_plan import StopPlan
from alectio_agent.cli.live.glyphs import ASCII, UNICODE, glyphs_for
from alectio_agent.cli.live.view import draw
from alectio_agent.wire.results import Progress
from tests.support.scenes import (
    MIX,
    NOW_S,
    drawn,
    make_agent,
    make_job,
    make_loop,
    make_scene,
    make_view,
)

CURRENT = {"loop": 15, "state": "running", "labels": 1600, "chosen_by": MIX}
LONG = make_view([*(make_loop(n) for n in range(15)), CURRENT])
USUAL = """\
alectio-agent 1.0.0   gpu01   hub: in the box, http://127.0.0.1:8642
chest-xray   loop 3 of 10   400 of 12,000 labelled           running 1 h 42 min
-------------------------------------------------------------------------------
 train [###############.........]  13/20  loss 0.214                 6 min left
 test  next (last time 14 s)
 infer next (last time 1 min 55 s)                  experiment ends about 13:30

 loop  labels  accuracy  macro_f1  train  chosen by
    0     100     0.700     0.680   1:40  random
    1     200     0.720     0.700   2:30  diverse_margin 90 %, random 10 %
    2     300     0.740     0.720   3:20  diverse_margin 90 %, random 10 %
    3     400       ...       ...         diverse_margin 90 %, random 10 %
 accuracy
  0.740                                                        ***************
                                        ***********************
                         ***************
  0.700 *****************
        100                                                          300
 from the hook (all of it: alectio-agent logs -f)
   epoch 13 step 260 loss 0.2098
-------------------------------------------------------------------------------
contact 2 s ago | outbox empty | 1.2 MiB sent | 412 GiB free
Ctrl-C: finish this step, then stop.  Twice: stop now, continue next time."""


def test_the_usual_terminal_shows_all_of_it_in_its_23_rows() -> None:
    """One row stays free for the lines above."""
    shown = drawn(make_scene(glyphs=ASCII)).splitlines()
    wanted = USUAL.splitlines()
    curve = slice(13, 17)  # its shape has a test of its own
    assert (
        shown[: curve.start] + shown[curve.stop :] == wanted[: curve.start] + wanted[curve.stop :]
    )


@pytest.mark.parametrize("columns", [1, 20, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("rows", [1, 2, 6, 10, 20, 24, 40])
def test_no_size_is_overrun(columns: int, rows: int) -> None:
    """A row too many, or one that reaches the last column, would tear the view."""
    shown = draw(make_scene(view=LONG), columns, rows)
    assert len(shown) <= max(1, rows - 1)
    assert all(row.cell_len < max(2, columns) for row in shown)


def test_a_small_window_keeps_the_running_step_and_what_ctrl_c_does() -> None:
    shown = drawn(make_scene(), 40, 5)
    assert "train [" in shown
    assert "6 min left" in shown
    assert "Ctrl-C: stop after this step" in shown


def test_of_many_loops_the_newest_are_shown() -> None:
    shown = drawn(make_scene(view=LONG), 80, 24)
    assert "12 earlier" in shown
    assert "   15   1,600" in shown
    assert "   11   1,200" not in shown


def test_a_wide_terminal_has_the_curve_beside_the_table() -> None:
    shown = drawn(make_scene(view=LONG), 140, 40).splitlines()
    head = next(row for row in shown if "chosen by" in row)
    assert head.endswith("accuracy")


def test_a_narrow_terminal_leaves_out_columns_not_loops() -> None:
    shown = drawn(make_scene(), 44, 24)
    assert "chosen by" not in shown
    assert " loop  labels  accuracy  macro_f1  train" in shown


def test_the_control_has_a_column_and_a_curve_once_it_has_run() -> None:
    control = make_view(
        [make_loop(n, metrics={"accuracy": 0.6 + 0.01 * n}) for n in range(3)],
        name="chest-xray-control", control_of="chest-xray",
    )  # fmt: skip
    shown = drawn(make_scene(control=control))
    assert "    2     300     0.740     0.720    0.620" in shown
    assert "accuracy, control dotted" in shown


def test_a_task_without_the_usual_metrics_shows_those_it_has() -> None:
    loops = [make_loop(n, metrics={"rmse": 0.5 - 0.1 * n, "r2": 0.3}) for n in range(3)]
    shown = drawn(make_scene(view=make_view(loops)))
    assert " loop  labels   rmse     r2  train" in shown
    assert " rmse\n" in shown


def test_nothing_of_the_curve_is_drawn_before_two_loops_are_scored() -> None:
    shown = drawn(make_scene(view=make_view([make_loop(0)])))
    assert "\n accuracy" not in shown


def test_a_step_without_progress_is_measured_by_earlier_loops() -> None:
    """Loop 3 is expected to train for 250 s; 100 s have passed."""
    job = make_job(steps=(StepMark("train", "running", NOW_S - 100),), noted=None)
    shown = drawn(make_scene(agent=make_agent(job=job), glyphs=ASCII))
    assert "train [=========...............]" in shown
    assert "2 min left" in shown


def test_a_step_that_takes_longer_than_expected_says_so_and_is_never_full() -> None:
    job = make_job(steps=(StepMark("train", "running", NOW_S - 300),), noted=None)
    shown = drawn(make_scene(agent=make_agent(job=job), glyphs=ASCII))
    assert "5 min 0 s, longer than expected" in shown
    assert "=.." in shown


def test_the_first_loop_has_only_the_time_so_far() -> None:
    view = make_view([{"loop": 0, "state": "running", "labels": 100, "chosen_by": "random"}])
    job = make_job(loop=0, job="chest-xray/0", noted=None,
                   steps=(StepMark("train", "running", NOW_S - 12),))  # fmt: skip
    shown = drawn(make_scene(view=view, agent=make_agent(job=job)))
    assert "12 s so far" in shown
    assert "ends" not in shown


def test_a_step_kept_from_an_earlier_attempt_is_done() -> None:
    """The platform asks only for what is missing."""
    current = {"loop": 3, "state": "running", "labels": 400, "chosen_by": MIX,
               "seconds": {"train": 249.0}}  # fmt: skip
    view = make_view([*(make_loop(n) for n in range(3)), current])
    job = make_job(steps=(StepMark("test", "running", NOW_S - 1), StepMark("infer")), attempt=2)
    shown = drawn(make_scene(view=view, agent=make_agent(job=job)))
    assert "train done in 4 min 9 s" in shown
    assert "attempt 2" in shown


def test_warnings_are_counted_and_the_newest_shown() -> None:
    text = "infer rows sum to 1; these look like probabilities (E-HOOK-07)"
    view = make_view([make_loop(0), make_loop(1, warnings=[text])])
    shown = drawn(make_scene(view=view))
    assert "| 1 warning below" in shown
    assert f"\n! chest-xray/1: {text}" in shown


LONG_WARNING = (
    "infer: rows sum to 1; these look like probabilities, and `output` says logits, so that "
    "margins are those of something else. Mend: `output: probabilities` in experiment.yaml "
    "(E-HOOK-07)"
)


def test_the_newest_warning_is_folded_and_the_footer_tells_what_is_below() -> None:
    """Cut at the right it lost its mend, and its code."""
    view = make_view(
        [make_loop(0, warnings=["an older one"]), make_loop(1, warnings=[LONG_WARNING])]
    )
    shown = drawn(make_scene(view=view))
    below = shown.partition("2 warnings, newest below\n")[2].splitlines()
    assert len(below) == 4
    assert " ".join(row.strip() for row in below[:3]) == f"! chest-xray/1: {LONG_WARNING}"
    assert below[1].startswith("  ")
    higher = drawn(make_scene(view=view), 80, 40)
    assert "2 warnings below\n! chest-xray/0: an older one\n! chest-xray/1: infer" in higher


def test_a_warning_that_is_cut_keeps_its_code() -> None:
    view = make_view([make_loop(0, warnings=[LONG_WARNING])])
    shown = drawn(make_scene(view=view), 80, 12)
    assert "\n! chest-xray/0: infer: rows sum to 1" in shown
    assert "\u2026 (E-HOOK-07)\n" in shown
    endless = make_view([make_loop(0, warnings=[LONG_WARNING.replace("margins", "margins " * 30)])])
    assert "\u2026 (E-HOOK-07)" not in drawn(make_scene(view=endless)), "nobody sees a code cut off"


def test_what_waits_to_be_sent_is_counted_with_its_size() -> None:
    agent = make_agent(unsent=Unsent(3, 5 * 2**20))
    assert "3 results wait (5.0 MiB)" in drawn(make_scene(agent=agent))


WAITING: list[tuple[dict[str, Any], str]] = [
    ({"state": "paused"}, "paused. Go on: alectio-agent experiment resume chest-xray"),
    ({"waits_for": "an agent that offers pipeline `xray`"}, "waits for an agent that offers"),
    ({"waits_for": "labels of 100 samples since 09:05"}, "waits for labels of 100 samples"),
    (
        {
            "waits_for": "labels of 100 samples",
            "loops": [
                {"loop": 0, "state": "labelling", "labels": 0, "chosen_by": "random"},
            ],
        },
        "alectio-agent experiment labels export chest-xray --output chest-xray-loop-0.csv",
    ),
    ({"state": "waiting", "reason": "labels are odd"}, "experiment retry chest-xray"),
]


@pytest.mark.parametrize(("members", "wanted"), WAITING)
def test_an_experiment_that_waits_says_for_what(members: dict[str, Any], wanted: str) -> None:
    agent = make_agent(job=None, state="idle")
    shown = drawn(make_scene(view=make_view(**members), agent=agent))
    assert wanted in " ".join(shown.split())
    assert shown.endswith("\nCtrl-C: stop."), "there is no step to be finished"


def test_a_problem_is_shown_whole_with_the_command_that_goes_on() -> None:
    problem = (
        "E-HOOK-04  infer: 3 of 11,600 rows missing: 17, 90, 4411. Return one row for each index. "
        "Mend it, then:\nalectio-agent experiment retry chest-xray"
    )
    failed = {"loop": 3, "state": "waiting", "labels": 400, "chosen_by": MIX, "problem": problem}
    view = make_view([make_loop(0), failed], state="waiting", reason="a job failed")
    shown = drawn(make_scene(view=view, agent=make_agent(job=None, state="idle")))
    assert "rows missing: 17, 90, 4411" in shown
    assert " alectio-agent experiment retry chest-xray" in shown


def test_a_platform_that_does_not_answer_is_told_with_since_when() -> None:
    contact = Contact(10, NOW_S - 200, NOW_S - 180, "Connection refused")
    shown = drawn(make_scene(agent=make_agent(contact=contact)))
    assert "platform unreachable since 11:57 (3 min): Connection refused" in shown
    assert "no contact |" in shown


def test_between_two_loops_the_view_says_what_happens() -> None:
    selecting = {"loop": 3, "state": "selecting", "labels": 300, "chosen_by": ""}
    view = make_view([*(make_loop(n) for n in range(3)), selecting])
    shown = drawn(make_scene(view=view, agent=make_agent(job=None, state="idle")))
    assert "the samples of loop 3 are being chosen" in shown


SHUTDOWN = StopPlan("checkpoint", 300, is_shutdown=True)
NOW = "Ctrl-C again: stop now"


@pytest.mark.parametrize(
    ("stops", "wanted"),
    [
        (StopState(), "Ctrl-C: finish this step, then stop.  Twice: stop now, continue next time."),
        (
            StopState(when_stopped="checkpoint"),
            "Ctrl-C: save a checkpoint, then stop.  Twice: stop now, continue next time.",
        ),
        (
            StopState(when_stopped="cancel"),
            "Ctrl-C: stop now, continue next time.  Twice: kill the hook.",
        ),
        (StopState(1), f"finishing this step (12 s so far). {NOW}, continue next time"),
        (
            StopState(1, plan=StopPlan("finish", 600), ends_s=NOW_S + 240),
            f"finishing this step (4 min left). {NOW}, continue next time",
        ),
        (
            StopState(1, plan=StopPlan("checkpoint")),
            f"the hook is asked to save and end (12 s so far). {NOW}",
        ),
        (
            StopState(1, plan=SHUTDOWN, ends_s=NOW_S + 290),
            "the machine goes down: asked to save and end (5 min left)",
        ),
        (StopState(2), "stopping the running step now. Ctrl-C again: kill it"),
        (StopState(3), "killing the running step"),
    ],
)
def test_the_last_row_says_what_ctrl_c_does_next(stops: StopState, wanted: str) -> None:
    job = make_job(steps=(StepMark("train", "running", NOW_S - 12),))
    state = "stopping" if stops.asked else "working"
    agent = make_agent(job=job, stops=stops, state=state)
    assert drawn(make_scene(agent=agent)).endswith(wanted)


def test_a_stop_without_a_running_step_says_that_what_is_left_is_sent() -> None:
    agent = make_agent(job=None, stops=StopState(2), state="stopping")
    assert drawn(make_scene(agent=agent)).endswith("stopping: what is left is being sent")


def test_an_agent_alone_shows_its_job_and_the_last_ones() -> None:
    ended = (EndedJob("xray/1", 1, "done", 70.0), EndedJob("xray/2", 2, "failed", 3.0))
    shown = drawn(make_scene(view=None, agent=make_agent(ended=ended), hook_lines=()))
    assert "chest-xray   loop 3 of 10" in shown
    assert "   xray/2 (attempt 2)  failed  3.00 s\n   xray/1  done  1:10" in shown


HELD = "paused since 2026-01-01 11:00 (GPU needed). Go on: alectio-agent resume"


def test_a_paused_agent_says_so_and_what_ends_it() -> None:
    agent = make_agent(job=None, state="idle", held_back=HELD)
    alone = drawn(make_scene(agent=agent, view=None))
    assert "takes no job now" in alone
    assert "waiting for jobs" not in alone
    for scene in (make_scene(agent=agent), make_scene(agent=agent, view=None)):
        shown = " ".join(drawn(scene).split())
        assert f"takes no job: {HELD}" in shown
        assert "comes next" not in shown
        assert "Ctrl-C: stop." in shown


def test_an_agent_that_is_held_back_is_not_said_to_be_missing() -> None:
    agent = make_agent(job=None, state="idle", held_back=HELD)
    missing = make_view(waits_for="an agent that offers pipeline `xray`")
    shown = drawn(make_scene(agent=agent, view=missing))
    assert "takes no job" in shown
    assert "waits for" not in shown
    labelling = [{"loop": 0, "state": "labelling", "labels": 0, "chosen_by": "random"}]
    people = make_view(waits_for="labels of 100 samples", loops=labelling)
    assert "waits for labels of 100 samples" in drawn(make_scene(agent=agent, view=people))


def test_a_pause_is_shown_beside_the_step_that_goes_on() -> None:
    shown = " ".join(drawn(make_scene(agent=make_agent(held_back=HELD))).split())
    assert f"takes no job: {HELD}" in shown
    assert "13/20" in shown
    assert "experiment ends" not in shown, "nobody knows how long it lasts"
    assert "Ctrl-C: finish this step" in shown


def test_an_agent_without_a_job_waits_for_one() -> None:
    agent = make_agent(job=None, state="idle", ended=())
    assert "waiting for jobs" in drawn(make_scene(view=None, agent=agent, hook_lines=()))


def test_nothing_foreign_acts_on_the_terminal_or_is_read_as_markup() -> None:
    """What hooks print, and names, may be anybody's."""
    evil = "\x1b[2J\x07[red]x[/red]\u202e"
    progress = Progress(done=1, total=2, numbers={evil: 1.0})
    job = make_job(noted=Noted(progress, NOW_S, 0.0, NOW_S - 9))
    agent = make_agent(job=job, name=evil, trouble=evil)
    view = make_view([make_loop(0, warnings=[evil], chosen_by=evil)], waits_for=evil)
    shown = drawn(make_scene(agent=agent, view=view, hook_lines=(evil,)), 200, 40)
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert shown.count("[red]x[/red]") >= 5


def test_wide_characters_are_counted_with_their_width() -> None:
    rows = draw(make_scene(hook_lines=("損失" * 60,)), 60, 24)
    hook = next(row for row in rows if "損失" in row.plain)
    assert 57 <= cell_len(hook.plain) <= 59


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"LANG": "en_GB.UTF-8"}, UNICODE),
        ({"LC_ALL": "C", "LANG": "en_GB.UTF-8"}, ASCII),
        ({"LANG": "de_DE.utf8", "TERM": "linux"}, ASCII),
        ({}, ASCII),
    ],
)
def test_ascii_is_drawn_where_the_locale_has_nothing_else(
    environment: dict[str, str], wanted: object
) -> None:
    assert glyphs_for(environment) is wanted


def test_ascii_is_all_ascii() -> None:
    scene = make_scene(view=LONG, glyphs=ASCII)
    assert drawn(scene, 120, 40).isascii()


def test_experiments_that_may_end_earlier_end_at_the_latest_then() -> None:
    settings = {"name": "chest-xray", "classes": 3, "batch": 100, "loops": 10,
                "stop": {"target": {"metric": "accuracy", "value": 0.9}}}  # fmt: skip
    shown = drawn(make_scene(view=make_view(settings=settings)))
    assert "experiment ends about 13:30 at the latest" in shown


def test_the_control_is_shown_as_what_runs_once_the_experiment_is_over() -> None:
    control = make_view(
        [{"loop": 0, "state": "running", "labels": 100, "chosen_by": "random"}],
        name="chest-xray-control", control_of="chest-xray",
    )  # fmt: skip
    job = make_job(experiment="chest-xray-control", job="chest-xray-control/0", loop=0)
    main = make_view([make_loop(n) for n in range(3)], state="finished")
    shown = drawn(make_scene(view=main, control=control, agent=make_agent(job=job)))
    assert "chest-xray-control   loop 0 of 10" in shown
    assert replace(make_scene(view=main, control=control), agent=make_agent(job=job)).job is job


def test_a_step_that_never_comes_is_not_shown_as_next() -> None:
    """Nobody asks the last model, nor that of a control, about the rest of the pool."""
    running = {"loop": 9, "state": "running", "labels": 1000, "chosen_by": MIX}
    job = make_job(loop=9, job="chest-xray/9",
                   steps=(StepMark("train", "running", NOW_S - 12), StepMark("test")))  # fmt: skip
    view = make_view([*(make_loop(n) for n in range(9)), running])
    shown = drawn(make_scene(view=view, agent=make_agent(job=job)))
    assert " test  next" in shown
    assert " infer " not in shown


def test_an_experiment_that_is_over_waits_for_more_work() -> None:
    """With --stay; it looked as if it ran, and as if there were a step to be finished."""
    view = make_view([make_loop(n) for n in range(3)], state="finished")
    shown = drawn(make_scene(view=view, agent=make_agent(job=None, state="idle")))
    assert "\nfinished; waits for more work\n" in shown.replace("\n ", "\n")
    assert shown.endswith("\nCtrl-C: stop.")
    assert "running " not in shown


def test_an_experiment_whose_control_comes_next_is_not_over() -> None:
    view = make_view([make_loop(0)], state="finished", control="chest-xray-control")
    shown = drawn(make_scene(view=view, agent=make_agent(job=None, state="idle")))
    assert "more work" not in shown
    assert shown.endswith("Twice: stop now, continue next time.")
