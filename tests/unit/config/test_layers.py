"""Flag over environment over file over default."""

# ruff: noqa: E501 - a table is read by its columns

from pathlib import Path

import pytest

from tests.support.config_files import AGENT, PIPELINE, agent_problems, load_agent

KEEP_WARM = "ALECTIO_AGENT_PIPELINES__DIGITS__KEEP_WARM"
LEVEL = "ALECTIO_AGENT_LOGGING__LEVEL"


def test_each_layer_wins_over_the_one_below():
    debug, overrides = {LEVEL: "debug"}, {"logging.level": "error"}
    file = AGENT + "logging: {level: warning}\n"
    assert load_agent(AGENT).logging.level == "info"
    assert load_agent(file).logging.level == "warning"
    assert load_agent(file, debug).logging.level == "debug"
    assert load_agent(file, debug, overrides).logging.level == "error"


def test_a_flag_that_was_not_given_changes_nothing():
    assert load_agent(AGENT, {LEVEL: "debug"}, {"logging.level": None}).logging.level == "debug"


def test_a_flag_may_hold_a_path_or_a_number():
    found = load_agent(AGENT, {}, {"agent.state_dir": Path("/s"), "pipelines.digits.pool_size": 9})
    assert found.agent.state_dir == Path("/s")
    assert found.pipelines["digits"].pool_size == 9


def test_a_variable_reaches_into_a_pipeline():
    assert load_agent(AGENT, {KEEP_WARM: "1m"}).pipelines["digits"].keep_warm_s == 60


def test_names_are_those_of_the_file_whatever_their_case_and_hyphens():
    text = "experiment: e.yaml\npipelines:\n  Chest-Xray.2: {hooks: a.py}\n"
    found = load_agent(text, {"ALECTIO_AGENT_PIPELINES__CHEST_XRAY_2__POOL_SIZE": "7"})
    assert list(found.pipelines) == ["Chest-Xray.2"]
    assert found.pipelines["Chest-Xray.2"].pool_size == 7


def test_the_exact_name_wins_over_a_similar_one():
    text = "experiment: e.yaml\npipelines:\n  a-b: {hooks: a.py}\n  a_b: {hooks: a.py}\n"
    found = load_agent(text, {"ALECTIO_AGENT_PIPELINES__A_B__POOL_SIZE": "7"})
    assert found.pipelines["a_b"].pool_size == 7
    assert found.pipelines["a-b"].pool_size is None


def test_variables_alone_can_make_a_section_and_a_pipeline():
    found = load_agent(
        "experiment: e.yaml\n",
        {"ALECTIO_AGENT_PIPELINES__NEW__HOOKS": "new.py", "ALECTIO_AGENT_AGENT__TAGS": "[a, b]"},
    )
    assert list(found.pipelines) == ["new"]
    assert found.agent.tags == ["a", "b"]


def test_text_stays_text_even_when_it_looks_like_a_number():
    found = load_agent(
        AGENT,
        {
            "ALECTIO_AGENT_AGENT__NAME": "0017",
            "ALECTIO_AGENT_PIPELINES__DIGITS__ENV__DEBUG": "true",
            "ALECTIO_AGENT_PIPELINES__DIGITS__ENV__Rate": "1.10",
            "ALECTIO_AGENT_PIPELINES__DIGITS__ARGS__RATE": "1.10",
        },
    )
    assert found.agent.name == "0017"
    assert found.pipelines["digits"].env == {"DEBUG": "true", "Rate": "1.10"}
    assert found.pipelines["digits"].args == {"rate": 1.1}


def test_null_takes_an_optional_value_away():
    text = AGENT + "agent: {drain_timeout: 5m}\n"
    assert load_agent(text).agent.drain_timeout == 300
    assert (
        load_agent(text, {"ALECTIO_AGENT_AGENT__DRAIN_TIMEOUT": "null"}).agent.drain_timeout is None
    )


def test_hooks_can_be_replaced_by_a_file():
    text = "experiment: e.yaml\npipelines:\n  x:\n    hooks: {train: a:b, test: a:b, infer: a:b}\n"
    found = load_agent(text, {"ALECTIO_AGENT_PIPELINES__X__HOOKS": "/srv/main.py"})
    assert found.pipelines["x"].hooks == Path("/srv/main.py")


def test_variables_that_are_no_settings_are_left_alone():
    environment = {
        "ALECTIO_AGENT_CONFIG": "/x", "ALECTIO_AGENT_TOKEN_FILE": "/t", "ALECTIO_HUB": "h", "PATH": "",
    }  # fmt: skip
    assert load_agent(AGENT, environment) == load_agent(AGENT)


