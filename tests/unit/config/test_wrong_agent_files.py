"""A table of wrong `agent.yaml`: each names the line, the whole key, and what to write instead."""

# ruff: noqa: E501 - a table is read by its columns

import pytest

from tests.support.config_files import AGENT, PIPELINE, agent_problems

REMOTE = PIPELINE + "platform:\n  token_file: token\n"  # a url follows in line 6
NAME_RULE = "1 to 64 letters, digits, '.', '_' and '-' that begins with a letter or digit"
DURATION_RULE = "expected a duration such as 30s, 5m, 1h 30m or 7d"
HOOKS_RULE = "expected a path or a mapping with the keys train, test, infer, state and script"

# name: (text, code, line, key, what the line must say)
KEYS = {
    "unknown section": (AGENT + "loging: {level: debug}\n", 2, 5, "loging", "Did you mean `logging`?"),
    "key of a later version": (AGENT + "fleet:\n  keep: 2y\n", 2, 5, "fleet",
        "expected one of agent, platform, proxy, tls, slots, pipelines, experiment, claim, outbox,"),
    "unknown key in agent": (AGENT + "agent:\n  state_dri: x\n", 2, 6, "agent.state_dri",
        "Did you mean `state_dir`?"),
    "unknown key in platform": (AGENT + "platform:\n  ulr: embedded\n", 2, 6, "platform.ulr",
        "Did you mean `url`?"),
    "unknown key in a pipeline": ("experiment: e.yaml\n" + PIPELINE + "    pyhton: python3\n", 2, 5,
        "pipelines.digits.pyhton", "unknown key. Did you mean `python`?"),
    "misspelt required key": ("experiment: e.yaml\npipelines:\n  x:\n    hook: p.py\n", 2, 4,
        "pipelines.x.hook", "Did you mean `hooks`?"),
    "unknown key in checkpoints": ("experiment: e.yaml\n" + PIPELINE + "    checkpoints: {kep: 3}\n",
        2, 5, "pipelines.digits.checkpoints.kep", "Did you mean `keep`?"),
    "unknown hook": ("experiment: e.yaml\npipelines:\n  x:\n    hooks:\n      train: a:b\n"
        "      test: a:b\n      infer: a:b\n      sate: a:b\n", 2, 8, "pipelines.x.hooks.sate",
        "Did you mean `state`?"),
    "unknown key in outbox": (AGENT + "outbox: {keep: 7d}\n", 2, 5, "outbox.keep",
        "Did you mean `pipelines.NAME.checkpoints.keep`?"),
    "unknown key in logging": (AGENT + "logging:\n\n  lvel: info\n", 2, 7, "logging.lvel",
        "Did you mean `level`?"),
    "wrong case": (AGENT + "Logging: {level: info}\n", 2, 5, "Logging", "Did you mean `logging`?"),
    "hyphen for underscore": (AGENT + "agent: {state-dir: x}\n", 2, 5, "agent.state-dir",
        "Did you mean `state_dir`?"),
    "key in the wrong section": (AGENT + "agent: {level: debug}\n", 2, 5, "agent.level",
        "Did you mean `logging.level`?"),
    "inline token": (AGENT + "platform:\n  token: alt_abcdef\n", 2, 6, "platform.token",
        "tokens are never written here: put it into a file of mode 0600 and name that file in "
        "`platform.token_file`"),
    "inline api key": (AGENT + "platform: {api-key: abc}\n", 2, 5, "platform.api-key",
        "`platform.token_file`"),
    "inline token at the top": (AGENT + "token: abc\n", 2, 5, "token", "`platform.token_file`"),
    "no pipelines": ("experiment: e.yaml\n", 4, 1, "pipelines", "missing; expected names of pipelines"),
    "no hooks": ("experiment: e.yaml\npipelines:\n  digits:\n    keep_warm: 5m\n", 4, 3,
        "pipelines.digits.hooks", f"missing; {HOOKS_RULE}"),
    "an empty pipeline": ("# a comment\nexperiment: e.yaml\npipelines:\n  digits:\n", 4, 4,
        "pipelines.digits.hooks", f"missing; {HOOKS_RULE}"),
    "a missing hook": ("experiment: e.yaml\npipelines:\n  x:\n    hooks:\n      train: a:b\n"
        "      test: a:b\n", 4, 4, "pipelines.x.hooks.infer",
        "missing; expected a function such as package.module:train"),
    "a key that stands twice": (AGENT + "outbox: {}\nexperiment: other.yaml\n", 5, 6, "experiment",
        "stands twice, first in line 4; keep one"),
    "a nested key that stands twice": (PIPELINE + "    hooks: b.py\nexperiment: e.yaml\n", 5, 4,
        "pipelines.digits.hooks", "stands twice, first in line 3; keep one"),
}  # fmt: skip

