"""What a train run was made of: packages, source files, arguments."""

import hashlib
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from alectio_agent.agent.hooks import source_files
from alectio_agent.agent.hooks.child.provenance import (
    list_packages,
    plain_args,
    tell_interpreter,
)
from alectio_agent.agent.hooks.edited_files import EditedFiles
from alectio_agent.agent.hooks.git_state import GitState
from alectio_agent.agent.hooks.provenance import CodeReader
from alectio_agent.agent.hooks.source_files import find_sources
from alectio_agent.config.pipeline import PipelineSettings


def site(folder: Path, *entries: str) -> str:
    folder.mkdir()
    for entry in entries:
        (folder / entry).mkdir()
    return str(folder)


class TestPackages:
    def test_names_and_versions_come_from_the_names_of_metadata(self, tmp_path: Path) -> None:
        path = site(
            tmp_path / "site", "torch-2.1.0+cu118.dist-info", "Ruamel.Yaml_Clib-0.2.dist-info",
            "setuptools-68.1.2-py3.11.egg-info", "a-2-1.0.egg-info", "torch", "numpy.libs",
        )  # fmt: skip
        assert list_packages([path]) == {
            "a-2": "1.0", "ruamel-yaml-clib": "0.2", "setuptools": "68.1.2", "torch": "2.1.0+cu118",
        }  # fmt: skip

    def test_the_first_on_the_path_wins_as_for_import(self, tmp_path: Path) -> None:
        first = site(tmp_path / "user", "numpy-2.0.dist-info")
        second = site(tmp_path / "system", "numpy-1.26.dist-info", "scipy-1.11.dist-info")
        assert list_packages([first, second]) == {"numpy": "2.0", "scipy": "1.11"}

    def test_what_names_no_version_is_passed_over(self, tmp_path: Path) -> None:
        path = site(tmp_path / "site", "~umpy-1.0.dist-info", "mine.egg-info", "-.dist-info")
        assert list_packages([path]) == {}

    def test_whatever_hooks_put_on_the_path_does_no_harm(self, tmp_path: Path) -> None:
        zipped = tmp_path / "lib.zip"
        zipped.write_text("")
        odd: list[Any] = [str(zipped), "/nowhere", b"/usr", None, tmp_path, "a\0b"]
        assert list_packages(odd) == {}

    def test_the_list_is_bounded(self, tmp_path: Path) -> None:
        path = site(tmp_path / "site", *(f"p{at}-1.dist-info" for at in range(2050)))
        assert len(list_packages([path])) == 2000

    def test_this_interpreter_tells_itself(self) -> None:
        told = tell_interpreter()
        assert told["version"] == ".".join(map(str, sys.version_info[:3]))
        assert "pytest" in told["packages"]


class TestArgs:
    def test_plain_values_stay(self) -> None:
        args = {"lr": 0.1, "epochs": 3, "names": ["a", None], "deep": {"on": True}}
        assert plain_args(args) == args

    @pytest.mark.parametrize(
        ("value", "told"),
        [
            (float("nan"), "nan"),
            (2**70, "<int>"),
            (object(), "<object>"),
            (list(range(201)), "<list>"),
            (Path("/data"), "/data"),
            ((1, 2), [1, 2]),
            ({1: 2}, {"1": 2}),
            ("x" * 600, "x" * 500),
            ("\udc80", "?"),
            ([[[[[[1]]]]]], [[[[["<list>"]]]]]),
        ],
    )
    def test_what_json_cannot_hold_is_named(self, value: Any, told: Any) -> None:
        assert plain_args(value) == told

    def test_code_of_the_users_does_not_run(self) -> None:
        class Rude(dict):  # type: ignore[type-arg]
            def items(self) -> Any:
                raise RuntimeError

        assert plain_args({"a": Rude(b=1)}) == {"a": "<Rude>"}


def names(root: Path, skipped: Collection[Path] = ()) -> list[str]:
    return [str(file.relative_to(root)) for file in find_sources(root, skipped)[0]]


