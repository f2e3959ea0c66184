"""Whether metrics can be put where they are wanted: else only a line of the log says so."""

import os
import pwd
from pathlib import Path

import pytest

from alectio_agent.cli.check_metrics import check_metrics
from alectio_agent.cli.service_unit import ServiceUnit

STRICT = "ProtectSystem=strict"


def unit(*properties: str) -> ServiceUnit:
    return ServiceUnit(Path("/etc/systemd/system/alectio-agent.service"), properties, ())


def test_a_folder_that_takes_files_is_fine(tmp_path: Path) -> None:
    found = check_metrics(tmp_path / "a.prom", None)
    assert (found.state, found.said) == ("ok", str(tmp_path / "a.prom"))


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    found = check_metrics(tmp_path / "not" / "a.prom", None)
    assert found.state == "warn"
    assert found.problems == (
        f"{tmp_path / 'not'} is not there: no metrics are written until it is",
    )


@pytest.mark.parametrize(
    ("properties", "state"),
    [
        ([STRICT], "warn"),
        ([STRICT, "ReadWritePaths=/srv/x"], "warn"),
        ([STRICT, "ReadWritePaths=/srv/x {}"], "ok"),
        ([STRICT, 'BindPaths="{}":/srv/x'], "ok"),
        (["ProtectSystem=full"], "ok"),
    ],
)
def test_a_sandbox_that_forbids_it_is_named_with_the_mend(
    tmp_path: Path, properties: list[str], state: str
) -> None:
    folder = tmp_path / "collector"
    folder.mkdir()
    found = check_metrics(folder / "a.prom", unit(*(each.format(tmp_path) for each in properties)))
    assert found.state == state
    assert (f"service install --write {folder}" in "".join(found.problems)) == (state == "warn")


def test_the_unit_writes_into_its_own_folders() -> None:
    own = unit(STRICT, "StateDirectory=alectio-agent", "CacheDirectory=alectio-agent")
    assert own.may_write(Path("/var/lib/alectio-agent"))
    assert own.may_write(Path("/var/cache/alectio-agent/metrics"))
    assert not own.may_write(Path("/var/lib/prometheus"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root asks for another user")
@pytest.mark.parametrize(
    ("mode", "group", "state"),
    [(0o755, None, "warn"), (0o775, None, "warn"), (0o775, "games", "ok"), (0o777, None, "ok")],
)
def test_root_asks_for_the_user_of_the_service(
    tmp_path: Path, mode: int, group: str | None, state: str
) -> None:
    """Root may write anywhere, and the service may not."""
    games = pwd.getpwnam("games")
    os.chown(tmp_path, 0, games.pw_gid if group else 0)
    tmp_path.chmod(mode)
    found = check_metrics(tmp_path / "a.prom", unit("User=root", "User=games"))
    assert found.state == state
    assert found.problems == () or found.problems[0].startswith("games may not make files in ")