WRONG_VARIABLES = {
    "unknown section": ("LOGING__LEVEL", "debug", "loging", "Did you mean `logging`?"),
    "unknown key": ("AGENT__NAM", "x", "agent.nam", "Did you mean `name`?"),
    "unknown key of a pipeline": ("PIPELINES__DIGITS__KEEPWARM", "x", "pipelines.digits.keepwarm",
        "Did you mean `keep_warm`?"),
    "below a value": ("LOGGING__LEVEL__X", "x", "logging.level.x", "expected no keys below this one"),
    "nothing but the prefix": ("", "x", "", "unknown key; expected one of agent,"),
    "no end": ("AGENT__", "x", "agent.", "unknown key; expected one of name,"),
    "inline token": ("PLATFORM__TOKEN", "alt_s3cret", "platform.token", "`platform.token_file`"),
    "wrong duration": ("PIPELINES__DIGITS__KEEP_WARM", "soon", "pipelines.digits.keep_warm",
        "found 'soon', expected a duration such as 30s, 5m, 1h 30m or 7d, or forever"),
    "no number": ("PIPELINES__DIGITS__POOL_SIZE", "many", "pipelines.digits.pool_size",
        "found 'many', expected a whole number of 1 or more"),
    "no bool": ("PLATFORM__ALLOW_INSECURE_HTTP", "1", "platform.allow_insecure_http",
        "found 1, expected true or false"),
    "no list": ("AGENT__TAGS", "a100", "agent.tags", "found 'a100', expected a list"),
    "wrong entry of a list": ("AGENT__TAGS", "[a, 5]", "agent.tags[1]", "found 5, expected text"),
    "empty": ("AGENT__NAME", "", "agent.name", "found '', expected a name of 1 to 128"),
    "wrong level": ("LOGGING__LEVEL", "warn", "logging.level", "Did you mean `warning`?"),
    "url without a scheme": ("PLATFORM__URL", "hub:8642", "platform.url",
        "found 'hub:8642', expected embedded or a URL"),
    "http to another machine": ("PLATFORM__URL", "http://hub:8642", "platform.url",
        "expected https://, or also `platform.allow_insecure_http: true`"),
    "a new pipeline without hooks": ("PIPELINES__OTHER__POOL_SIZE", "5", "pipelines.other.hooks",
        "missing; expected a path"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "key", "mend"), list(WRONG_VARIABLES.values()), ids=list(WRONG_VARIABLES)
)
def test_a_wrong_variable_is_named_and_so_is_its_key(name, value, key, mend):
    lines = agent_problems(AGENT + "platform: {token_file: t}\n", {f"ALECTIO_AGENT_{name}": value})
    assert len(lines) == 1
    assert lines[0][11:].startswith(f"$ALECTIO_AGENT_{name}{' ' + key if key else ''}: ")
    assert mend in lines[0]
    assert "s3cret" not in lines[0]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("logging.level", "loud", "E-CONF-03  --logging-level logging.level: found 'loud', expected one of"),
        ("agent.drain_timeout", "soon", "E-CONF-03  --agent-drain-timeout agent.drain_timeout: found 'soon'"),
        ("agent.nmae", "x", "E-CONF-02  --agent-nmae agent.nmae: unknown key. Did you mean `name`?"),
        ("pipelines.digits.pool_size", 0, "E-CONF-03  --pipelines-digits-pool-size "),
    ],
)  # fmt: skip
def test_a_wrong_flag_is_named(key, value, said):
    (line,) = agent_problems(AGENT, {}, {key: value})
    assert line.startswith(said)


def test_file_variables_and_flags_are_shown_together_in_this_order():
    lines = agent_problems(
        AGENT + "logging: {level: x}\nagent: {name: 5}\n",
        {"ALECTIO_AGENT_AGENT__TAGS": "x", "ALECTIO_AGENT_AGENT__STATE_DRI": "x"},
        {"outbox.keep_sent": "x"},
    )
    assert [line.split(": ")[0] for line in lines] == [
        "E-CONF-03  agent.yaml:5 logging.level",
        "E-CONF-03  agent.yaml:6 agent.name",
        "E-CONF-02  $ALECTIO_AGENT_AGENT__STATE_DRI agent.state_dri",
        "E-CONF-03  $ALECTIO_AGENT_AGENT__TAGS agent.tags",
        "E-CONF-03  --outbox-keep-sent outbox.keep_sent",
    ]


def test_a_variable_that_mends_a_wrong_value_of_the_file_is_enough():
    assert load_agent(AGENT + "logging: {level: x}\n", {LEVEL: "debug"}).logging.level == "debug"


def test_a_missing_key_is_still_the_files_when_a_variable_set_another():
    (line,) = agent_problems(PIPELINE, {KEEP_WARM: "1m"})
    assert line.startswith("E-CONF-04  agent.yaml:1 experiment: missing.")
