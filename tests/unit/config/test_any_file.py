"""Whatever stands in a file: settings, or problems in our own words; never another error."""

from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alectio_agent.config.kinds import Kind
from alectio_agent.config.loader import load
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError
from alectio_agent.wire.experiment import ExperimentSettings
from tests.support.config_files import LIBRARY_WORDS

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 70), st.floats(0, 2), st.just(10**25),
    st.sampled_from(["", "x", "5m", "margin", "random", "auto", "replay", "https://a.org", "a:b"]),
)  # fmt: skip
QUIET = settings(
    max_examples=60, deadline=None, database=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def any_value(kind):
    """Anything, but often of the shape that the model expects."""
    choices = [SCALARS, st.lists(SCALARS, max_size=2)]
    for option in kind.options:
        if option.fields:
            keys = {name: any_value(child) for name, child in option.fields.items()}
            choices.append(st.fixed_dictionaries({}, optional={**keys, "unknown": SCALARS}))
        if option.container(list):
            choices.append(st.lists(any_value(option.child(0)), max_size=3))
        if option.container(dict):
            names = st.sampled_from(["a", "b c", "d"])
            choices.append(st.dictionaries(names, any_value(option.child("")), max_size=2))
        if option.words:
            choices.append(st.sampled_from(option.words))
    return st.one_of(choices)


def said_of(file, model):
    try:
        load(file, model)
    except ConfigError as error:
        return str(error).split("\n")
    return []


def check(model, value):
    file = Path("any.yaml")
    file.write_text(yaml.safe_dump(value))
    lines = said_of(file, model)
    assert all(line.startswith("E-CONF-0") for line in lines)
    assert len(set(lines)) == len(lines)
    assert not [line for line in lines if any(words in line for words in LIBRARY_WORDS)]


@QUIET
@given(value=any_value(Kind.of(AgentFile)))
def test_any_agent_file(value):
    check(AgentFile, value)


@QUIET
@given(value=any_value(Kind.of(ExperimentSettings)))
def test_any_experiment_file(value):
    check(ExperimentSettings, value)


@QUIET
@given(text=st.text(st.sampled_from("ab:{}[]&*!#'\"-?|>%@ \n\t\\<,0"), max_size=40))
def test_any_text(text):
    Path("any.yaml").write_text(text)
    assert all(line.startswith("E-CONF-0") for line in said_of(Path("any.yaml"), AgentFile))
