"""How it stands with the platform, call after call."""

from alectio_agent.agent.client.traffic import Contact, Traffic
from tests.support.clocks import FakeClock


def test_answers_add_up_and_the_newest_is_remembered() -> None:
    clock = FakeClock()
    traffic = Traffic(clock)
    assert traffic.contact == Contact()
    for size in (100, 20):
        clock.advance(5)
        traffic.note_answer(size)
    assert traffic.contact == Contact(120, clock.monotonic())


def test_a_silence_is_as_old_as_its_first_call_and_has_the_reason_of_its_last() -> None:
    clock = FakeClock()
    traffic = Traffic(clock)
    began_s = clock.monotonic()
    for reason in ("refused", "no answer in time"):
        traffic.note_silence(reason)
        clock.advance(5)
    assert traffic.contact == Contact(
        0, None, began_s, "no answer in time", "no answer in time", began_s + 5
    )


def test_an_answer_ends_a_silence_whose_reason_stays_known() -> None:
    """Somebody who looks in the morning wants to know what it was at night."""
    clock = FakeClock()
    traffic = Traffic(clock)
    traffic.note_silence("refused")
    before_s = clock.monotonic()
    clock.advance(5)
    traffic.note_answer(1)
    assert traffic.contact == Contact(1, before_s + 5, error="refused", error_s=before_s)
