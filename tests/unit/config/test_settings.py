"""What a loaded `agent.yaml` holds: absolute paths, seconds, every default."""

import re
import socket
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from alectio_agent.config.agent import AgentSettings
from alectio_agent.config.loader import load
from alectio_agent.config.pipeline import HookFunctions, PipelineSettings
from alectio_agent.config.settings import AgentFile
from alectio_agent.config.values import NAME_PATTERN, Surroundings, is_loopback
from alectio_agent.wire.names import EXPERIMENT_PATTERN
from tests.support.config_files import AGENT, PIPELINE, load_agent

PLATFORM = PIPELINE + "platform: {url: 'https://a.org', token_file: t}\n"
WITH_KEYS = "experiment: e.yaml\n" + PIPELINE


def only_pipeline(text, environment=None):
    return load_agent(text, environment).pipelines["digits"]


def test_the_smallest_file_gets_every_default(tmp_path):
    found = load_agent(AGENT)
    assert found.agent.name == socket.gethostname()
    assert found.agent.state_dir == tmp_path / ".alectio"
    assert (found.agent.tags, found.agent.drain_timeout) == ([], None)
    assert found.platform.is_embedded
    assert found.experiment == tmp_path / "experiment.yaml"
    assert found.outbox.keep_sent == 7 * 86400
    assert found.outbox.max_size == 50 * 2**30
    assert (found.logging.level, found.logging.keep, found.logging.max_size) == (
        "info", 30 * 86400, 2**30,
    )  # fmt: skip
    assert (found.slots, found.slot_count) == ([], 1)
    assert (found.claim.min_free_disk, found.claim.check) == (10 * 2**30, None)
    assert (found.agent.when_stopped, found.agent.on_shutdown) == ("finish", "checkpoint")
    assert found.agent.control_group is None
    assert found.logging.format == "auto"
    assert (found.audit.keep, found.audit.journald) == (2 * 365 * 86400, False)
    assert found.metrics.textfile is None
    assert found.notify.command is None
    assert len(found.notify.on) == 5


def test_a_pipeline_gets_every_default(tmp_path):
    found = only_pipeline(AGENT)
    assert found.hooks == tmp_path / "processes.py"
    assert found.python == Path(sys.executable)
    assert found.cwd == tmp_path
    assert found.checkpoints.dir == tmp_path / "checkpoints"
    assert (found.checkpoints.keep, found.checkpoints.store) == (2, None)
    assert (found.env, found.env_file, found.pool_size, found.args) == ({}, None, None, {})
    assert found.keep_warm_s == 300
    assert (found.memory, found.slots) == (None, "any")


def test_slots_see_gpus_by_number_or_uuid_and_pipelines_name_slots():
    found = load_agent(
        WITH_KEYS + "    memory: 64GiB\n    slots: [1]\n"
        "slots: [{gpus: [0, 3]}, {gpus: [GPU-8f3c-11]}, {gpus: []}, {}]\n"
    )
    assert [slot.gpus for slot in found.slots] == [[0, 3], ["GPU-8f3c-11"], [], None]
    assert found.slot_count == 4
    assert found.pipelines["digits"].slots == [1]
    assert found.pipelines["digits"].memory == 64 * 2**30


def test_a_pipeline_may_name_gpus_where_its_slots_do_not():
    text = WITH_KEYS + "    slots: [1]\n    env: {CUDA_VISIBLE_DEVICES: 1}\n"
    found = load_agent(text + "slots: [{gpus: [0]}, {}]\n")
    assert found.first_slot("digits") == 1
    assert [found.pipelines_of(slot) for slot in (0, 1)] == [[], ["digits"]]
    assert [found.gpus_of(slot) for slot in (0, 1)] == [[0], None]


def test_without_slots_there_is_one_for_everything():
    found = load_agent(WITH_KEYS)
    assert (found.slot_count, found.gpus_of(0), found.pipelines_of(0)) == (1, None, ["digits"])


