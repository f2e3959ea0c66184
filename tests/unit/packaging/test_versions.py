"""Versions of the Debian package stay beside each other as long as processes use them."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "packaging/debian/versions.py"


@pytest.fixture(scope="module")
def versions() -> ModuleType:
    spec = importlib.util.spec_from_file_location("versions", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path: Path) -> Path:
    unpack(tmp_path, "1.0", "lib/agent.py", "lib/old.py")
    return tmp_path


@pytest.fixture
def processes(tmp_path: Path) -> Path:
    process(tmp_path / "proc", "self")
    return tmp_path / "proc"


def unpack(root: Path, version: str, *names: str) -> None:
    """As dpkg does: each file is replaced by a new one, and what is not named goes."""
    package = root / "package"
    for name in ("bin/alectio-agent", *names):
        file = package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(f"# {version}\n")
    (package / "bin/alectio-agent").write_text(f"#!/opt/alectio-agent/{version}/bin/python3\n")
    python = package / "bin/python3"
    python.unlink(missing_ok=True)
    python.symlink_to("/bin/true")
    for file in package.glob("lib/*"):
        if file.is_file() and str(file.relative_to(package)) not in names:
            file.unlink()


def process(processes: Path, name: str, cmdline: str = "", maps: str = "") -> None:
    (processes / name).mkdir(parents=True)
    (processes / name / "cmdline").write_text(cmdline.replace(" ", "\0"))
    (processes / name / "maps").write_text(maps)


def test_a_version_is_second_names_of_what_was_installed(root: Path, versions: ModuleType) -> None:
    versions.take(root)
    assert (root / "current").readlink() == Path("1.0")
    assert (root / "1.0/lib/agent.py").samefile(root / "package/lib/agent.py")
    assert (root / "1.0/bin/python3").readlink() == Path("/bin/true")


def test_an_upgrade_leaves_the_files_of_the_version_before(
    root: Path, versions: ModuleType
) -> None:
    versions.take(root)
    unpack(root, "1.1", "lib/agent.py")
    versions.take(root)
    assert (root / "1.0/lib/agent.py").read_text() == "# 1.0\n"
    assert (root / "1.0/lib/old.py").exists()
    assert (root / "1.1/lib/agent.py").read_text() == "# 1.1\n"
    assert (root / "current").readlink() == Path("1.1")


def test_the_same_version_once_more_becomes_what_is_installed_now(
    root: Path, versions: ModuleType
) -> None:
    """The hub's package adds its files, and takes them away with what was compiled of them."""
    versions.take(root)
    cache = root / "1.0/lib/__pycache__"
    cache.mkdir()
    for name in ("agent", "old"):
        (cache / f"{name}.cpython-311.pyc").touch()
    unpack(root, "1.0", "lib/agent.py", "lib/more/hub.py")
    versions.take(root)
    assert {file.name for file in (root / "1.0/lib").rglob("*.py*")} == {
        "agent.py", "agent.cpython-311.pyc", "hub.py",
    }  # fmt: skip
    assert (root / "1.0/lib/agent.py").samefile(root / "package/lib/agent.py")
    unpack(root, "1.0", "lib/agent.py")
    (root / "package/lib/more/hub.py").unlink()
    versions.take(root)
    assert not (root / "1.0/lib/more").exists()


@pytest.mark.parametrize(
    ("cmdline", "maps"),
    [("{}/1.0/bin/python3 /usr/bin/alectio-agent run", ""), ("alectio", "7f00 {}/1.0/lib/x.so")],
    ids=["command line", "library"],
)  # fmt: skip
def test_a_version_stays_while_a_process_runs_from_it(
    root: Path, processes: Path, versions: ModuleType,
    capsys: pytest.CaptureFixture[str], cmdline: str, maps: str,
) -> None:  # fmt: skip
    versions.take(root)
    unpack(root, "1.1", "lib/agent.py")
    versions.take(root)
    process(processes, "42", cmdline.format(root), maps.format(root))
    process(processes, "43", f"{root}/1.1/bin/python3 /usr/bin/alectio-agent run")
    versions.tidy(root, processes)
    assert (root / "1.0").exists()
    said = capsys.readouterr().out
    assert "process 42 goes on with version 1.0; nothing was stopped" in said
    assert "takes 1.1 at `alectio-agent restart`, which waits for the running step" in said
    (processes / "42/cmdline").unlink()
    (processes / "42/maps").unlink()
    versions.tidy(root, processes)
    assert sorted(entry.name for entry in root.iterdir()) == [
        "1.1",
        "current",
        "package",
        "proc",
    ], "what is no version is left alone"


def test_nothing_goes_where_the_kernel_tells_nothing(
    root: Path, versions: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    versions.take(root)
    unpack(root, "1.1")
    versions.take(root)
    versions.tidy(root, root / "no-proc")
    assert (root / "1.0").exists()
    assert "1.0 is kept: without /proc nobody knows" in capsys.readouterr().out


def test_a_removal_takes_all_versions_but_those_that_run(
    root: Path, processes: Path, versions: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    versions.take(root)
    unpack(root, "1.1")
    versions.take(root)
    process(processes, "42", f"{root}/1.0/bin/python3 /usr/bin/alectio-agent run")
    versions.forget(root, processes)
    assert not (root / "1.1").exists()
    assert not (root / "current").is_symlink()
    assert "1.0 is kept: process 42 runs from it" in capsys.readouterr().out
