"""Several experiments in one page."""

import json
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from alectio_agent.cli.exported import read_exported
from alectio_agent.cli.report_tools import check_extra, check_writable, write_page
from alectio_agent.cli.run_table import as_record, print_runs
from alectio_agent.core.errors import ConfigError, StoreError, UsageError
from alectio_agent.report.comparison import PARTS, _classes, _curve, _settings, render_comparison
from alectio_agent.report.page import Told, render_page
from alectio_agent.report.runs import Run, find_needs, find_runs
from tests.support.documents import make_document
from tests.support.wicked import WICKED, with_wicked_names


def run(name: str, *points: tuple[int, float]) -> Run:
    loops = [
        {"loop": loop, "labels": labels, "metrics": {"accuracy": value}}
        for loop, (labels, value) in enumerate(points)
    ]
    return Run(name, {"name": name, "loops": loops}, is_control=False)


def labels(*told: Told) -> list[str]:
    return [each.label for each in find_runs(told)]


def texts(row: Any) -> list[str]:
    return [Markup(cell).striptags() for cell in row]


class TestRuns:
    def test_each_experiment_is_followed_by_its_control(self) -> None:
        control = make_document("a-control", control_of="a")
        found = find_runs([Told(make_document("a"), control), Told(make_document("b"))])
        assert [(each.label, each.is_control) for each in found] == [
            ("a", False), ("a-control", True), ("b", False),
        ]  # fmt: skip

    def test_a_control_that_is_named_itself_stands_once(self) -> None:
        control = make_document("a-control", control_of="a")
        assert labels(Told(make_document("a"), control), Told(control)) == ["a", "a-control"]

    def test_the_same_name_from_two_hubs_is_told_apart_by_its_source(self) -> None:
        one, other = (Told(make_document("a"), source=source) for source in ("east", "west"))
        assert labels(one, other) == ["a (east)", "a (west)"]

    def test_the_same_name_from_nowhere_is_numbered(self) -> None:
        assert labels(Told(make_document("a")), Told(make_document("a"))) == ["a", "a #2"]


class TestNeeds:
    def test_scores_near_the_top_and_the_highest_that_all_reach(self) -> None:
        runs = [run("a", (10, 0.5), (20, 0.7)), run("b", (10, 0.4), (30, 0.6))]
        needs = find_needs(runs, "accuracy")
        assert (needs.levels, needs.common) == ([0.55, 0.6, 0.65, 0.7], 0.6)
        # b: from 0.4 at 10 to 0.6 at 30, so that 0.55 takes 25.
        assert needs.rows == [[13, 15, 18, 20], [25, 30, None, None]]

    def test_a_score_that_reads_as_the_highest_that_all_reach_stands_once(self) -> None:
        runs = [run("a", (10, 0.5), (20, 0.7)), run("b", (10, 0.4), (30, 0.6004))]
        needs = find_needs(runs, "accuracy")
        assert (needs.levels, needs.common) == ([0.55, 0.6004, 0.65, 0.7], 0.6004)

    def test_an_experiment_without_scores_reaches_none(self) -> None:
        needs = find_needs([run("a", (10, 0.5), (20, 0.7)), run("b")], "accuracy")
        assert needs.common is None
        assert set(needs.rows[1]) == {None}

    def test_without_any_score_there_are_no_levels(self) -> None:
        assert find_needs([run("a"), run("b")], "accuracy").rows == [(), ()]


def test_only_settings_that_differ_are_listed() -> None:
    one, other = make_document("a", batch=20), make_document("b", batch=50)
    other["settings"]["stop"] = {"target": {"value": 0.9}}
    rows = _settings(find_runs([Told(one), Told(other)])).rows
    assert [texts(row) for row in rows] == [
        ["batch", "20", "50"],
        ["stop.target.value", "none", "0.900"],
    ]


def test_classes_are_matched_by_their_names() -> None:
    one, other = make_document("a", classes=2, loops=1), make_document("b", classes=2, loops=1)
    other["settings"]["classes"] = ["class 1", "other"]
    one["loops"][0]["per_class"] = {"f1": [0.1, 0.2]}
    other["loops"][0]["per_class"] = {"f1": [0.3, 0.4]}
    rows = _classes(find_runs([Told(one), Told(other)])).rows
    assert [texts(row) for row in rows] == [
        ["class 0", "0.100", "not known"],
        ["class 1", "0.200", "0.300"],
        ["other", "not known", "0.400"],
    ]


