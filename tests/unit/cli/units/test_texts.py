"""What units and drop-ins say."""

from pathlib import Path

import pytest

from alectio_agent.cli.service_options import UNITS
from alectio_agent.cli.units.__main__ import write_units
from alectio_agent.cli.units.plan import own_command
from alectio_agent.cli.units.texts import NAMES, Unit
from alectio_agent.cli.units.wishes import Wishes
from alectio_agent.core.errors import ExitCode, UsageError

PACKAGING = Path(__file__).parents[4] / "packaging" / "systemd"
AGENT, SEVERAL, HUB = map(Unit, NAMES)


def settings(text: str) -> list[str]:
    return [line for line in text.splitlines() if "=" in line and not line.startswith("#")]


def test_the_static_files_are_what_the_code_makes(tmp_path: Path) -> None:
    """Mend with `make docs`."""
    write_units(tmp_path)
    made = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert {file.name: file.read_text() for file in PACKAGING.iterdir()} == made


def test_the_command_line_knows_all_units() -> None:
    assert UNITS == NAMES


@pytest.mark.parametrize(
    "line",
    [
        "Type=notify",
        "WatchdogSec=3min",
        "LoadCredential=token:/etc/alectio-agent/token",
        "StateDirectory=alectio-agent",
        "CacheDirectory=alectio-agent",
        "Environment=TORCH_HOME=%C/alectio-agent/torch",
        "Environment=HF_HOME=%C/alectio-agent/huggingface",
        "Restart=on-failure",
        "RestartPreventExitStatus=77 78",
        "KillMode=mixed",
        "OOMPolicy=continue",
        "SocketBindDeny=any",
        "Environment=ALECTIO_UNIT=%n",
        "ExecStart=/usr/bin/alectio-agent run --config /etc/alectio-agent/agent.yaml",
    ],
)
def test_the_unit_of_an_agent_says(line: str) -> None:
    assert line in settings(AGENT.text())


@pytest.mark.parametrize("unit", [AGENT, SEVERAL, HUB])
def test_what_torch_needs_is_not_taken_away(unit: Unit) -> None:
    taken = {"MemoryDenyWriteExecute=yes", "ProcSubset=pid", "SystemCallFilter=~@resources"}
    assert taken.isdisjoint(settings(unit.text()))


def test_several_agents_share_neither_configuration_nor_token_nor_state() -> None:
    found = settings(SEVERAL.text())
    assert "LoadCredential=token:/etc/alectio-agent/%i/token" in found
    assert "StateDirectory=alectio-agents/%i" in found
    assert "CacheDirectory=alectio-agents/%i" in found
    assert any(line.endswith("run --config /etc/alectio-agent/%i/agent.yaml") for line in found)


def test_the_hub_may_listen_at_its_port_only() -> None:
    found = settings(HUB.text("/opt/a/bin/alectio-agent"))
    assert "SocketBindAllow=tcp:8642" in found
    assert "SocketBindDeny=any" in found
    assert found[found.index("NotifyAccess=main") + 1].startswith(
        "ExecStart=/opt/a/bin/alectio-agent hub serve --data %S/alectio-hub"
    )


@pytest.mark.parametrize(
    ("wishes", "lines"),
    [
        (Wishes(), []),
        (Wishes(gpu=True), ["PrivateDevices=no", "DeviceAllow=char-nvidia* rw"]),
        (Wishes(run_as="ml"), ["User=ml"]),
        (Wishes(read=(Path("/home/ml/env"),)), ["BindReadOnlyPaths=/home/ml/env"]),
        (Wishes(write=(Path("/srv/x"), Path("/srv/y"))),
         ["ReadWritePaths=/srv/x", "ReadWritePaths=/srv/y"]),
        (Wishes(write=(Path("/home/ml/my work"),)), ['BindPaths="/home/ml/my work"']),
        (Wishes(write=(Path("/tmp/x"), Path("/var/tmp/x"))),  # of its own, both of them
         ["BindPaths=/tmp/x", "BindPaths=/var/tmp/x"]),
        (Wishes(hooks_may_listen=True), ["SocketBindDeny="]),
    ],
)  # fmt: skip
def test_each_option_is_its_lines_of_the_drop_in(wishes: Wishes, lines: list[str]) -> None:
    assert wishes.lines() == lines
    assert wishes.text(AGENT).partition("[Service]\n")[2].splitlines() == lines


@pytest.mark.parametrize(
    "path",
    ["data", "/", "/srv/../etc", "/srv/a:b", "/srv/%h", "/srv/$HOME", '/srv/"', "/srv/a\nUser=root",
     "/srv/\\x"],
)  # fmt: skip
@pytest.mark.parametrize("option", ["read", "write"])
def test_a_path_that_would_mean_something_else_is_refused(option: str, path: str) -> None:
    with pytest.raises(UsageError) as caught:
        Wishes(**{option: (Path(path),)}).check(AGENT)  # type: ignore[arg-type]
    assert caught.value.code == "E-SVC-02"
    assert str(caught.value).startswith(f"E-SVC-02  --{option}: found ")


@pytest.mark.parametrize("name", ["", "ml ops", "0", "ml\nUser=root", "%u"])
def test_a_name_that_no_user_has_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--run-as"):
        Wishes(run_as=name).check(AGENT)


@pytest.mark.parametrize("wishes", [Wishes(gpu=True), Wishes(hooks_may_listen=True)])
def test_a_hub_runs_no_hooks(wishes: Wishes) -> None:
    with pytest.raises(UsageError, match="for agents") as caught:
        wishes.check(HUB)
    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("path", "is_shown"),
    [("/opt/env", True), ("/home/ml/env/bin", True), ("/home/ml", False), ("/root/env", False)],
)
def test_the_service_sees_no_homes_but_what_it_is_shown(path: str, is_shown: bool) -> None:
    assert Wishes(read=(Path("/home/ml/env"),)).shows(Path(path)) == is_shown


def test_the_unit_starts_the_installation_that_wrote_it(tmp_path: Path) -> None:
    command = tmp_path / "my env" / "bin" / "alectio-agent"
    assert own_command(command.parent) == "/usr/bin/alectio-agent"
    command.parent.mkdir(parents=True)
    command.touch()
    assert own_command(command.parent) == f'"{command}"'
    with pytest.raises(UsageError, match="another folder"):
        own_command(tmp_path / "50%")


def test_the_command_of_a_package_is_named_without_its_version(tmp_path: Path) -> None:
    """The folder of the version goes with a later upgrade, and the service would start no more."""
    versions, usual = tmp_path / "opt" / "alectio-agent", tmp_path / "usr-bin-alectio-agent"
    for version in ("1.0.0", "1.1.0"):
        (versions / version / "bin").mkdir(parents=True)
        (versions / version / "bin" / "alectio-agent").touch()
    (versions / "current").symlink_to("1.1.0")
    usual.symlink_to(versions / "current" / "bin" / "alectio-agent")
    assert own_command(versions / "1.1.0" / "bin", usual) == str(usual)
    other = versions / "1.0.0" / "bin"
    assert own_command(other, usual) == f"{other}/alectio-agent"


@pytest.mark.parametrize("unit", [AGENT, SEVERAL, HUB])
def test_a_unit_can_be_read_in_80_columns(unit: Unit) -> None:
    assert [line for line in unit.text().splitlines() if len(line) > 80] == []
