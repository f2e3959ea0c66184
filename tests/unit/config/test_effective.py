"""`config show`: the values in force, and where each comes from."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alectio_agent.cli.main import main
from alectio_agent.config.effective import as_yaml, effective_values
from alectio_agent.config.loader import load
from alectio_agent.config.problems import MASK
from alectio_agent.config.settings import AgentFile
from tests.support.config_files import AGENT, READY, load_agent

CONFIGS = sorted((Path(__file__).parents[3] / "configs").glob("agent*.yaml"))
CLEAN = dict.fromkeys(
    ("ALECTIO_AGENT_CONFIG", "ALECTIO_AGENT_TOKEN_FILE", "CREDENTIALS_DIRECTORY", "STATE_DIRECTORY")
)


def show(text: str, *words: str, **environment: str) -> Result:
    Path("agent.yaml").write_text(text)
    return CliRunner().invoke(main, ["config", "show", *words], env={**CLEAN, **environment})


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_what_is_shown_loads_again_as_the_same(file):
    settings = load(file, AgentFile, READY)
    Path("again.yaml").write_text(as_yaml(effective_values(settings)))
    again = load(Path("again.yaml"), AgentFile)
    masked = {
        name: pipeline.model_copy(update={"env": dict.fromkeys(pipeline.env, "***")})
        for name, pipeline in settings.pipelines.items()
    }
    assert again == settings.model_copy(update={"pipelines": masked})


@pytest.mark.parametrize(
    "value", ["no", "1e5", "0x1", "12", "null", "~", "a: b", "a #b", "- a", "", " a", "é", "1:30",
              "[a", "it's", 'say "x"', "\\", "*a", "&a", "!a", "%a", "@a", "`a", "a\u202eb", "a,b"],
)  # fmt: skip
def test_texts_that_yaml_would_read_otherwise_stay_texts(value):
    settings = load_agent(AGENT)
    values = effective_values(settings)
    values["pipelines"]["digits"]["args"] = {"x": value, "nested": {"y": [value, 1.5, True, None]}}
    again = load_agent(as_yaml(values))
    assert again.pipelines["digits"].args == {"x": value, "nested": {"y": [value, 1.5, True, None]}}


def test_every_value_says_where_it_is_from():
    result = show(
        AGENT + "agent: {drain_timeout: 90s}\noutbox:\n  keep_sent: 1w\n",
        "--origin",
        ALECTIO_AGENT_LOGGING__LEVEL="debug",
        ALECTIO_AGENT_AGENT__TAGS="[a100]",
        STATE_DIRECTORY="/var/lib/x",
    )
    assert result.exit_code == 0, result.output
    for line in (
        "  drain_timeout: 1m 30s  # agent.yaml:5",
        "  keep_sent: 7d  # agent.yaml:7",
        "  level: debug  # $ALECTIO_AGENT_LOGGING__LEVEL",
        "  tags: [a100]  # $ALECTIO_AGENT_AGENT__TAGS",
        "  state_dir: /var/lib/x  # $STATE_DIRECTORY",
        "    keep_warm: 5m  # default",
        "  url: embedded  # default",
    ):
        assert line in result.stdout.splitlines()
    lines = [line for line in result.stdout.splitlines() if not line.rstrip().endswith(":")]
    assert all("  # " in line for line in lines)


def test_the_winner_is_printed_beside_the_result():
    result = show(AGENT)
    assert result.stderr == f"configuration: {Path('agent.yaml').absolute()} (found)\n"
    assert "#" not in result.stdout
    assert show(AGENT, "-q").stderr == ""
    assert "(named by --config)" in show(AGENT, "-c", "agent.yaml").stderr
    named = show(AGENT, ALECTIO_AGENT_CONFIG="agent.yaml").stderr
    assert "(named by $ALECTIO_AGENT_CONFIG)" in named


def test_values_of_env_are_masked_and_tokens_never_shown(tmp_path):
    (tmp_path / "token").write_text("alectio_verysecret\n")
    (tmp_path / "token").chmod(0o600)
    text = (
        "pipelines: {digits: {hooks: p.py, env: {KEY: swordfish}, "
        "args: {db: 'postgres://me:swordfish@db/x'}}}\n"
        "platform: {url: https://alectio.example.org}\n"
    )
    for words in ((), ("--origin",), ("--json",), ("--json", "--origin")):
        result = show(text, *words, ALECTIO_AGENT_TOKEN_FILE=str(tmp_path / "token"))
        assert result.exit_code == 0, result.output
        assert "swordfish" not in result.output
        assert "verysecret" not in result.output
        assert "***" in result.stdout
    assert "# $ALECTIO_AGENT_TOKEN_FILE" in show(
        text, "--origin", ALECTIO_AGENT_TOKEN_FILE=str(tmp_path / "token")
    ).stdout  # fmt: skip


def test_json_holds_the_plain_values():
    values = json.loads(show(AGENT, "--json").stdout)
    assert values["outbox"] == {"keep_sent": "7d", "max_size": "50GiB"}
    both = json.loads(show(AGENT, "--json", "--origin").stdout)
    assert both["values"] == values
    assert both["origins"]["pipelines.digits.hooks"] == "agent.yaml:3"


def test_a_wrong_file_is_told_and_not_shown():
    result = show(AGENT + "agent: {nmae: x}\n")
    assert result.exit_code == 78
    assert "E-CONF-02  agent.yaml:5 agent.nmae" in result.stderr
    assert result.stdout == ""


def test_the_flag_beats_the_variable_and_the_variable_the_folder():
    """`find_config` knows the fourth place, the system's, by its own tests."""
    for name in ("flag", "variable"):
        Path(f"{name}.yaml").write_text(f"{AGENT}agent: {{name: by-{name}}}\n")
    here = f"{AGENT}agent: {{name: here}}\n"
    by_variable = {"ALECTIO_AGENT_CONFIG": "variable.yaml"}
    assert "name: by-flag" in show(here, "-c", "flag.yaml", **by_variable).stdout
    assert "name: by-variable" in show(here, **by_variable).stdout
    assert "name: here" in show(here).stdout


def test_secrets_among_arguments_are_masked(tmp_path: Path) -> None:
    text = (
        "pipelines:\n  a:\n    hooks: p.py\n"
        "    args: {api_key: s3c, nested: {password: s4c}, lr: 0.1}\n"
        "    argv: [--token, s5c, --x]\n"
        "experiment: e.yaml\n"
    )
    (tmp_path / "agent.yaml").write_text(text)
    shown = effective_values(load(tmp_path / "agent.yaml", AgentFile))["pipelines"]["a"]
    assert shown["args"] == {"api_key": MASK, "nested": {"password": MASK}, "lr": 0.1}
    assert shown["argv"] == ["--token", MASK, "--x"]
