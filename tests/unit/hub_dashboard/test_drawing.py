"""Lines, words and numbers on pages; everything foreign is text."""

import math

import pytest

from alectio_agent.hub.access.sessions import BOX, Session
from alectio_agent.hub.access.tokens import StoredToken
from alectio_agent.hub.dashboard.label_queue_page import Outcome
from alectio_agent.hub.dashboard.pages import moment, number, plain, render, state_of
from alectio_agent.hub.dashboard.sparkline import HEIGHT, MARGIN, WIDTH, sparkline_points
from alectio_agent.hub.experiments.summaries import Summary
from alectio_agent.wire.label_files import Problem, Wrong
from alectio_agent.wire.labels import AskedSample, LabelQueue, LoopLabels

MARKUP = "\"'><script>alert(1)</script>"
OPERATOR = Session("n", BOX, 0.0)
VIEWER = Session("n", StoredToken("t", "eve", "viewer", ""), 0.0)


def summary(**changed: object) -> Summary:
    told = {
        "name": "digits", "state": "running", "reason": "", "waits_for": "", "loop": 0, "loops": 5,
        "labels": 4, "pool": 40, "metric": "macro_f1", "points": (0.5, 0.75), "agent": "gpu01",
        "updated_at": "2026-01-01T00:00:00.000Z", **changed,
    }  # fmt: skip
    return Summary(**told)  # type: ignore[arg-type]


def listed(session: Session, *shown: Summary) -> str:
    return render(
        "experiments.html", session, title="Experiments", here="experiments", topic="",
        experiments=shown, all_count=len(shown), wanted_name="", wanted_state="", states=(),
    )  # fmt: skip


def test_a_line_goes_from_corner_to_corner() -> None:
    assert sparkline_points([0.0, 1.0]) == (
        f"{MARGIN}.0,{HEIGHT - MARGIN}.0 {WIDTH - MARGIN}.0,{MARGIN}.0"
    )


@pytest.mark.parametrize("values", [[], [0.5], [math.nan, 0.5], [math.inf, 0.1, math.nan]])
def test_less_than_two_numbers_make_no_line(values: list[float]) -> None:
    assert sparkline_points(values) == ""


def test_a_metric_that_hardly_moves_is_a_flat_line() -> None:
    heights = {float(point.split(",")[1]) for point in sparkline_points([0.5, 0.501]).split()}
    assert max(heights) - min(heights) < 1


def test_a_thousand_loops_make_no_longer_line_than_is_seen() -> None:
    points = sparkline_points([at / 1000 for at in range(1000)]).split()
    assert len(points) == 120
    assert points[-1] == f"{WIDTH - MARGIN}.0,{MARGIN}.0"


@pytest.mark.parametrize("key", ["name", "reason", "waits_for", "agent", "metric"])
def test_markup_in_what_people_wrote_is_text(key: str) -> None:
    told = {"state": "waiting", key: MARKUP}
    html = listed(OPERATOR, summary(**told))
    assert "<script>alert" not in html
    assert "\"'><" not in html


def test_a_state_is_told_in_words() -> None:
    html = listed(VIEWER, summary(state="paused"))
    assert "paused" in html
    assert state_of("unheard-of").word == "unheard-of"


def test_the_line_is_told_in_words_too() -> None:
    assert 'aria-label="macro_f1: 0.500 to 0.750 over 2 loops"' in listed(VIEWER, summary())


def test_viewers_are_not_led_to_tokens() -> None:
    assert "/tokens" not in listed(VIEWER)
    assert "/tokens" in listed(OPERATOR)


def queue_page(session: Session, asked: list[AskedSample], **told: object) -> str:
    loop = LoopLabels(
        loop=0, state="labelling", asked=len(asked), returned=0, needed=1, excluded=0, asked_at=None
    )
    queue = LabelQueue(name="digits", state="running", loops=[loop], samples=asked)
    return render(
        "label_queue.html", session, title="Labels of digits", here="labels", topic="digits",
        **{
            "queue": queue, "shown": asked[:200], "asked_count": len(asked), "example": "",
            "outcome": None, "pasted": "", "largest_file": 2**20, **told,
        },
    )  # fmt: skip


def asked_samples(count: int, **told: object) -> list[AskedSample]:
    said = {"loop": 0, "status": "asked", **told}
    return [AskedSample.model_validate({"index": index, **said}) for index in range(count)]


def test_the_first_two_hundred_samples_are_shown_and_the_rest_counted() -> None:
    html = queue_page(OPERATOR, asked_samples(1437))
    assert html.count('<th scope="row" class="short right">') == 200
    assert "1,437 samples, to fill in" in html
    assert "and 1,237 more, in the file" in html


def test_markup_in_names_reasons_and_wrong_lines_is_text() -> None:
    wrong = Wrong([Problem(2, MARKUP)], 1)
    html = queue_page(
        OPERATOR, asked_samples(1, name=MARKUP, reason=MARKUP), outcome=Outcome(wrong=wrong),
        pasted="</textarea>" + MARKUP,
    )  # fmt: skip
    assert "<script>alert" not in html
    assert html.count("</textarea>") == 1


def test_labels_are_brought_by_operators_only() -> None:
    assert "Bring labels" in queue_page(OPERATOR, asked_samples(1))
    html = queue_page(VIEWER, asked_samples(1))
    assert "Bring labels" not in html
    assert "/labels/digits.csv" in html


def test_a_moment_that_is_none_is_shown_as_it_is() -> None:
    assert moment("2026-01-31T09:05:00.250Z") == "2026-01-31 09:05 UTC"
    assert moment("soon") == "soon"


def test_control_characters_become_visible_and_lines_stay() -> None:
    assert plain("a\x1b[31mb\nc\u202e") == "a\\x1b[31mb\nc\\x202e"


@pytest.mark.parametrize(("value", "shown"), [(1437, "1,437"), (0.25, "0.25"), (13.0, "13")])
def test_numbers_are_short(value: float, shown: str) -> None:
    assert number(value) == shown
