"""What may leave the site is little, unless the hub is on this machine or a key says otherwise."""

import pytest

from alectio_agent.config.share import OPEN, ShareSettings
from tests.support.config_files import load_agent

PIPELINE = "pipelines:\n  digits:\n    hooks: processes.py\n"
ELSEWHERE = "platform: {url: 'https://alectio.example.org', token_file: token}\n" + PIPELINE


def share_of(text: str) -> ShareSettings:
    return load_agent(text).pipelines["digits"].share


def test_a_platform_elsewhere_gets_results_only():
    found = share_of(ELSEWHERE)
    assert (found.outputs, found.test) == ("rows", "predictions")
    assert (found.logs, found.labels, found.host, found.tracebacks) == (
        "none", "none", "none", "types",
    )  # fmt: skip
    assert not found.names
    assert not found.hyperparams


@pytest.mark.parametrize(
    "text",
    [
        "experiment: experiment.yaml\n" + PIPELINE,
        "platform: {url: 'http://127.0.0.1:8642', token_file: token}\n" + PIPELINE,
    ],
)
def test_a_hub_on_this_machine_gets_everything(text):
    assert share_of(text) == OPEN


def test_a_key_that_is_set_holds_on_this_machine_too():
    found = share_of("experiment: experiment.yaml\n" + PIPELINE + "    share: {logs: none}\n")
    assert (found.logs, found.labels) == ("none", "full")
