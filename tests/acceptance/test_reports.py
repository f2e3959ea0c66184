"""`experiment report` and `experiment compare`, after a whole experiment with its control."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.projects import run_command, write_project


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an experiment has run, with its control."""
    folder = tmp_path_factory.mktemp("project")
    write_project(folder, loops=3, experiment="control: replay\n")
    ended = run_command("run", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder


def test_the_path_of_the_report_is_printed_and_it_is_made_when_it_is_missing(folder: Path) -> None:
    file = folder / "results" / "toy" / "report.html"
    file.unlink(missing_ok=True)
    made = run_command("-q", "experiment", "report", "toy", cwd=folder)
    assert (made.returncode, made.stdout, made.stderr) == (0, f"{file}\n", "")
    page = file.read_text()
    assert "random (control)" in page
    again = run_command("experiment", "report", "toy", "--json", cwd=folder)
    assert json.loads(again.stdout) == {"name": "toy", "file": str(file)}
    assert not (folder / "toy-report.html").exists()


def test_the_report_is_written_where_it_was_asked_for(folder: Path) -> None:
    file = folder / "copies" / "page.html"
    asked = run_command("experiment", "report", "toy", "--output", str(file), cwd=folder)
    assert (asked.returncode, asked.stdout) == (0, f"{file}\n")
    assert file.read_text().startswith("<!doctype html>")


def test_a_name_that_nobody_knows_brings_the_nearest_one(folder: Path) -> None:
    for words in (("report", "tyo"), ("compare", "toy", "tyo")):
        refused = run_command("experiment", *words, cwd=folder)
        assert refused.returncode == 2
        assert "E-EXP-01" in refused.stderr
        assert "Did you mean `toy`?" in refused.stderr
    assert not (folder / "comparison.html").exists()


def test_a_file_of_somebody_else_is_left_alone(folder: Path) -> None:
    before = (folder / "agent.yaml").read_text()
    for verb in ("report", "compare"):
        refused = run_command("experiment", verb, "toy", "--output", "agent.yaml", cwd=folder)
        assert (refused.returncode, "E-EXP-11" in refused.stderr) == (2, True)
    assert (folder / "agent.yaml").read_text() == before


def test_an_experiment_is_compared_with_its_control_and_with_an_export(folder: Path) -> None:
    shutil.copytree(folder / "results" / "toy", folder / "elsewhere" / "toy")
    words = ("experiment", "compare", "toy", "elsewhere/toy/experiment.json", "--output", "c.html")
    told = run_command(*words, cwd=folder)
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines[1:4]] == [
        "toy", "toy-control (random)", "toy (elsewhere/toy)",
    ]  # fmt: skip
    assert any(line.startswith("labels for accuracy of") for line in lines)
    assert lines[-1] == "page: c.html"
    assert "Labels needed" in (folder / "c.html").read_text()
    found = json.loads(run_command(*words, "--json", cwd=folder).stdout)
    assert [each["is_control"] for each in found["experiments"]] == [False, True, False]


def test_one_experiment_alone_cannot_be_compared(folder: Path) -> None:
    refused = run_command("experiment", "compare", "toy-control", "--output", "x.html", cwd=folder)
    assert refused.returncode == 2
    assert "expected two or more" in refused.stderr
    assert not (folder / "x.html").exists()


def test_exported_files_are_compared_without_any_hub(folder: Path, tmp_path: Path) -> None:
    for name in ("toy", "toy-control"):
        shutil.copytree(folder / "results" / name, tmp_path / name)
    words = ("experiment", "compare", "toy/experiment.json")
    told = run_command(*words, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "toy-control (random)" in told.stdout
    assert (tmp_path / "comparison.html").is_file()
