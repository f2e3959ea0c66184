"""`experiment report` from a hub on another machine, for which a viewer's token is enough."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alectio_agent.cli.main import main
from tests.support.hub_process import Hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    hub = Hub.served(folder / "data")
    for name, batch in (("digits", 4), ("letters", 5)):
        settings = {"name": name, "classes": 2, "batch": batch, "loops": 3, "pool": 20,
                    "pipeline": "x"}  # fmt: skip
        assert hub.operate("POST", "/v1/experiments", {"settings": settings}).status_code == 200
    yield hub
    hub.stop()


def run(hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    made = hub.operate("POST", "/v1/tokens", {"name": folder.name, "scope": "viewer"})
    token = folder / "token"
    token.write_text(made.json()["token"])
    token.chmod(0o600)
    monkeypatch.chdir(folder)
    where = ("--hub", hub.url, "--token-file", str(token))
    return CliRunner().invoke(main, ["experiment", *words, *where], env={"ALECTIO_HUB": None})


def test_a_report_is_written_beside_whoever_asks(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(hub, tmp_path, monkeypatch, "report", "digits")
    assert (result.exit_code, result.stdout) == (0, "digits-report.html\n"), result.output
    assert (tmp_path / "digits-report.html").read_text().startswith("<!doctype html>")


def test_it_is_opened_only_when_that_was_asked(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    result = run(hub, tmp_path, monkeypatch, "report", "digits", "--open")
    assert result.exit_code == 0, result.output
    assert opened == [(tmp_path / "digits-report.html").as_uri()]


def test_experiments_without_a_loop_are_compared_too(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(hub, tmp_path, monkeypatch, "compare", "digits", "letters")
    assert result.exit_code == 0, result.output
    assert "no loop of any is judged yet" in result.stdout
    assert (tmp_path / "comparison.html").is_file()


def test_without_the_extra_it_is_said_what_to_install(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alectio_agent.cli.report_tools.NEEDED", ("no_such_module",))
    result = run(hub, tmp_path, monkeypatch, "compare", "digits", "letters")
    assert (result.exit_code, "E-USE-03" in result.output) == (78, True)
    assert "pip install 'alectio-agent[hub]'" in result.output
    assert not (tmp_path / "comparison.html").exists()
