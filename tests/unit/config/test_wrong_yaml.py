"""Files that are no configuration at all: what the YAML reader says, in words one can act on."""

# ruff: noqa: E501 - a table is read by its columns

import pytest

from alectio_agent.config.loader import load
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError
from tests.support.config_files import AGENT, PIPELINE, agent_problems, experiment_problems

# name: (text, line, what the line must say)
TABLE = {
    "empty": ("", 1, "the file is empty; expected a mapping with the keys agent, platform,"),
    "comments only": ("# nothing\n# yet\n", 1, "the file is empty"),
    "explicit null": ("---\nnull\n", 1, "the file is empty"),
    "list at the top": ("# pipelines\n- digits\n", 2, "found a list, expected a mapping with the"),
    "text at the top": ("pipelines\n", 1, "found 'pipelines', expected a mapping with the keys"),
    "tab": ("pipelines:\n\tdigits: {hooks: a.py}\n", 2, "a tab stands where only spaces may; indent"),
    "tab after spaces": (PIPELINE + "  \tx: {hooks: a.py}\n", 4, "a tab stands where only spaces"),
    "two colons": ("experiment: a: b\n", 1, "a second `key:` in one line, or wrong indentation"),
    "indented too far": ("experiment: a\n  pipelines: {}\n", 2, "wrong indentation; put each key"),
    "indented too little": (PIPELINE + "   x: 1\n", 4, "the indentation does not fit the lines above"),
    "no colon": ("experiment: a\npipelines\nagent: {}\n", 2, "a line without `key: value`; add the"),
    "open list": ("agent:\n  tags: [a, b\nexperiment: a\n", 2, "a list that is not closed; add `]`"),
    "open mapping": ("agent: {name: a\nexperiment: b\n", 1, "a mapping that is not closed; add `}`"),
    "open quotes": ("experiment: 'a\n" + PIPELINE, 1, "a quotation mark that is not closed; add it"),
    "text after quotes": ("experiment: 'a' b\n", 1, "text follows a closing quotation mark"),
    "backslash": ('experiment: "C:\\data"\n', 1, "a backslash between double quotation marks"),
    "reserved character": ("experiment: @home\n", 1, "a character that YAML reserves; put quotes"),
    "dash after a key": ("agent: - a\n", 1, "a list that begins in the line of its key"),
    "two documents": ("experiment: a\n---\nexperiment: b\n", 2, "a second document begins; keep one"),
    "control character": ("experiment: a\n# \x07\n", 2, "a control character; delete it"),
    "unknown alias": ("experiment: *e\n", 1, "an alias `*name` without its anchor"),
    "anchor twice": ("agent: &a {}\nlogging: &a {}\n", 2, "an anchor `&name` that is defined twice"),
    "alias of itself": ("agent: &a\n  tags: [*a]\n", 1, "an alias inside the value it stands for"),
    "object tag": ("agent:\n  name: !!python/object/apply:os.getcwd []\n", 2, "the tag !!python/object"),
    "own tag": ("agent: {name: !env HOME}\n", 1, "the tag !env is not allowed here; write a plain"),
    "mapping as a key": ("{a: b}: c\n", 1, "a list or mapping as a key; expected a name"),
    "merge of a list": ("agent:\n  <<: [a]\n", 2, "`<<` without a mapping; write `<<: *name`"),
    "too deep": ("agent: " + "[" * 600, 1, "nested too deeply; write fewer levels"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "mend"), list(TABLE.values()), ids=list(TABLE))
def test_the_line_and_the_mend_are_named(text, line, mend):
    (said,) = agent_problems(text)
    assert said.startswith(f"E-CONF-01  agent.yaml:{line}: ")
    assert mend in said


def test_text_that_is_no_utf8_names_the_line_and_the_byte():
    (said,) = agent_problems(AGENT.encode() + "# Müller\n".encode("latin-1"))
    assert said == (
        "E-CONF-01  agent.yaml:5: found the byte 0xfc, expected UTF-8 text; save the file as UTF-8"
    )


def test_utf16_is_refused():
    (said,) = agent_problems(AGENT.encode("utf-16"))
    assert "agent.yaml:1: found the byte 0xff, expected UTF-8 text" in said


def test_more_than_a_mebibyte_is_refused_unread():
    (said,) = experiment_problems(b"#" * (2**20 + 1))
    assert said == (
        "E-CONF-01  experiment.yaml: larger than 1 MiB; expected a configuration, not data"
    )


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory():
    """Nine lines of ten aliases each would expand to a billion values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 10):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    (said,) = agent_problems("\n".join(lines))
    assert "aliases that add more than 10000 values; write less" in said


def test_many_long_lists_without_aliases_are_no_bomb():
    lines = experiment_problems("classes: [" + "a, " * 11_000 + "b]\n")
    assert not [line for line in lines if "aliases" in line]


def test_a_file_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "no.yaml", AgentFile)
    assert str(caught.value) == (
        "E-CONF-01  no.yaml: cannot be read (No such file or directory); expected a YAML file"
    )


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        load(tmp_path, AgentFile)


def test_a_file_elsewhere_is_named_by_its_whole_path(tmp_path, monkeypatch):
    (tmp_path / "inner").mkdir()
    (tmp_path / "agent.yaml").write_text("[]")
    monkeypatch.chdir(tmp_path / "inner")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "agent.yaml", AgentFile)
    assert str(caught.value).startswith(f"E-CONF-01  {tmp_path}/agent.yaml:1: found an empty list")
