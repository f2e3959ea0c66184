"""The report as a whole: what it never says, what it escapes, and that it bears any document."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from alectio_agent.hub.results.tables import loops_csv
from alectio_agent.report.page import PARTS, Told, render_body, render_page
from tests.support.documents import make_document
from tests.support.wicked import WICKED, with_wicked_names


class Reader(HTMLParser):
    """All texts of a page, by the part they stand in, and what its tags hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.part = ""
        self.texts: dict[str, list[str]] = {}
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {key: value or "" for key, value in attrs}
        self.tags.append((tag, told))
        if tag in ("section", "header"):
            self.part = told["id"]

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.part, []).append(data)

    def text(self, part: str = "") -> str:
        parts = [part] if part else list(self.texts)
        return " ".join(" ".join(self.texts[each]) for each in parts)

    @property
    def figures(self) -> Iterator[dict[str, Any]]:
        for _, told in self.tags:
            if "data-figure" in told:
                yield json.loads(told["data-figure"])


def read(document: dict[str, Any], **more: Any) -> Reader:
    return Reader(render_body(Told(document, **more)))


def strings(value: Any) -> Iterator[str]:
    """All texts inside plain JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inside in value.items():
            yield key
            yield from strings(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from strings(inside)


def test_all_parts_stand_in_their_order_with_their_headings() -> None:
    body = render_body(Told(make_document(), make_document("toy-control", slope=0.5)))
    assert re.findall(r'<section aria-labelledby="[a-z-]+" id="([a-z]+)"', body) == [
        anchor for anchor, _ in PARTS
    ]
    assert body.count("<h1>") == 1
    assert body.count("<h2") == len(PARTS)


def test_a_page_around_it_may_say_the_name_and_the_state_itself() -> None:
    body = render_body(Told(make_document("toy")), has_title=False)
    assert "<h1>" not in body
    assert "finished" not in body.split("<h2")[0]
    assert 'class="result"' in body


class TestSavings:
    def test_without_a_control_no_text_of_the_page_tells_of_a_saving(self) -> None:
        page = read(make_document())
        said = page.text("savings")
        assert "Cannot be known: there is no control" in said
        assert not re.search(r"\d", said)
        assert "random" not in page.text("head")
        # What is said of time is its definition, and that it is not known.
        assert re.findall(r"saved\s+(?!:)(\S+ \S+)", page.text("times")) == ["not known"]
        others = " ".join(
            text
            for part, texts in page.texts.items()
            if part not in ("savings", "times")
            for text in texts
        )
        assert not re.search(r"sav(ed|ing)|fewer labels than|%\s*(fewer|less)", others)

    def test_with_labels_by_people_no_control_is_advised(self) -> None:
        """It is refused there: nobody labelled what chance would choose."""
        document = make_document()
        document["settings"]["labels"] = {"kind": "csv"}
        said = read(document).text("savings")
        assert "would need labels of samples that nobody was asked for" in said
        assert "control: replay" not in said

    def test_a_control_that_has_not_run_far_enough_tells_of_none_either(self) -> None:
        control = make_document("toy-control", loops=1, slope=0.5, state="running")
        page = read(make_document(), control=control)
        assert "Cannot be known yet: fewer than two loops" in page.text("savings")
        assert "saved" not in page.text("head")

    def test_the_result_is_a_sentence(self) -> None:
        document, control = make_document(loops=3), make_document("c", loops=3)
        for loops, values in ((document, (0.5, 0.7, 0.9)), (control, (0.5, 0.8, 0.95))):
            for loop, value in zip(loops["loops"], values, strict=True):
                loop["metrics"]["accuracy"] = value
        # The control reaches 0.9 two thirds of the way from 40 to 60.
        said = " ".join(read(document, control=control).text("head").split())
        assert "accuracy 0.900 with 60 labels; random needed 54 for the same." in said

    @pytest.mark.parametrize(
        ("ours", "randoms", "said"),
        [
            # A plateau: our last score was there with 40 labels already.
            ((0.5, 0.9, 0.9), (0.5, 0.6, 0.9),
             "accuracy 0.900 with 60 labels; first reached with 40 here, with 60 by random."),
            # Random reached its last score with 40 labels, not with 60.
            ((0.5, 0.6, 0.9), (0.5, 0.7, 0.7),
             "random has 0.700 with 60 ; first reached with 47 here, with 40 by random."),
            ((0.5, 0.9, 0.9), (0.5, 0.9, 0.7),
             "accuracy 0.900 with 60 labels; first reached with 40 here, with 40 by random."),
        ],
    )  # fmt: skip
    def test_the_result_never_sets_a_last_number_beside_a_first(
        self, ours: tuple[float, ...], randoms: tuple[float, ...], said: str
    ) -> None:
        """A saving of 200 labels looked like a loss of 100."""
        document, control = make_document(loops=3), make_document("c", loops=3)
        for loops, values in ((document, ours), (control, randoms)):
            for loop, value in zip(loops["loops"], values, strict=True):
                loop["metrics"]["accuracy"] = value
        assert said in " ".join(read(document, control=control).text("head").split())

    def test_a_control_that_stays_below_is_met_earlier(self) -> None:
        document, control = make_document(loops=3), make_document("c", loops=3)
        for loops, values in ((document, (0.5, 0.7, 0.9)), (control, (0.5, 0.6, 0.7))):
            for loop, value in zip(loops["loops"], values, strict=True):
                loop["metrics"]["accuracy"] = value
        page = read(document, control=control)
        said = " ".join(page.text("head").split())
        assert "random has 0.700 with 60 , reached here with 40" in said
        assert "20 ( 33.3 % )" in " ".join(page.text("savings").split())


class TestEscaping:
    @pytest.mark.parametrize("wicked", WICKED)
    def test_no_name_makes_a_tag_or_an_attribute(self, wicked: str) -> None:
        tame = read(make_document(loops=3, classes=3))
        found = read(with_wicked_names(wicked))
        assert {tag for tag, _ in found.tags} <= {tag for tag, _ in tame.tags} | {
            "li",
            "ul",
            "strong",
        }
        assert not [told for _, told in found.tags if any(key.startswith("on") for key in told)]

    @pytest.mark.parametrize("wicked", WICKED)
    def test_plotly_finds_nothing_to_act_on(self, wicked: str) -> None:
        ours = re.compile(r"<br>|<extra>|</extra>|%\{[xy]:[^}]*\}|%\{(x|customdata:,|customdata)\}")
        for figure in read(with_wicked_names(wicked)).figures:
            for text in strings(figure):
                rest = ours.sub("", text)
                assert "<" not in rest
                assert "%{" not in rest

    def test_direction_marks_are_shown_and_not_obeyed(self) -> None:
        body = render_body(Told(with_wicked_names("right\u202eto left\u200f")))
        assert "\u202e" not in body
        assert "\u200f" not in body
        assert r"right\x202eto left" in body

    def test_long_names_are_shortened_with_the_whole_in_the_title(self) -> None:
        page = read(with_wicked_names("x" * 5000))
        titles = [told["title"] for tag, told in page.tags if tag == "bdi" and "title" in told]
        assert "x" * 5000 in titles
        assert max(len(text) for text in page.texts["loops"]) <= 400

    def test_the_page_forbids_every_request_and_foreign_script(self) -> None:
        page = render_page(Told(make_document()))
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
        assert policy.startswith("default-src 'none'; script-src 'sha256-")
        assert "unsafe-inline" not in policy.split(";")[1]
        assert not re.findall(
            r"<(?:link|iframe|object|embed|form|base|img)\b", page.split("<script")[0]
        )


class TestAgreement:
    def test_numbers_of_report_and_csv_are_the_same(self) -> None:
        document = make_document(loops=4)
        rows = list(csv.DictReader(io.StringIO(loops_csv(document))))
        values = {told["value"] for tag, told in read(document).tags if tag == "data"}
        for row in rows:
            for column in ("labels", "accuracy", "macro_f1", "macro_precision", "macro_recall"):
                assert row[column] in values
            assert float(row["train_s"]) in {float(value) for value in values}

    def test_the_same_data_gives_the_same_page(self) -> None:
        told = Told(make_document(), make_document("toy-control"))
        assert render_page(told) == render_page(told)


def shorn(*path: str) -> dict[str, Any]:
    """A document in which this member of every loop is missing."""
    document = make_document()
    for loop in document["loops"]:
        inside = loop
        for key in path[:-1]:
            inside = inside[key] or {}
        inside.pop(path[-1], None)
    return document


LOOP_MEMBERS = sorted(make_document()["loops"][-1])
SELECTION_MEMBERS = sorted(make_document()["loops"][-1]["selection"])


class TestAnyDocument:
    @pytest.mark.parametrize("missing", LOOP_MEMBERS)
    def test_every_member_of_a_loop_may_be_missing_or_null(self, missing: str) -> None:
        render_body(Told(shorn(missing), shorn(missing), (shorn(missing),)))
        document = make_document()
        for loop in document["loops"]:
            loop[missing] = None
        render_body(Told(document, document))

    @pytest.mark.parametrize("missing", SELECTION_MEMBERS)
    def test_every_member_of_a_selection_may_be_missing(self, missing: str) -> None:
        render_body(Told(shorn("selection", missing)))

    @pytest.mark.parametrize("missing", sorted(make_document()))
    def test_every_member_of_the_document_may_be_missing(self, missing: str) -> None:
        document = make_document()
        del document[missing]
        render_body(Told(document, document))

    def test_an_experiment_in_which_nothing_happened_says_so(self) -> None:
        page = read(make_document(loops=0, state="running"))
        assert "No loop has been judged yet" in page.text("head")
        assert "Nothing to draw yet" in page.text("curves")
        assert "No loop has begun" in page.text("loops")
        assert not list(page.figures)

    def test_a_loop_that_still_trains_is_shown_beside_those_that_are_done(self) -> None:
        document = make_document(loops=3, state="running")
        document["loops"][2] |= {
            "state": "running", "metrics": None, "per_class": None, "confusion": None,
            "calibration": None, "rows": {}, "times": {"seconds": {}, "done_at": None},
            "class_counts": {"labelled": None, "predicted": None},
        }  # fmt: skip
        page = read(document)
        assert "After loop 1:" in " ".join(page.text("confusion").split())
        assert "chosen for loop 2" in " ".join(page.text("choice").split())

    @pytest.mark.parametrize("task", ["regression", "object_detection", "segmentation", "custom"])
    def test_tasks_without_metrics_tell_what_is_known(self, task: str) -> None:
        document = make_document()
        document["settings"] |= {"task": task, "classes": None}
        for loop in document["loops"]:
            loop |= {"metrics": {}, "per_class": {}, "confusion": [], "calibration": None}
            loop["class_counts"] = None
            loop["selection"]["between"] = None
        page = read(document)
        assert task in page.text("curves")
        assert "Not known" in page.text("confusion")
        assert page.text("times")

    def test_scores_that_are_not_finite_are_not_known(self) -> None:
        document = make_document()
        for loop in document["loops"]:
            loop["metrics"] = {"accuracy": float("nan"), "macro_f1": None, "macro_recall": "high"}
            loop["per_class"]["f1"] = [float("inf"), None, 0.5]
        page = read(document)
        assert "No loop has been judged yet" in page.text("head")
        assert "nan" not in page.text().lower().split()

    def test_an_unknown_pool_gives_no_share(self) -> None:
        page = read(make_document(pool_size=None) | {"pool": {"size": None}})
        said = " ".join(page.text("head").split())
        assert "100 of not known" in said
        assert "share of the pool not known" in said

    def test_a_waiting_experiment_says_why_and_since_when(self) -> None:
        document = make_document(state="waiting", reason="loop 4 waits: infer raised KeyError")
        document["loops"][-1]["attempts"][-1]["ended_at"] = "2026-01-02T03:04:05Z"
        said = " ".join(read(document).text("head").split())
        assert "waits for a person : loop 4 waits: infer raised KeyError" in said
        assert "(since 2026-01-02 03:04 UTC )" in said

    def test_before_any_loop_is_judged_no_hook_is_blamed(self) -> None:
        said = read(make_document(loops=0)).text("calibration")
        assert "no loop has been judged yet" in said
        assert "outputs" not in said

    def test_how_to_get_a_calibration_is_said(self) -> None:
        said = read(shorn("calibration")).text("calibration")
        assert "outputs" in said

    def test_two_hundred_loops_and_a_thousand_classes_stay_small(self) -> None:
        many = render_page(
            Told(make_document(loops=200, classes=10), make_document("c", loops=200))
        )
        wide = render_page(Told(make_document(loops=2, classes=1000)))
        assert max(len(many), len(wide)) < 6_000_000

    def test_a_report_of_25_loops_and_10_classes_is_below_six_megabytes(self) -> None:
        document = make_document(loops=25, classes=10, batch=1000, pool=100_000)
        page = render_page(Told(document, document, (document, document)))
        assert len(page.encode()) < 5_200_000
