"""What every command about a hub says to the same mistakes: message, code, exit code."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alectio_agent.cli.main import main
from tests.support.hub_process import Hub

VERBS = ("show", "pause", "resume", "cancel", "retry", "rewind", "reassign", "extend", "export")
MORE = {"extend": ("--loops", "9"), "diff": ("0", "1")}
OF_ONE = [("experiment", verb, "{name}", *MORE.get(verb, ())) for verb in (*VERBS, "diff")]
CHANGING = [words for words in OF_ONE if words[1] not in ("show", "diff", "export")]
OF_A_HUB = [
    *OF_ONE,
    ("experiment", "list"),
    ("experiment", "create", "{file}"),
    ("hub", "token", "list"),
    ("hub", "token", "create", "gpu07"),
    ("hub", "token", "revoke", "gpu07"),
]


def named(words: tuple[str, ...]) -> str:
    """The words of a command that name it."""
    return " ".join(word for word in words if word.isalpha())


class Site:
    """A hub, a folder with its tokens, and an experiment called `toy` that no agent runs."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.folder = folder
        self.hub = hub
        self.write_token("operator", hub.operator_token)
        self.file = folder / "experiment.yaml"
        self.file.write_text("name: toy\nclasses: 3\nbatch: 5\nloops: 4\npool: 60\npipeline: toy\n")
        made = self.call("experiment", "create", str(self.file))
        assert made.exit_code == 0, made.stderr
        for scope in ("agent", "viewer"):
            token = self.call("hub", "token", "create", scope, "--scope", scope)
            assert token.exit_code == 0, token.stderr
            self.write_token(scope, token.stdout.strip())
        gone = self.call("hub", "token", "create", "gone")
        self.write_token("gone", gone.stdout.strip())
        assert self.call("hub", "token", "revoke", "gone").exit_code == 0

    def write_token(self, name: str, token: str) -> None:
        (self.folder / name).write_text(token)
        (self.folder / name).chmod(0o600)

    def call(
        self, *words: str, name: str = "toy", token: str = "operator", hub: str = ""
    ) -> Result:
        """Run a command against the hub."""
        filled = [word.format(name=name, file=self.file) for word in words]
        where = ["--hub", hub or self.hub.url, "--token-file", str(self.folder / token)]
        return CliRunner().invoke(main, [*filled, *where])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    hub = Hub.served(folder / "hub")
    try:
        yield Site(folder, hub)
    finally:
        hub.stop()


def refused(result: Result, code: str, exit_code: int) -> str:
    """What was said on stderr, once it is a refusal as it should be."""
    assert result.exit_code == exit_code, result.output
    assert f"{code}  " in result.stderr
    assert f"More: alectio-agent explain {code}" in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    return result.stderr


@pytest.mark.parametrize("words", OF_ONE, ids=named)
def test_an_experiment_that_is_not_there(site: Site, words: tuple[str, ...]) -> None:
    said = refused(site.call(*words, name="tyo"), "E-EXP-01", 2)
    assert "no experiment is called `tyo`" in said
    assert "alectio-agent experiment list" in said


@pytest.mark.parametrize("words", OF_ONE, ids=named)
@pytest.mark.parametrize("name", ["../x", "a b", "x" * 65])
def test_a_name_that_no_experiment_can_have(site: Site, words: tuple[str, ...], name: str) -> None:
    refused(site.call(*words, name=name), "E-EXP-05", 2)


@pytest.mark.parametrize("words", OF_A_HUB, ids=named)
def test_a_hub_that_does_not_answer(site: Site, words: tuple[str, ...]) -> None:
    said = refused(site.call(*words, hub="http://127.0.0.1:9"), "E-NET-01", 75)
    assert "http://127.0.0.1:9" in said
    assert "alectio-agent hub serve" in said


def test_a_hub_without_tls_is_asked_for_by_http(site: Site) -> None:
    url = site.hub.url.replace("http:", "https:")
    said = refused(site.call("experiment", "list", hub=url), "E-TLS-05", 75)
    assert "that port speaks no TLS" in said
    assert "Is it http://... instead of https://...?" in said


def test_a_proxy_in_the_environment_is_not_asked_for_a_hub_on_this_machine(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be handed the operator's token."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert site.call("experiment", "show", "toy").exit_code == 0


def test_a_token_of_another_hub_is_named_with_its_file(site: Site) -> None:
    site.write_token("other", "alt_" + "x" * 43)
    said = refused(site.call("experiment", "list", token="other"), "E-AUTH-04", 77)
    assert str(site.folder / "other") in said
    assert "alectio-agent hub token create NAME --scope viewer" in said


def test_the_wrong_state_comes_with_the_command_for_it(site: Site) -> None:
    """E-EXP-02: whoever wants to resume what waits or is paused reads how."""
    assert site.call("experiment", "pause", "toy").exit_code == 0
    said = refused(site.call("experiment", "pause", "toy"), "E-EXP-02", 2)
    assert "It is paused: alectio-agent experiment resume toy" in said
    assert site.call("experiment", "resume", "toy").exit_code == 0


@pytest.mark.parametrize("words", OF_A_HUB, ids=named)
def test_a_token_that_was_revoked(site: Site, words: tuple[str, ...]) -> None:
    refused(site.call(*words, token="gone"), "E-AUTH-06", 77)


@pytest.mark.parametrize("words", OF_A_HUB, ids=named)
def test_a_token_of_an_agent(site: Site, words: tuple[str, ...]) -> None:
    assert "operator" in refused(site.call(*words, token="agent"), "E-AUTH-07", 77)


@pytest.mark.parametrize("words", CHANGING, ids=named)
def test_a_viewer_may_not_change_anything(site: Site, words: tuple[str, ...]) -> None:
    refused(site.call(*words, token="viewer"), "E-AUTH-07", 77)
    shown = site.call("experiment", "show", "toy")
    assert shown.exit_code == 0
    assert "running" in shown.stdout


@pytest.mark.parametrize("words", OF_A_HUB, ids=named)
def test_a_token_in_the_clear_to_another_machine(site: Site, words: tuple[str, ...]) -> None:
    refused(site.call(*words, hub="http://hub.example.org"), "E-NET-03", 2)


@pytest.mark.parametrize("words", OF_A_HUB, ids=named)
def test_a_token_file_that_is_not_there(site: Site, words: tuple[str, ...]) -> None:
    refused(site.call(*words, token="nowhere"), "E-AUTH-01", 78)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("experiment", "resume", "toy"), "E-EXP-02"),
        (("experiment", "retry", "toy"), "E-EXP-02"),
        (("experiment", "reassign", "toy"), "E-EXP-09"),
        (("experiment", "diff", "toy", "0", "1"), "E-EXP-07"),
        (("experiment", "rewind", "toy", "--loops", "9"), "E-EXP-07"),
        (("experiment", "extend", "toy", "--pool", "70"), "E-EXP-10"),
        (("hub", "token", "revoke", "nobody"), "E-HUB-04"),
        (("hub", "token", "create", "viewer"), "E-HUB-04"),
    ],
    ids=lambda value: named(value) if isinstance(value, tuple) else value,
)
def test_the_wrong_state_for_the_verb(site: Site, words: tuple[str, ...], code: str) -> None:
    refused(site.call(*words), code, 2)