def write(file: Path, text: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


class TestSourceFiles:
    def test_sources_are_found_nearest_first(self, tmp_path: Path) -> None:
        for name in ("b/deep/d.py", "b/c.py", "a.py", "z.py", "b/data.json", "notes.txt"):
            write(tmp_path / name)
        assert names(tmp_path) == ["a.py", "z.py", "b/c.py", "b/deep/d.py"]

    def test_what_is_not_the_users_own_is_passed_over(self, tmp_path: Path) -> None:
        write(tmp_path / "venv" / "pyvenv.cfg")
        write(tmp_path / "conda" / "conda-meta" / "history")
        write(tmp_path / "state" / "agent.db")
        for name in (
            ".git/a.py", "venv/lib/a.py", "conda/a.py", "state/a.py", "checkpoints/a.py",
            "lib/site-packages/a.py", "__pycache__/a.py", ".hidden.py",
        ):  # fmt: skip
            write(tmp_path / name)
        assert find_sources(tmp_path, [tmp_path / "checkpoints"]) == ([], True)

    def test_hooks_in_the_folder_of_their_environment_are_found(self, tmp_path: Path) -> None:
        write(tmp_path / "pyvenv.cfg")
        write(tmp_path / "processes.py")
        assert names(tmp_path) == ["processes.py"]

    def test_links_to_folders_are_not_followed(self, tmp_path: Path) -> None:
        write(tmp_path / "a.py")
        (tmp_path / "again").symlink_to(tmp_path)
        assert names(tmp_path) == ["a.py"]

    def test_a_folder_of_data_is_not_read_to_its_end(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(source_files, "MOST_IN_FOLDER", 5)
        for at in range(6):
            write(tmp_path / "data" / f"{at}.py")
        write(tmp_path / "model" / "net.py")
        files, is_whole = find_sources(tmp_path, [])
        assert [file.name for file in files] == ["net.py"]
        assert not is_whole

    def test_the_whole_walk_ends_after_so_many_entries(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(source_files, "MOST_ENTRIES", 6)
        for folder in "abc":
            for at in range(3):
                write(tmp_path / folder / f"{at}.py")
        files, is_whole = find_sources(tmp_path, [])
        assert len(files) == 3
        assert not is_whole

    def test_so_many_files_are_enough(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(source_files, "MOST_FILES", 2)
        for at in range(3):
            write(tmp_path / f"{at}.py")
        assert names(tmp_path) == ["0.py", "1.py"]
        assert not find_sources(tmp_path, [])[1]

    def test_a_folder_that_is_gone_has_none(self, tmp_path: Path) -> None:
        assert find_sources(tmp_path / "gone", []) == ([], False)


class Scene:
    """A folder of hooks, as one process has loaded it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hooks = write(folder / "processes.py", "A = 1\n")
        self.asked: list[list[str]] = []
        pipeline = PipelineSettings(hooks=self.hooks, cwd=folder)
        self.read = EditedFiles([self.hooks], lambda: 0)
        self.reader = CodeReader(pipeline, self.read, self.ask)

    def ask(self, folder: Path, sources: Collection[str]) -> GitState:
        assert folder == self.folder
        self.asked.append(sorted(sources))
        return GitState("c" * 40, is_dirty=False)

    def look(self) -> Any:
        return self.reader.look([self.hooks])


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class TestCode:
    def test_the_digest_is_that_of_sha256sum_over_its_own_output(self, tmp_path: Path) -> None:
        scene = Scene(tmp_path)
        write(tmp_path / "model" / "net.py", "B = 2\n")
        code = scene.look()
        assert code.files == {"model/net.py": sha256("B = 2\n"), "processes.py": sha256("A = 1\n")}
        lines = f"{sha256('B = 2' + chr(10))}  model/net.py\n{sha256('A = 1' + chr(10))}  "
        assert code.digest == sha256(lines + "processes.py\n")
        assert code.is_whole

    def test_of_a_file_that_was_edited_meanwhile_what_the_process_read_is_told(
        self, tmp_path: Path
    ) -> None:
        """What is recorded is what ran."""
        scene = Scene(tmp_path)
        scene.hooks.write_text("A = 3\n")
        assert scene.look().files == {"processes.py": sha256("A = 1\n")}

    def test_git_is_asked_again_only_when_files_changed(self, tmp_path: Path) -> None:
        scene = Scene(tmp_path)
        first = scene.look()
        assert scene.look() is first
        added = write(tmp_path / "late.py", "C = 1\n")
        assert scene.look().files["late.py"] == sha256("C = 1\n")
        added.write_text("C = 22\n")
        assert scene.look().files["late.py"] == sha256("C = 22\n")
        added.unlink()
        assert scene.look() == first
        assert len(scene.asked) == 4

    def test_the_place_of_the_folder_changes_nothing(self, tmp_path: Path) -> None:
        """Two runs of the same code give the same document."""
        assert Scene(tmp_path / "one").look() == Scene(tmp_path / "two").look()

    def test_imported_files_elsewhere_are_told_by_their_way_from_the_hooks(
        self, tmp_path: Path
    ) -> None:
        scene = Scene(tmp_path / "hooks")
        beside = write(tmp_path / "lib" / "x.py", "X = 1\n")
        code = scene.reader.look([scene.hooks, beside])
        assert code.files["../lib/x.py"] == sha256("X = 1\n")

    def test_a_file_that_cannot_be_read_or_is_too_large_is_left_out(self, tmp_path: Path) -> None:
        scene = Scene(tmp_path)
        write(tmp_path / "large.py", "#" * (2**20 + 1))
        (tmp_path / "broken.py").symlink_to("nowhere")
        os.mkfifo(tmp_path / "pipe.py")
        assert list(scene.look().files) == ["processes.py"]
