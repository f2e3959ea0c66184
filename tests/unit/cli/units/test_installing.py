"""Units are put into place and taken away; nothing else is touched."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest
from click.testing import CliRunner

from alectio_agent.cli.main import main
from alectio_agent.cli.units.installing import install, uninstall
from alectio_agent.cli.units.machine import Machine
from alectio_agent.cli.units.plan import Plan
from alectio_agent.cli.units.texts import Unit
from alectio_agent.cli.units.wishes import Wishes
from alectio_agent.core.errors import NotRootError, StoreError, UsageError

UNIT = Path("etc/systemd/system/alectio-agent.service")
DROP_IN = Path("etc/systemd/system/alectio-agent.service.d/10-service-install.conf")
AGENT = Unit()


class Here(Machine):
    """This machine as far as anybody can see, with its files in a folder; runs nothing."""

    is_image = False
    may_write = True
    own = (Path("/opt/alectio-agent"), Path("/usr"))

    def __init__(self, root: Path, *, is_booted: bool = False, run: "Ran") -> None:
        super().__init__(root, is_booted, run, self.own)

    def knows_user(self, name: str) -> bool:
        return name == "ml"


class HereAtHome(Here):
    own = (Path("/home"), Path("/usr"))


class Ran:
    """Commands that were run; those named here go wrong."""

    def __init__(self, wrong: Mapping[str, str] = MappingProxyType({})) -> None:
        self.words: list[Sequence[str]] = []
        self.wrong = wrong

    def __call__(self, words: Sequence[str]) -> str:
        self.words.append(words)
        return self.wrong.get(words[0], "") or self.wrong.get(words[1], "")


def call(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["service", *map(str, words)])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.stderr


@pytest.mark.parametrize("words", [[], ["--gpu", "--write", "/srv/x"], ["--unit", "alectio-hub"]])
def test_print_unit_prints_exactly_what_install_writes(tmp_path: Path, words: list[str]) -> None:
    call("install", *words, "--root", tmp_path)
    found = {f"/{file.relative_to(tmp_path)}": file.read_text()
             for file in sorted(tmp_path.rglob("*")) if file.is_file()}  # fmt: skip
    assert json.loads(call("print-unit", *words, "--json"))["files"] == found
    printed = call("print-unit", *words)
    assert printed == "\n".join(f"# {path}\n{text}" for path, text in found.items())


def test_files_can_be_read_by_all_and_changed_by_nobody_else(tmp_path: Path) -> None:
    call("install", "--gpu", "--root", tmp_path)
    assert (tmp_path / UNIT).stat().st_mode & 0o777 == 0o644
    assert (tmp_path / DROP_IN).stat().st_mode & 0o777 == 0o644


def test_install_tells_what_comes_next(tmp_path: Path) -> None:
    (tmp_path / "etc/alectio-agent").mkdir(parents=True)
    (tmp_path / "etc/alectio-agent/agent.yaml").touch()
    done = CliRunner().invoke(main, ["service", "install", "--root", str(tmp_path)])
    assert done.stdout == f"wrote /{UNIT}\n"
    assert done.stderr.splitlines() == [
        "Next:",
        f"  systemd-sysusers --root={tmp_path} --inline "
        "'u alectio-agent - \"alectio-agent\" /var/lib/alectio-agent'",
        "  write /etc/alectio-agent/token",
        f"  systemctl --root={tmp_path} enable alectio-agent",
    ]


def test_an_install_without_options_takes_the_old_drop_in_away(tmp_path: Path) -> None:
    call("install", "--gpu", "--root", tmp_path)
    assert f"removed /{DROP_IN}" in call("install", "--root", tmp_path)
    assert not (tmp_path / DROP_IN).exists()


def test_uninstall_leaves_all_but_what_install_wrote(tmp_path: Path) -> None:
    call("install", "--gpu", "--root", tmp_path)
    own = tmp_path / "etc/systemd/system/alectio-agent.service.d/override.conf"
    state = tmp_path / "var/lib/alectio-agent/agent.db"
    link = tmp_path / "etc/systemd/system/multi-user.target.wants/alectio-agent.service"
    for file in (own, state):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("mine")
    link.parent.mkdir()
    link.symlink_to("/etc/systemd/system/alectio-agent.service")
    call("uninstall", "--root", tmp_path)
    assert [file for file in sorted(tmp_path.rglob("*")) if not file.is_dir()] == [own, state]


def test_uninstalling_twice_is_no_mistake(tmp_path: Path) -> None:
    call("install", "--unit", "alectio-agent@", "--root", tmp_path)
    call("uninstall", "--unit", "alectio-agent@", "--root", tmp_path)
    done = CliRunner().invoke(
        main, ["service", "uninstall", "--unit", "alectio-agent@", "--root", str(tmp_path)]
    )
    assert (done.exit_code, done.stderr) == (0, "alectio-agent@: nothing was installed\n")


@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_somebody_elses_unit_stays_as_it_is(tmp_path: Path, verb: str) -> None:
    (tmp_path / UNIT).parent.mkdir(parents=True)
    (tmp_path / UNIT).write_text("[Service]\nExecStart=/mine\n")
    assert "E-SVC-03" in call(verb, "--root", tmp_path, code=2)
    assert (tmp_path / UNIT).read_text() == "[Service]\nExecStart=/mine\n"
    assert not (tmp_path / DROP_IN).exists()


def test_the_unit_of_a_package_is_not_hidden_by_another(tmp_path: Path) -> None:
    """Upgrades of the package would change a file that nobody reads."""
    packaged = tmp_path / "usr/lib/systemd/system/alectio-agent.service"
    packaged.parent.mkdir(parents=True)
    packaged.write_text(AGENT.text())
    call("install", "--gpu", "--root", tmp_path)
    assert not (tmp_path / UNIT).exists()
    assert (tmp_path / DROP_IN).exists()
    # Without an option nothing is written: then silence would look like a mistake.
    for verb in ("install", "print-unit", "uninstall"):
        done = CliRunner().invoke(main, ["service", verb, "--root", str(tmp_path)])
        assert done.stderr.splitlines()[0] == (
            "/usr/lib/systemd/system/alectio-agent.service stays: it is a package's"
        )
    assert packaged.exists()


def test_only_root_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    said = call("install", code=77)
    assert said.startswith("E-SVC-01  service install writes below /etc/systemd/system")
    assert "service print-unit" in said
    assert f"sudo {Path(sys.executable).parent}/alectio-agent service install" in said
    with pytest.raises(NotRootError):
        uninstall(AGENT, Machine())


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("")
    with pytest.raises(StoreError, match=r"alectio-agent\.service: cannot be"):
        install(Plan(AGENT, Wishes(), tmp_path), Machine(tmp_path))


def plan(root: Path, **wishes: object) -> Plan:
    return Plan(AGENT, Wishes(**wishes), root)  # type: ignore[arg-type]


@pytest.mark.parametrize("is_booted", [True, False])
def test_systemd_is_told_where_it_runs(tmp_path: Path, is_booted: bool) -> None:
    ran = Ran()
    outcome = install(plan(tmp_path), Here(tmp_path, is_booted=is_booted, run=ran))
    reloads = [words for words in ran.words if words[0] == "systemctl"]
    assert reloads == ([["systemctl", "daemon-reload"]] if is_booted else [])
    assert outcome.next[-2:] == [
        "systemctl enable --now alectio-agent",
        "systemctl status alectio-agent",
    ]


def test_what_is_still_missing_is_told_as_commands_to_type(tmp_path: Path) -> None:
    there = Here(tmp_path, run=Ran())
    assert install(plan(tmp_path), there).next[:3] == [
        "write /etc/alectio-agent/agent.yaml",
        "alectio-agent enroll URL",
        "alectio-agent check",
    ]
    (tmp_path / "etc/alectio-agent").mkdir(parents=True)
    for name in ("agent.yaml", "token"):
        (tmp_path / "etc/alectio-agent" / name).touch()
    assert install(plan(tmp_path), there).next[0] == "alectio-agent check"


def test_commands_for_one_of_several_agents_name_its_file(tmp_path: Path) -> None:
    several = Plan(Unit("alectio-agent@"), Wishes(), tmp_path)
    assert install(several, Here(tmp_path, run=Ran())).next[:3] == [
        "write /etc/alectio-agent/NAME/agent.yaml",
        "alectio-agent enroll URL -c /etc/alectio-agent/NAME/agent.yaml",
        "alectio-agent check -c /etc/alectio-agent/NAME/agent.yaml",
    ]


def test_the_users_of_units_are_made_and_those_of_people_are_not(tmp_path: Path) -> None:
    ran = Ran()
    install(plan(tmp_path, run_as="ml"), Here(tmp_path, run=ran))
    assert ran.words == []
    install(plan(tmp_path), Here(tmp_path, run=ran))
    assert ran.words == [
        ["systemd-sysusers", "--inline", 'u alectio-agent - "alectio-agent" /var/lib/alectio-agent']
    ]


def test_a_user_that_could_not_be_made_is_told_with_the_command(tmp_path: Path) -> None:
    machine = Here(tmp_path, run=Ran({"systemd-sysusers": "gone"}))
    outcome = install(plan(tmp_path), machine)
    assert outcome.warnings == ["the user alectio-agent was not made: gone"]
    assert outcome.next[0].startswith("systemd-sysusers --inline ")


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"run_as": "nobody-here"}, "--run-as: found nobody-here"),
        ({"read": (Path("/srv/not/there"),)}, "/srv/not/there: no such file"),
        ({"write": (Path("/srv/not/there"),)}, "/srv/not/there: no such file"),
    ],
)
def test_what_the_service_could_not_start_with_is_refused(
    tmp_path: Path, wishes: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        install(plan(tmp_path, **wishes), Here(tmp_path, run=Ran()))
    assert list(tmp_path.iterdir()) == []


def test_an_installation_in_a_home_is_refused_unless_it_is_shown(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lies in /home") as caught:
        install(plan(tmp_path), HereAtHome(tmp_path, run=Ran()))
    assert caught.value.hint.endswith("--read /home")
    install(plan(tmp_path, read=(Path("/home"),)), HereAtHome(tmp_path, run=Ran()))


def test_a_service_that_runs_is_not_taken_away(tmp_path: Path) -> None:
    machine = Here(tmp_path, is_booted=True, run=Ran())
    install(plan(tmp_path), machine)
    with pytest.raises(UsageError, match="is running") as caught:
        uninstall(AGENT, machine)
    assert "systemctl disable --now" in caught.value.hint
    stopped = Here(tmp_path, is_booted=True, run=Ran({"is-active": "inactive"}))
    assert uninstall(AGENT, stopped).removed == [f"/{UNIT}"]
    assert ["systemctl", "daemon-reload"] in stopped.run.words  # type: ignore[attr-defined]
