"""Reports are large: quick loops do not rewrite them all the time, and none is left out of date."""

from alectio_agent.hub.results.schedule import MOST_KNOWN, ReportSchedule


def made_at(schedule: ReportSchedule, began: float, took_s: float = 0.1) -> None:
    schedule.saw("digits", "running")
    schedule.made("digits", began, began + took_s)


def test_the_first_report_is_made_at_once() -> None:
    schedule = ReportSchedule()
    schedule.saw("digits", "running")
    assert (schedule.next(100.0), schedule.wait_s(100.0)) == ("digits", 0.0)


def test_the_next_one_comes_after_5_seconds() -> None:
    schedule = ReportSchedule()
    made_at(schedule, 100.0)
    assert schedule.wait_s(100.1) is None, "nothing changed"
    schedule.saw("digits", "running")
    assert (schedule.next(103.1), schedule.wait_s(103.1)) == (None, 2.0)
    assert schedule.next(105.1) == "digits"


def test_a_slow_report_is_made_less_often() -> None:
    """It takes a tenth of one processor at most."""
    schedule = ReportSchedule()
    made_at(schedule, 100.0, took_s=2.0)
    schedule.owe("digits")
    assert schedule.wait_s(102.0) == 20.0


def test_an_experiment_that_comes_to_rest_waits_for_nothing() -> None:
    for state in ("finished", "waiting", "paused", "cancelled"):
        schedule = ReportSchedule()
        made_at(schedule, 100.0)
        schedule.saw("digits", state)
        assert schedule.next(100.2) == "digits"


def test_what_changes_while_it_rests_waits_again() -> None:
    """A finished experiment's report changes with every loop of its control."""
    schedule = ReportSchedule()
    schedule.saw("digits", "finished")
    schedule.made("digits", 100.0, 100.1)
    schedule.owe("digits")
    assert schedule.next(101.0) is None
    schedule.saw("digits", "finished")
    assert schedule.next(101.0) is None
    assert schedule.wait_s(101.1) == 4.0


def test_experiments_wait_for_themselves_only() -> None:
    schedule = ReportSchedule()
    made_at(schedule, 100.0)
    schedule.saw("digits", "running")
    schedule.saw("other", "running")
    assert schedule.next(100.5) == "other"
    schedule.made("other", 100.5, 100.6)
    assert (schedule.next(100.6), schedule.any_owed()) == (None, "digits")


def test_a_hub_of_many_experiments_remembers_the_newest() -> None:
    """One that was forgotten has its report at once, and none is left out."""
    schedule = ReportSchedule()
    for number in range(2 * MOST_KNOWN):
        schedule.saw(f"toy-{number}", "finished")
        schedule.made(f"toy-{number}", 100.0, 100.1)
    schedule.saw("toy-0", "running")
    assert schedule.next(100.2) == "toy-0"
    newest = f"toy-{2 * MOST_KNOWN - 1}"
    schedule.made("toy-0", 100.2, 100.3)
    schedule.saw(newest, "finished")
    assert schedule.next(100.4) is None, "it is still known to have been made just now"
    assert schedule.next(106.0) == newest