def test_a_control_is_dashed_in_the_colour_of_its_experiment() -> None:
    told = Told(make_document("a"), make_document("a-control", slope=0.5))
    ours, control, other = _curve(
        find_runs([told, Told(make_document("b"))]), "accuracy"
    ).figure.data
    assert ours["line"]["color"] == control["line"]["color"] != other["line"]["color"]
    assert (ours["line"]["dash"], control["line"]["dash"]) == ("solid", "dash")


def test_all_parts_stand_in_the_page() -> None:
    page = render_comparison([Told(make_document("a")), Told(make_document("b"))])
    for anchor, _ in PARTS:
        assert f'id="{anchor}"' in page
    assert "saved" not in page.split("<script>")[0]


@pytest.mark.parametrize("wicked", WICKED)
def test_names_are_escaped(wicked: str) -> None:
    page = render_comparison([Told(with_wicked_names(wicked)), Told(make_document())])
    body = page[page.index("<main") : page.index("</main>")]
    for part in ("<b>", "<script", "<img", "<a ", "\u202e"):
        assert part not in body


@pytest.mark.parametrize("document", [{"name": "x"}, {"name": "x", "loops": [{}]}, {"loops": None}])
def test_documents_that_tell_nothing_are_borne(document: dict[str, Any]) -> None:
    render_comparison([Told(document), Told(make_document())])
    render_comparison([Told(document)])


class TestTable:
    def test_last_scores_and_labels_needed_are_printed(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        print_runs([run("a", (10, 0.5), (20, 0.7)), run("b", (10, 0.4), (1030, 0.6))])
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert [line[-2:] for line in lines[1:3]] == [["20", "0.700"], ["1,030", "0.600"]]
        assert lines[4] == ["labels", "for", "accuracy", "of", "0.55", "0.6", "0.65", "0.7"]
        assert lines[6] == ["b", "775", "1,030", "-", "-"]

    def test_runs_without_scores_are_told_as_such(self, capsys: pytest.CaptureFixture[str]) -> None:
        print_runs([run("a"), run("b")])
        assert "no loop of any is judged yet" in capsys.readouterr().out

    def test_programs_get_the_same(self) -> None:
        first, second = as_record([run("a", (10, 0.5), (20, 0.7)), run("b", (10, 0.5), (30, 0.6))])
        assert first["metrics"] == {"accuracy": 0.7}
        assert second["labels_to_reach"] == {
            "accuracy": {"0.55": 20, "0.6": 30, "0.65": None, "0.7": None}
        }


class TestFiles:
    def test_an_exported_experiment_brings_the_control_beside_it(self, tmp_path: Path) -> None:
        for name, more in (("a", {"control": "a-control"}), ("a-control", {"control_of": "a"})):
            (tmp_path / name).mkdir()
            told = json.dumps(make_document(name, **more))
            (tmp_path / name / "experiment.json").write_text(told)
        found = read_exported(tmp_path / "a" / "experiment.json")
        assert found.control is not None
        assert found.control["name"] == "a-control"
        assert found.source == str(tmp_path / "a")

    @pytest.mark.parametrize("text", ["", "[1]", "{}", '{"loops": []}', '{"name": "a"}', "\x00"])
    def test_a_file_that_holds_something_else_is_refused(self, tmp_path: Path, text: str) -> None:
        file = tmp_path / "x.json"
        file.write_text(text)
        with pytest.raises(UsageError, match=r"expected an experiment\.json"):
            read_exported(file)

    def test_a_file_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="No such file"):
            read_exported(tmp_path / "x.json")

    def test_pages_of_ours_are_overwritten_and_nothing_else(self, tmp_path: Path) -> None:
        file = tmp_path / "page.html"
        check_writable(file)
        write_page(file, render_page(Told(make_document(loops=0))).encode())
        check_writable(file)
        file.write_text("<html>mine</html>")
        with pytest.raises(UsageError, match="no page of alectio-agent"):
            check_writable(file)
        with pytest.raises(UsageError, match="a folder"):
            check_writable(tmp_path)

    def test_a_page_that_cannot_be_written_leaves_nothing_behind(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StoreError, match="file"):
            write_page(tmp_path / "file" / "page.html", b"x")


def test_a_missing_extra_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    with pytest.raises(ConfigError, match=r"made with jinja2") as told:
        check_extra()
    assert "alectio-agent[hub]" in told.value.hint
