"""The tutorial is true: its commands are typed as they stand, on a terminal of 80 columns."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.pages import DOCS, blocks_of, commands_of
from tests.support.projects import read_experiment
from tests.support.terminals import Shown, on_terminal

PAGE = DOCS / "tutorial.md"
FIRST = "alectio-agent init digits"


@dataclass(frozen=True)
class Walk:
    """What was typed, and what came of it.

    Attributes:
        folder: The project that was made.
        said: By command, what stood on the screen; the newest of those typed twice.
    """

    folder: Path
    said: dict[str, Shown]


def typed(command: str, folder: Path) -> Shown:
    """As in a shell with this environment's programs first."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return on_terminal(["sh", "-c", command], folder, {"PATH": path})


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, any_disk: None) -> Iterator[Walk]:
    folder, said = tmp_path_factory.mktemp("tutorial"), dict[str, Shown]()
    lines = commands_of(PAGE)
    for line in lines[lines.index(FIRST) :]:
        command, _, comment = (part.strip() for part in line.partition(" # "))
        if command.startswith("cd "):
            folder = folder / command.removeprefix("cd ")
            continue
        done = typed(command, folder)
        promised = re.fullmatch(r"ends with (\d+)", comment)
        assert done.code == int(promised[1] if promised else 0), (command, done.text)
        said[command] = done
    return Walk(folder, said)


@pytest.mark.timeout(240)
def test_the_tutorial_ends_with_a_finished_experiment(walk: Walk) -> None:
    shown = read_experiment(walk.folder, "digits")
    assert shown["state"] == "finished"
    assert [loop["labels"] for loop in shown["loops"]] == [10, 20, 30, 40, 50, 60, 70, 80]
    assert "report.html" in walk.said["ls results/digits"].text
    assert "AttributeError" in walk.said["alectio-agent jobs"].text


def test_what_it_installs_is_what_the_readme_installs() -> None:
    """Those few lines are the only ones that are not typed here: they would take minutes."""
    lines = commands_of(PAGE)
    assert [line.split()[0] for line in lines[: lines.index(FIRST)]] == [
        "python3", ".venv/bin/pip", ".", "alectio-agent",
    ]  # fmt: skip
    assert "install '.[hub]'" in lines[1]


def test_its_snippet_reads_the_table(walk: Walk) -> None:
    (snippet,) = blocks_of(PAGE, "python")
    read = subprocess.run(
        [sys.executable, "-c", snippet], cwd=walk.folder, capture_output=True, text=True
    )
    assert read.returncode == 0, read.stderr
    assert [line.split()[:2] for line in read.stdout.splitlines()][:2] == [["0", "10"], ["1", "20"]]


def test_all_that_it_shows_fits_80_columns_without_colour(walk: Walk) -> None:
    """But for `logs`, which gives what hooks printed as they printed it."""
    shown_by = {command: shown for command, shown in walk.said.items() if " logs " not in command}
    assert len(shown_by) > 10
    for command, shown in shown_by.items():
        assert wide(shown, walk.folder) == [], command
        assert "\x1b" not in shown.text, command


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("check --offline", 0),
        ("experiment list", 0),
        ("hub token list", 0),
        ("jobs", 0),
        ("explain E-HOOK-99", 2),
        ("experiment create nothing.yaml", 78),
        ("pause --for 3parsecs", 2),
    ],
)
def test_what_people_look_at_fits_too(walk: Walk, command: str, code: int) -> None:
    shown = typed(f"alectio-agent {command}", walk.folder)
    assert (shown.code, wide(shown, walk.folder)) == (code, []), shown.text
    assert "\x1b" not in shown.text


def wide(shown: Shown, folder: Path) -> list[str]:
    """Lines that are too wide, wherever the project is.

    But for the log's, which a terminal breaks by itself.
    """
    text = shown.text.replace(f"{folder}/", "").replace(f"{folder.parent}/", "")
    lines = replace(shown, text=text).wide
    return [line for line in lines if not re.match(r"\d{4}-\d\d-\d\d ", line)]
