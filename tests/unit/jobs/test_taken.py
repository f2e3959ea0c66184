"""The leases that an agent has in hand."""

from alectio_agent.agent.jobs.taken import ROOM, TakenLeases


def test_leases_of_closed_jobs_are_forgotten_and_those_of_open_ones_never() -> None:
    """An agent runs for years, and takes a job each second."""
    still_open = {"lease-0"}
    taken = TakenLeases(lambda: still_open)
    for number in range(100 * ROOM):
        taken.add(f"lease-{number}")
        assert "lease-0" in taken
    assert len(list(taken)) <= 2 * ROOM


def test_the_journal_is_seldom_asked_however_much_is_open() -> None:
    asked, added = [], list[str]()

    def still_open() -> list[str]:
        asked.append(len(added))
        return added

    taken = TakenLeases(still_open)
    for number in range(50 * ROOM):
        added.append(f"lease-{number}")
        taken.add(f"lease-{number}")
    assert set(taken) == set(added)
    assert len(asked) < 10


def test_only_what_is_kept_stays() -> None:
    taken = TakenLeases(tuple)
    taken.add("a")
    taken.add("b")
    taken.keep(lambda lease: lease == "b")
    assert set(taken) == {"b"}
