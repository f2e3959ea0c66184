"""The commands about experiments and tokens, against a real hub process."""

import errno
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.cli.main import main
from tests.support.hub_process import Hub

VERBS = ("pause", "resume", "cancel", "retry", "rewind", "reassign", "extend", "export", "show")
SETTINGS = {"name": "digits", "classes": 2, "batch": 4, "loops": 3, "pool": 20}


class Desk:
    """A person at a terminal, with the tokens of each scope in files."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.hub = hub
        self.folder = folder
        self.keep("operator", hub.operator_token)
        for scope in ("viewer", "agent"):
            self.keep(scope, self.make(scope, scope=scope))

    def make(self, name: str, **said: Any) -> str:
        made = self.hub.operate("POST", "/v1/tokens", {"name": name, **said})
        return str(made.json()["token"])

    def keep(self, name: str, token: str) -> None:
        file = self.folder / name
        file.write_text(token)
        file.chmod(0o600)

    def run(self, *words: str, token: str = "operator", url: str | None = None) -> Result:
        where = ("--hub", url or self.hub.url, "--token-file", str(self.folder / token))
        clean = {"ALECTIO_HUB": None, "ALECTIO_HUB_TOKEN_FILE": None}
        return CliRunner().invoke(main, [*words, *where], env=clean)

    def create(self, name: str, **changed: Any) -> None:
        settings = {**SETTINGS, "name": name, "pipeline": "digits", **changed}
        made = self.hub.operate("POST", "/v1/experiments", {"settings": settings})
        assert made.status_code == 200, made.text

    def wait_for_loop_0(self, name: str) -> None:
        """Until its samples are chosen; the hub holds each look until something changed."""
        view: dict[str, Any] = {"version": 0, "loops": []}
        while [loop["state"] for loop in view["loops"]] != ["available"]:
            path = f"/v1/experiments/{name}?after={view['version']}&wait_s=20"
            view = self.hub.operate("GET", path).json()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    hub = Hub.served(folder / "hub")
    yield Desk(hub, folder)
    code, told = hub.stop()
    assert code == 0, told


def test_a_hub_on_this_machine_is_named_by_its_folder(desk: Desk) -> None:
    desk.create("near")
    words = ["experiment", "pause", "near", "--data", str(desk.folder / "hub")]
    result = CliRunner().invoke(main, words, env={"ALECTIO_HUB": None})
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("words", [("list",), ("revoke", "viewer")])
def test_a_viewer_sees_and_revokes_no_tokens(desk: Desk, words: tuple[str, ...]) -> None:
    assert desk.run("hub", "token", *words, token="viewer").exit_code == 77


@pytest.mark.parametrize("verb", VERBS)
def test_a_token_that_nobody_knows_ends_with_77(desk: Desk, verb: str) -> None:
    desk.keep("wrong", "alt_wrong")
    result = desk.run("experiment", verb, "digits", token="wrong")
    assert (result.exit_code, "E-AUTH-04" in result.output) == (77, True)


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        ("resume", "is cancelled; expected one that is paused"),
        ("pause", "expected one that runs"),
        ("cancel", "expected one that has not ended"),
        ("retry", "expected one that waits for a person"),
        ("rewind", "expected one that was not cancelled"),
        ("reassign", "expected one that runs"),
        ("extend", "expected one that was not cancelled"),
    ],
)
def test_the_wrong_state_ends_with_2(desk: Desk, verb: str, told: str) -> None:
    desk.create("ended")
    desk.hub.operate("POST", "/v1/experiments/ended/cancel")
    result = desk.run("experiment", verb, "ended")
    assert (result.exit_code, "E-EXP-02" in result.output) == (2, True)
    assert told in result.output


def test_each_verb_says_in_a_line_what_it_did_and_what_comes_next(desk: Desk) -> None:
    desk.create("told")
    paused = desk.run("experiment", "pause", "told")
    assert paused.stdout == "told: no further job is given out; it is paused\n"
    assert paused.stderr == "Go on: alectio-agent experiment resume told\n"
    resumed = desk.run("experiment", "resume", "told")
    assert resumed.stdout.startswith("told: goes on; ")
    assert "waits for an agent that offers pipeline `digits`" in resumed.stderr
    assert "Go on: alectio-agent run" in resumed.stderr
    extended = desk.run("experiment", "extend", "told", "--loops", "4")
    assert extended.stdout.startswith("told: has 20 samples and 4 loops now; ")
    assert "Write `loops: 4` into experiment.yaml" in extended.stderr
    desk.wait_for_loop_0("told")
    rewound = desk.run("experiment", "rewind", "told")
    assert rewound.stdout.startswith("told: rewound by 1 loop; ")
    cancelled = desk.run("experiment", "cancel", "told")
    assert cancelled.stdout == "told: ended for good, its results stay; it is cancelled\n"


def test_the_json_of_a_verb_is_the_experiment(desk: Desk) -> None:
    desk.create("plain")
    result = desk.run("experiment", "pause", "plain", "--json", "-q")
    assert json.loads(result.output)["state"] == "paused"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("rewind", "fixed", "--loops", "9"), "E-EXP-07"),
        (("reassign", "fixed"), "E-EXP-09"),
        (("extend", "fixed", "--loops", "2"), "E-EXP-10"),
        (("extend", "fixed", "--pool", "30"), "E-EXP-10"),
        (("extend", "fixed"), "E-EXP-10"),
        (("extend", "fixed", "--loops", "50"), "E-EXP-04"),
    ],
)
def test_what_cannot_be_done_ends_with_2(desk: Desk, words: tuple[str, ...], code: str) -> None:
    desk.create("fixed")
    desk.wait_for_loop_0("fixed")
    result = desk.run("experiment", *words)
    assert (result.exit_code, code in result.output) == (2, True), result.output


def test_too_few_loops_are_no_matter_of_the_pool(desk: Desk) -> None:
    desk.create("short")
    desk.wait_for_loop_0("short")
    assert "pool_size" not in desk.run("experiment", "extend", "short", "--loops", "2").output
    assert "pool_size" in desk.run("experiment", "extend", "short", "--pool", "30").output


def test_lists_and_tables_say_which_agent_is_missing(desk: Desk) -> None:
    desk.create("lonely")
    told = "waits for an agent that offers pipeline `digits`"
    listed = desk.run("experiment", "list").output
    assert f"lonely: running: {told}" in listed.splitlines()
    shown = desk.run("experiment", "show", "lonely").output
    assert " ".join(f"lonely: running ({told})".split()) in " ".join(shown.split())


class TestExport:
    def test_the_files_are_written_below_the_name(self, desk: Desk, tmp_path: Path) -> None:
        desk.create("kept")
        written = wait_for_export(desk, "kept", tmp_path)
        assert written.exit_code == 0, written.output
        assert json.loads((tmp_path / "kept" / "experiment.json").read_text())["name"] == "kept"
        assert (tmp_path / "kept" / "loops.csv").read_text().startswith("loop,labels,")
        assert sorted(file.name for file in (tmp_path / "kept").iterdir()) == [
            "classes.csv", "experiment.json", "loops.csv", "report.html", "selected.csv",
        ]  # fmt: skip

    def test_nothing_is_overwritten_unless_said(self, desk: Desk, tmp_path: Path) -> None:
        desk.create("kept")
        wait_for_export(desk, "kept", tmp_path)
        (tmp_path / "kept" / "loops.csv").write_text("mine")
        refused = desk.run("experiment", "export", "kept", "--output", str(tmp_path))
        assert (refused.exit_code, "E-EXP-11" in refused.output) == (2, True)
        assert (tmp_path / "kept" / "loops.csv").read_text() == "mine"
        desk.run("experiment", "export", "kept", "--output", str(tmp_path), "--force")
        assert (tmp_path / "kept" / "loops.csv").read_text() != "mine"

    def test_a_folder_that_cannot_be_written_is_told(self, desk: Desk, tmp_path: Path) -> None:
        desk.create("kept")
        (tmp_path / "file").write_text("")
        wait_for_export(desk, "kept", tmp_path / "elsewhere")
        result = desk.run("experiment", "export", "kept", "--output", str(tmp_path / "file" / "x"))
        assert (result.exit_code, "E-DISK-01" in result.output) == (1, True)

    def test_a_file_that_the_hub_has_not_written_is_told(self, desk: Desk, tmp_path: Path) -> None:
        desk.create("gone")
        wait_for_export(desk, "gone", tmp_path)
        (desk.folder / "hub" / "results" / "gone" / "loops.csv").unlink()
        result = desk.run("experiment", "export", "gone", "--output", str(tmp_path / "again"))
        assert result.exit_code == 75, "the hub makes it again with the next change"
        assert "E-EXP-14" in result.output
        assert "gone: the hub has not made loops.csv yet" in result.output
        assert not (tmp_path / "again").exists(), "half an export would look like a whole one"

    def test_without_outputs_yet_that_is_said(self, desk: Desk, tmp_path: Path) -> None:
        desk.create("early")
        wait_for_export(desk, "early", tmp_path / "first")
        told = desk.run("experiment", "export", "early", "--output", str(tmp_path), "--outputs")
        assert "early: no outputs yet; no loop's infer has been counted" in told.stdout

    def test_a_disk_that_is_full_leaves_nothing_behind(
        self, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk.create("kept")
        wait_for_export(desk, "kept", tmp_path / "first")

        def full(_self: object, _name: str, file: str, sink: Callable[[bytes], None]) -> None:
            if file == "selected.csv":
                raise OSError(errno.ENOSPC, "No space left on device")
            sink(b"half")

        monkeypatch.setattr(OperationClient, "fetch_results_file", full)
        told = desk.run("experiment", "export", "kept", "--output", str(tmp_path / "new" / "x"))
        assert (told.exit_code, "No space left on device" in told.output) == (1, True)
        assert not (tmp_path / "new").exists()


def wait_for_export(desk: Desk, name: str, folder: Path) -> Result:
    """The hub writes results files off the path of everything else."""
    result = desk.run("experiment", "export", name, "--output", str(folder))
    while result.exit_code == 75 and "E-EXP-14" in result.output:
        result = desk.run("experiment", "export", name, "--output", str(folder))
    return result


class TestTokens:
    def test_a_revoked_token_is_refused_at_once(self, desk: Desk) -> None:
        desk.keep("eyes", desk.make("eyes", scope="viewer"))
        assert desk.run("experiment", "list", token="eyes").exit_code == 0
        revoked = desk.run("hub", "token", "revoke", "eyes")
        assert revoked.output.startswith("eyes: revoked; scope viewer, made 20")
        refused = desk.run("experiment", "list", token="eyes")
        assert (refused.exit_code, "E-AUTH-06" in refused.output) == (77, True)
        again = desk.run("hub", "token", "revoke", "eyes")
        assert (again.exit_code, "E-HUB-04" in again.output) == (2, True)

    def test_the_list_shows_no_token(self, desk: Desk) -> None:
        token = desk.make("gpu07", expires_s=86400)
        listed = desk.run("hub", "token", "list")
        line = next(line for line in listed.output.splitlines() if line.startswith("gpu07"))
        assert "agent" in line
        assert token not in listed.output
        entries = json.loads(desk.run("hub", "token", "list", "--json").output)["tokens"]
        entry = next(entry for entry in entries if entry["name"] == "gpu07")
        assert set(entry) == {"token_id", "name", "scope", "created_at", "expires_at",
                              "revoked_at", "last_used_at"}  # fmt: skip

    def test_a_token_of_an_unknown_name_ends_with_2(self, desk: Desk) -> None:
        result = desk.run("hub", "token", "revoke", "nobody")
        assert (result.exit_code, "E-HUB-04  no token is called `nobody`" in result.output) == (
            2,
            True,
        )

    def test_an_expired_token_ends_with_77(self, desk: Desk) -> None:
        desk.keep("brief", desk.make("brief", scope="operator", expires_s=1e-6))
        result = desk.run("experiment", "pause", "digits", token="brief")
        assert (result.exit_code, "E-AUTH-05" in result.output) == (77, True)


def test_the_history_is_what_the_file_says(desk: Desk, tmp_path: Path) -> None:
    desk.create("past")
    wait_for_export(desk, "past", tmp_path)
    told = desk.hub.operate("GET", "/v1/experiments/past/history").json()
    assert (
        told["settings"]
        == json.loads((tmp_path / "past" / "experiment.json").read_text())["settings"]
    )