VALUES = {
    "list as a section": (AGENT + "logging: [debug]\n", 3, 5, "logging",
        "found a list, expected a mapping with the keys level, format, keep and max_size"),
    "text as a section": (AGENT + "agent: gpu01\n", 3, 5, "agent", "found 'gpu01', expected a mapping "
        "with the keys name, state_dir, tags, control_group, when_stopped, on_shutdown and drain_timeout"),
    "list of pipelines": ("experiment: e.yaml\npipelines:\n  - digits\n", 3, 2, "pipelines",
        "found a list, expected names of pipelines, each with its keys, such as digits: {hooks: "),
    "no pipeline": ("experiment: e.yaml\n\npipelines: {}\n", 3, 3, "pipelines",
        "found no pipeline, expected at least one, such as digits: {hooks: processes.py}"),
    "text as a pipeline": ("experiment: e.yaml\npipelines:\n  digits: processes.py\n", 3, 3,
        "pipelines.digits", "found 'processes.py', expected a mapping with the keys hooks,"),
    "number as a name": (AGENT + "agent:\n  name: 12\n", 3, 6, "agent.name",
        "found 12, expected text; put it in quotes"),
    "empty name": (AGENT + "agent: {name: ''}\n", 3, 5, "agent.name",
        "found '', expected a name of 1 to 128 printable characters"),
    "null where there is a default": (AGENT + "agent:\n  name:\n", 3, 6, "agent.name",
        "found nothing, expected text"),
    "text for a list": (AGENT + "agent: {tags: a100}\n", 3, 5, "agent.tags",
        "found 'a100', expected a list, each entry text"),
    "number in a list": (AGENT + "agent:\n  tags:\n    - a100\n    - 8\n", 3, 8, "agent.tags[1]",
        "found 8, expected text; put it in quotes"),
    "tag with a space": (AGENT + "agent: {tags: ['big gpu']}\n", 3, 5, "agent.tags[0]",
        "found 'big gpu', expected a tag of 1 to 64 characters without spaces"),
    "path that is a number": (AGENT + "agent: {state_dir: 5}\n", 3, 5, "agent.state_dir",
        "found 5, expected a path"),
    "empty path": (PIPELINE + "experiment: ''\n", 3, 4, "experiment", "found '', expected a path"),
    "word as a duration": (AGENT + "agent:\n  drain_timeout: soon\n", 3, 6, "agent.drain_timeout",
        f"found 'soon', {DURATION_RULE}"),
    "metrics where the collector does not look": (AGENT + "metrics: {textfile: /srv/agent.txt}\n", 3, 5,
        "metrics.textfile", "found agent.txt, expected a file whose name ends with .prom"),
    "unknown unit": (AGENT + "outbox: {keep_sent: 7 fortnights}\n", 3, 5, "outbox.keep_sent",
        f"found '7 fortnights', {DURATION_RULE}"),
    "negative duration": (AGENT + "outbox: {keep_sent: -1}\n", 3, 5, "outbox.keep_sent",
        f"found -1, {DURATION_RULE}, zero or more"),
    "clock time as a duration": (AGENT + "outbox: {keep_sent: 1:30}\n", 3, 5, "outbox.keep_sent",
        f"found '1:30', {DURATION_RULE}"),
    "bool as a duration": (AGENT + "outbox: {keep_sent: true}\n", 3, 5, "outbox.keep_sent",
        f"found true, {DURATION_RULE}"),
    "size as a duration": (AGENT + "outbox: {keep_sent: 4MiB}\n", 3, 5, "outbox.keep_sent",
        f"found '4MiB', {DURATION_RULE}"),
    "duration as a size": (AGENT + "outbox: {max_size: 7d}\n", 3, 5, "outbox.max_size",
        "found '7d', expected a size such as 512KiB, 4MiB, 10GiB or 500MB"),
    "no memory": ("experiment: e.yaml\n" + PIPELINE + "    memory: 0\n", 3, 5,
        "pipelines.digits.memory", "found 0, expected a size above zero, or null for no limit"),
    "memory in bytes": ("experiment: e.yaml\n" + PIPELINE + "    memory: 10\n", 3, 5,
        "pipelines.digits.memory",
        "found 10, expected at least 16MiB (a number without unit is bytes)"),
    "an outbox for no result": (AGENT + "outbox: {max_size: 1}\n", 3, 5, "outbox.max_size",
        "found 1, expected at least 1MiB (a number without unit is bytes)"),
    "logs of no line": (AGENT + "logging: {max_size: 1KiB}\n", 3, 5, "logging.max_size",
        "found '1KiB', expected at least 1MiB (a number without unit is bytes)"),
    "slots as a mapping": (AGENT + "slots: {gpus: [0]}\n", 3, 5, "slots",
        "found a mapping, expected a list, each entry a mapping with the key gpus"),
    "negative gpu": (AGENT + "slots:\n  - gpus: [-1]\n", 3, 6, "slots[0].gpus[0]",
        "found -1, expected a GPU's number as in nvidia-smi, or its UUID"),
    "name of a gpu": (AGENT + "slots:\n  - gpus: [a100]\n", 3, 6, "slots[0].gpus[0]",
        "found 'a100', expected a GPU's number as in nvidia-smi, or its UUID"),
    "word as slots of a pipeline": ("experiment: e.yaml\n" + PIPELINE + "    slots: all\n", 3, 5,
        "pipelines.digits.slots", "found 'all', expected any, or a list of slots by their position"),
    "gpus of a pipeline beside those of a slot": ("experiment: e.yaml\nslots: [{gpus: [0]}, {}]\n"
        + PIPELINE + "    env: {CUDA_VISIBLE_DEVICES: 1}\n", 6, 6,
        "pipelines.digits.env.CUDA_VISIBLE_DEVICES", "found '1', while the slots say which GPUs"),
    "no slot for a pipeline": ("experiment: e.yaml\n" + PIPELINE + "    slots: []\n", 3, 5,
        "pipelines.digits.slots", "found an empty list, expected a list, each entry a whole number of 0 or more"),
    "blank command": (AGENT + "claim: {check: ' '}\n", 3, 5, "claim.check",
        "found ' ', expected a command line, as for a shell"),
    "number as a group": (AGENT + "agent: {control_group: '100'}\n", 3, 5, "agent.control_group",
        "found '100', expected the name of a group of this machine"),
    "unknown event": (AGENT + "notify: {on: [done]}\n", 3, 5, "notify.on[0]",
        "found 'done', expected one of failed, waiting_for_labels,"),
    "no keep_warm": ("experiment: e.yaml\n" + PIPELINE + "    keep_warm: never\n", 3, 5,
        "pipelines.digits.keep_warm", "found 'never', expected a duration such as 30s, 5m, 1h 30m or 7d, or forever"),
    "null keep_warm": ("experiment: e.yaml\n" + PIPELINE + "    keep_warm: null\n", 3, 5,
        "pipelines.digits.keep_warm", "found nothing, expected a duration"),
    "bad pipeline name": ("experiment: e.yaml\npipelines:\n  'my digits': {hooks: a.py}\n", 3, 3,
        "pipelines.my digits", f"found the name 'my digits', expected a name of {NAME_RULE}"),
    "pipeline name that leaves its folder": ("experiment: e.yaml\npipelines:\n  ../x: {hooks: a}\n",
        3, 3, "pipelines.../x", NAME_RULE),
    "pipeline name too long": (f"experiment: e.yaml\npipelines:\n  {'x' * 65}: {{hooks: a}}\n", 3, 3,
        f"pipelines.{'x' * 57}...", NAME_RULE),
    "number as hooks": ("experiment: e.yaml\npipelines:\n  x: {hooks: 5}\n", 3, 3,
        "pipelines.x.hooks", f"found 5, {HOOKS_RULE}"),
    "list as hooks": ("experiment: e.yaml\npipelines:\n  x: {hooks: [a.py]}\n", 3, 3,
        "pipelines.x.hooks", f"found a list, {HOOKS_RULE}"),
    "hook that is no reference": ("experiment: e.yaml\npipelines:\n  x:\n    hooks:\n"
        "      train: train.py\n      test: a:b\n      infer: a:b\n", 3, 5,
        "pipelines.x.hooks.train", "found 'train.py', expected a function such as package.module:train"),
    "pool size in quotes": ("experiment: e.yaml\n" + PIPELINE + "    pool_size: '10003'\n", 3, 5,
        "pipelines.digits.pool_size", "found '10003', expected a whole number of 1 or more"),
    "bool as pool size": ("experiment: e.yaml\n" + PIPELINE + "    pool_size: true\n", 3, 5,
        "pipelines.digits.pool_size", "found true, expected a whole number of 1 or more"),
    "fraction as pool size": ("experiment: e.yaml\n" + PIPELINE + "    pool_size: 10.5\n", 3, 5,
        "pipelines.digits.pool_size", "found 10.5, expected a whole number of 1 or more"),
    "power of ten as pool size": ("experiment: e.yaml\n" + PIPELINE + "    pool_size: 1e6\n", 3, 5,
        "pipelines.digits.pool_size", "found 1000000.0, expected a whole number of 1 or more"),
    "empty pool": ("experiment: e.yaml\n" + PIPELINE + "    pool_size: 0\n", 3, 5,
        "pipelines.digits.pool_size", "found 0, expected a whole number of 1 or more"),
    "keep no checkpoint": ("experiment: e.yaml\n" + PIPELINE + "    checkpoints:\n      keep: 0\n", 3,
        6, "pipelines.digits.checkpoints.keep", "found 0, expected a whole number of 1 or more"),
    "store with a slash": ("experiment: e.yaml\n" + PIPELINE + "    checkpoints: {store: a/b}\n", 3, 5,
        "pipelines.digits.checkpoints.store", f"found 'a/b', expected a name of {NAME_RULE}"),
    "bool in env": ("experiment: e.yaml\n" + PIPELINE + "    env:\n      DEBUG: true\n", 3, 6,
        "pipelines.digits.env.DEBUG", "found true, expected text; put it in quotes"),
    "fraction in env": ("experiment: e.yaml\n" + PIPELINE + "    env: {RATE: 1.10}\n", 3, 5,
        "pipelines.digits.env.RATE", "found 1.1, expected text; put it in quotes"),
    "no name of a variable": ("experiment: e.yaml\n" + PIPELINE + "    env: {A=B: c}\n", 3, 5,
        "pipelines.digits.env.A=B", "found the name 'A=B', expected the name of an environment variable"),
    "list of args": ("experiment: e.yaml\n" + PIPELINE + "    args: [1]\n", 3, 5,
        "pipelines.digits.args", "found a list, expected a mapping"),
    "unknown level": (AGENT + "logging: {level: warn}\n", 3, 5, "logging.level", "found 'warn', "
        "expected one of debug, info, warning, error. Did you mean `warning`?"),
    "number as a level": (AGENT + "logging: {level: 10}\n", 3, 5, "logging.level",
        "found 10, expected one of debug, info, warning, error"),
    "yes for true": (AGENT + "platform:\n  allow_insecure_http: yes\n", 3, 6,
        "platform.allow_insecure_http", "found 'yes', expected true or false"),
    "number for true": (AGENT + "platform: {allow_insecure_http: 1}\n", 3, 5,
        "platform.allow_insecure_http", "found 1, expected true or false"),
    "url without a scheme": (REMOTE + "  url: alectio.example.org\n", 3, 6, "platform.url",
        "found 'alectio.example.org', expected embedded or a URL such as https://alectio.example.org"),
    "url with a space": (REMOTE + "  url: https://a.org /x\n", 3, 6, "platform.url",
        "found 'https://a.org /x', expected embedded or a URL such as https://"),
    "url of another scheme": (REMOTE + "  url: ftp://a.org\n", 3, 6, "platform.url",
        "found 'ftp://a.org', expected embedded or a URL such as https://"),
    "url without a host": (REMOTE + "  url: https://\n", 3, 6, "platform.url",
        "expected embedded or a URL such as https://"),
    "url with a bad port": (REMOTE + "  url: https://a.org:99999\n", 3, 6, "platform.url",
        "found 'https://a.org:99999', expected embedded or a URL"),
    "url with a query": (REMOTE + "  url: https://a.org/?x=1\n", 3, 6, "platform.url",
        "expected a URL without ? and #"),
    "url with a password": (REMOTE + "  url: https://me:s3cret@a.org\n", 3, 6, "platform.url",
        "found a user or password in the URL, expected a URL without"),
    "number as a url": (REMOTE + "  url: 8642\n", 3, 6, "platform.url", "found 8642, "
        "expected embedded or a URL such as https://alectio.example.org"),
    "token as a token file": (PIPELINE + "platform:\n  url: https://a.org\n  token_file: alt_s3cret\n",
        3, 6, "platform.token_file", "found a token, expected the path of a file of mode 0600"),
}  # fmt: skip