def test_the_working_folder_is_that_of_the_hooks():
    text = "experiment: e.yaml\npipelines:\n  digits: {hooks: /srv/xray/processes.py}\n"
    assert only_pipeline(text).cwd == Path("/srv/xray")
    assert only_pipeline(text.replace("py}", "py, cwd: /data}")).cwd == Path("/data")


def test_hooks_by_name_run_in_the_folder_of_the_file(tmp_path):
    found = only_pipeline(
        "experiment: e.yaml\npipelines:\n"
        "  digits:\n    hooks: {train: a.b:fit, test: a:t, infer: a:i}\n"
    )
    assert isinstance(found.hooks, HookFunctions)
    assert found.hooks.references() == {"train": "a.b:fit", "test": "a:t", "infer": "a:i"}
    assert found.cwd == tmp_path


def test_paths_are_relative_to_the_file_wherever_it_is_loaded_from(tmp_path, monkeypatch):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "agent.yaml").write_text(WITH_KEYS + "    env_file: ../x.env\n")
    found = load(Path("site/agent.yaml"), AgentFile)
    assert found.experiment == tmp_path / "site/e.yaml"
    assert found.pipelines["digits"].env_file == tmp_path / "site/../x.env"


def test_a_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ml")
    assert load_agent(AGENT + "agent: {state_dir: ~/state}\n").agent.state_dir == Path(
        "/home/ml/state"
    )


def test_a_bare_name_of_an_interpreter_is_looked_up_like_in_a_shell(tmp_path):
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "python9"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    text = WITH_KEYS + "    python: python9\n"
    assert only_pipeline(text, {"PATH": str(program.parent)}).python == program
    assert only_pipeline(text, {"PATH": "/nowhere"}).python == tmp_path / "python9"


def test_an_interpreter_in_a_virtual_environment_stays_the_link_that_it_is(tmp_path):
    """Resolved, it would be the system's interpreter, without the environment's packages."""
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "python").symlink_to(sys.executable)
    assert only_pipeline(WITH_KEYS + "    python: venv/python\n").python == (
        tmp_path / "venv" / "python"
    )


def test_systemds_state_folder_is_the_default_and_the_file_wins():
    environment = {"STATE_DIRECTORY": "/var/lib/alectio-agent:/var/lib/other"}
    assert load_agent(AGENT, environment).agent.state_dir == Path("/var/lib/alectio-agent")
    text = AGENT + "agent: {state_dir: /own}\n"
    assert load_agent(text, environment).agent.state_dir == Path("/own")


@pytest.mark.parametrize(
    ("file", "state"),
    [("/etc/alectio-agent/agent.yaml", "/var/lib/alectio-agent"),
     ("/etc/alectio-agent/gpu1/agent.yaml", "/var/lib/alectio-agents/gpu1"),
     ("/srv/alectio-agent/agent.yaml", "/srv/alectio-agent/.alectio")],
)  # fmt: skip
def test_who_steers_a_service_finds_its_state_without_its_variables(file, state):
    folder = Path(file).parent
    found = AgentSettings.model_validate({}, context=Surroundings(folder))
    assert found.state_dir == Path(state)


@pytest.mark.parametrize(
    ("file", "checkpoints"),
    [("/etc/alectio-agent/agent.yaml", "/var/lib/alectio-agent/checkpoints"),
     ("/etc/alectio-agent/gpu1/agent.yaml", "/var/lib/alectio-agents/gpu1/checkpoints"),
     ("/srv/alectio-agent/agent.yaml", "/srv/alectio-agent/checkpoints")],
)  # fmt: skip
def test_checkpoints_of_a_service_go_where_it_may_write(file, checkpoints):
    """Not below /etc, which its unit shows it read-only."""
    around = Surroundings(Path(file).parent)
    found = PipelineSettings.model_validate({"hooks": "/srv/x.py"}, context=around)
    assert found.checkpoints.dir == Path(checkpoints)
    own = {"hooks": "/srv/x.py", "checkpoints": {"dir": "/data/checkpoints"}}
    found = PipelineSettings.model_validate(own, context=around)
    assert found.checkpoints.dir == Path("/data/checkpoints")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("5m", 300), ("0s", 0), ("30", 30), ("1.5", 1.5), ("1h 30m", 5400), ("forever", None)],
)
def test_keep_warm_is_a_duration_or_forever(written, seconds):
    assert only_pipeline(WITH_KEYS + f"    keep_warm: {written}\n").keep_warm_s == seconds


