"""Which experiment a `run` means, and which options of it go together."""

import pytest

from alectio_agent.cli.run_experiment import finished_already, make_experiment, pick_experiment
from alectio_agent.cli.run_wish import Wish
from alectio_agent.core.errors import PlatformRejectedError, UsageError
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.operation import ExperimentView


def settings(name: str = "toy", batch: int = 5) -> ExperimentSettings:
    return ExperimentSettings(name=name, classes=3, batch=batch, loops=4)


def view(name: str, batch: int = 5, state: str = "finished", **more: str) -> ExperimentView:
    return ExperimentView.model_validate(
        {
            "experiment_id": "e", "name": name, "state": state, "settings": settings(name, batch),
            "pool": 60, "version": 1, "created_at": "2026", **more,
        }
    )  # fmt: skip


def picked(*known: ExperimentView, new: bool = False, batch: int = 5) -> str:
    wanted = settings(batch=batch)
    return pick_experiment(known, wanted, is_new=new).name


def test_the_name_itself_is_meant_when_nothing_ran_yet() -> None:
    assert picked() == "toy"
    assert picked(new=True) == "toy"


def again(name: str, batch: int = 5) -> ExperimentView:
    """Made anew from `toy`."""
    return view(name, batch, series="toy")


def test_new_takes_the_first_free_number() -> None:
    assert picked(view("toy"), new=True) == "toy-2"
    known = (view("toy"), again("toy-2"), view("toy-3"))
    assert picked(*known, new=True) == "toy-4"


def test_without_new_the_newest_with_these_settings_is_meant() -> None:
    known = (view("toy"), again("toy-2"), again("toy-3", batch=9))
    assert picked(*known) == "toy-2"
    assert picked(*known, batch=9) == "toy-3"


def test_with_other_settings_the_newest_is_meant_so_that_update_can_change_it() -> None:
    assert picked(view("toy"), again("toy-2"), batch=1) == "toy-2"


def test_an_experiment_of_a_similar_name_is_somebody_elses() -> None:
    """`intents-10` on a shared hub must not be changed by a file that says `intents`."""
    assert picked(view("toy"), view("toy-2"), batch=1) == "toy"
    assert picked(view("toy-2"), batch=1) == "toy"


@pytest.mark.parametrize(("length", "control"), [(63, "none"), (55, "replay")])
def test_a_name_that_grows_too_long_is_refused(length: int, control: str) -> None:
    wanted = ExperimentSettings(name="x" * length, classes=3, batch=5, loops=4, control=control)
    with pytest.raises(UsageError) as caught:
        pick_experiment([view("x" * length)], wanted, is_new=True)
    assert caught.value.code == "E-EXP-05"


@pytest.mark.parametrize("state", ["running", "waiting", "paused"])
def test_what_has_not_ended_is_not_finished(state: str) -> None:
    known = [view("toy", state=state)]
    assert finished_already(known, settings()) is None


def test_a_finished_one_with_other_settings_is_not_what_was_asked_for() -> None:
    known = [view("toy")]
    assert finished_already(known, settings()) is not None
    assert finished_already(known, settings(batch=6)) is None


def test_it_is_over_only_with_its_control() -> None:
    main = view("toy", control="toy-control")
    running = [main, view("toy-control", state="running")]
    ended = [main, view("toy-control")]
    assert finished_already(running, settings()) is None
    assert finished_already(ended, settings()) is not None


@pytest.mark.parametrize("name", ["new", "update", "stay"])
def test_options_about_the_hub_in_the_box_are_refused_elsewhere(name: str) -> None:
    wish = Wish(**{name: True})
    wish.check(is_embedded=True)
    with pytest.raises(UsageError, match=f"--{name} is about the hub in the box"):
        wish.check(is_embedded=False)


def test_a_platform_elsewhere_is_left_when_it_has_no_more_work() -> None:
    assert Wish(until_done=True).quota(is_embedded=False).leaves_when_idle
    assert not Wish(until_done=True).quota(is_embedded=True).leaves_when_idle
    assert Wish(once=True).quota(is_embedded=True).leaves_when_idle
    assert Wish(max_jobs=3).quota(is_embedded=True).most == 3


class Refusing:
    """A hub that has run these loops of an experiment, and was told of other settings."""

    def __init__(self, *, loops: int, run: int) -> None:
        self.detail = {"keys": ["loops"], "fixed": [], "next_loop": run, "loops": loops}

    def create_experiment(self, *_: object) -> ExperimentView:
        raise PlatformRejectedError(
            "differs", problem="conflict", code="E-EXP-03", detail=self.detail
        )


@pytest.mark.parametrize(
    ("loops", "run", "said"),
    [
        (6, 4, "write `loops: 6` into experiment.yaml"),
        (4, 4, "All its loops have run: raise `loops`"),
        (6, 2, "Go on with the new values from loop 2"),
    ],
)
def test_the_mend_of_other_settings_fits_how_far_it_is(loops: int, run: int, said: str) -> None:
    """The file says 4 loops."""
    hub = Refusing(loops=loops, run=run)
    with pytest.raises(UsageError) as caught:
        make_experiment(hub, settings(), "toy", is_update=False, command="run")  # type: ignore[arg-type]
    assert said in caught.value.hint