TOGETHER = {
    "http to another machine": (REMOTE + "  url: http://hub.example.org:8642\n", 6, 6,
        "platform.url", "found 'http://hub.example.org:8642', which sends the token in the clear to "
        "another machine; expected https://, or also `platform.allow_insecure_http: true`"),
    "http to an address": (REMOTE + "  url: http://10.0.0.7:8642\n", 6, 6, "platform.url",
        "expected https://"),
    "http to a host named like loopback": (REMOTE + "  url: http://127.0.0.1.example.org\n", 6, 6,
        "platform.url", "expected https://"),
    "no token for a platform": (PIPELINE + "platform:\n  url: https://a.org\n", 4, 4,
        "platform.token_file", "missing. A platform elsewhere needs a token: alectio-agent enroll "
        "https://a.org writes one beside this file. Expected that, or here the path of a file of "
        "mode 0600, a systemd credential `token`, or a path in $ALECTIO_AGENT_TOKEN_FILE"),
    "the hub in the box without an experiment": ("# none\n" + PIPELINE, 4, 2, "experiment",
        "missing. The hub in the box needs it, such as `experiment: experiment.yaml`; "
        "for another platform set `platform.url`"),
}  # fmt: skip

TABLE = KEYS | VALUES | TOGETHER


@pytest.mark.parametrize(
    ("text", "code", "line", "key", "mend"), list(TABLE.values()), ids=list(TABLE)
)
def test_one_mistake_gives_one_line_with_place_key_and_mend(text, code, line, key, mend):
    (said,) = agent_problems(text)
    assert said.startswith(f"E-CONF-0{code}  agent.yaml:{line} {key}: ")
    assert mend in said


def test_no_secret_is_shown():
    """Messages end in logs and tickets."""
    for mistake in ("inline token", "url with a password", "token as a token file"):
        text = TABLE[mistake][0]
        said = " ".join(agent_problems(text))
        assert "s3cret" not in said
        assert "abcdef" not in said


def test_a_password_in_a_url_that_is_wrong_otherwise_is_not_shown():
    (said,) = agent_problems(REMOTE + "  url: ftp://me:s3cret@a.org\n")
    assert "found 'ftp://***@a.org', expected embedded" in said


def test_two_broken_rules_are_both_shown():
    lines = agent_problems(PIPELINE + "platform:\n  url: http://a.org\n")
    assert [line.split(": ")[0] for line in lines] == [
        "E-CONF-04  agent.yaml:4 platform.token_file",
        "E-CONF-06  agent.yaml:5 platform.url",
    ]


def test_control_characters_of_a_value_do_not_reach_the_terminal():
    (said,) = agent_problems(AGENT + 'logging: {level: "\\e[31mred\\n"}\n')
    assert "found '\\x1b[31mred\\x0a', expected one of debug" in said