def test_whole_numbers_in_env_become_text():
    assert only_pipeline(WITH_KEYS + "    env: {OMP_NUM_THREADS: 4}\n").env == {
        "OMP_NUM_THREADS": "4"
    }


def test_sections_with_nothing_below_them_are_read_as_absent():
    """Somebody has commented out all of their keys."""
    text = AGENT + "agent:\nplatform:\nlogging:\noutbox:\n"
    assert load_agent(text) == load_agent(AGENT)
    assert only_pipeline(WITH_KEYS + "    env:\n    args:\n    checkpoints:\n") == only_pipeline(
        AGENT
    )


def test_args_are_handed_on_as_they_are():
    text = WITH_KEYS + "    args: {lr: 1e-3, sizes: [1, 2], deep: {a: null}}\n"
    assert only_pipeline(text).args == {"lr": 0.001, "sizes": [1, 2], "deep": {"a": None}}


def test_a_platform_elsewhere_needs_no_experiment(tmp_path):
    found = load_agent(PLATFORM.replace("a.org", "a.org:8443/alectio/"))
    assert found.platform.url == "https://a.org:8443/alectio"
    assert found.platform.token_file == tmp_path / "t"
    assert found.experiment is None


def test_plain_http_is_right_on_this_machine_and_where_it_is_allowed():
    for host in ("localhost", "127.0.0.1:8642", "127.9.9.9", "[::1]:80"):
        url = f"http://{host}"
        assert load_agent(PLATFORM.replace("https://a.org", url)).platform.url == url
    text = PLATFORM.replace("https://a.org", "http://a.org").replace(
        "token_file: t", "token_file: t, allow_insecure_http: true"
    )
    assert load_agent(text).platform.allow_insecure_http


def test_only_this_machine_is_loopback():
    assert not any(map(is_loopback, ("http://a.org", "http://10.0.0.1", "http://0.0.0.0", "http:")))


def test_the_token_comes_from_the_file_then_the_credential_then_the_variable(tmp_path):
    environment = {
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        "ALECTIO_AGENT_TOKEN_FILE": "/by/variable",
    }
    text = PLATFORM.replace(", token_file: t", "")
    assert load_agent(text, environment).platform.token_file == Path("/by/variable")
    (tmp_path / "token").touch()
    assert load_agent(text, environment).platform.token_file == tmp_path / "token"
    assert load_agent(PLATFORM, environment).platform.token_file == tmp_path / "t"


def test_a_token_beside_the_file_is_found_by_who_has_nothing_else(tmp_path):
    """Root, who steers a service, is given no credential."""
    (tmp_path / "token").touch()
    text = PLATFORM.replace(", token_file: t", "")
    assert load_agent(text).platform.token_file == tmp_path / "token"
    environment = {"ALECTIO_AGENT_TOKEN_FILE": "/by/variable"}
    assert load_agent(text, environment).platform.token_file == Path("/by/variable")


def test_settings_cannot_be_changed():
    found = load_agent(AGENT)
    with pytest.raises(ValidationError):
        found.logging.level = "debug"


def test_a_pipeline_can_be_made_without_a_file(tmp_path):
    found = PipelineSettings(hooks=Path("a.py"))
    assert (found.hooks, found.cwd) == (tmp_path / "a.py", tmp_path)


def test_names_of_pipelines_follow_the_rule_of_the_wire():
    """Each side states it, since neither may import the other."""
    assert NAME_PATTERN == EXPERIMENT_PATTERN
    assert re.search(NAME_PATTERN, "chest-xray_2.1")
