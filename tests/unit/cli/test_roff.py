"""The manual is the documentation's text, in the formatter's words."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from alectio_agent.cli.man_page import command_page, configuration_page
from alectio_agent.cli.reference import all_commands
from alectio_agent.cli.roff import macros_of

CONFIGURATION = Path(__file__).parents[3] / "docs/configuration.md"


@pytest.mark.parametrize(
    ("text", "macros"),
    [
        ("# Title\n\nOne\nline.", ".PP\nOne line."),
        ("## Exit codes", '.SH "EXIT CODES"'),
        ("### `run` it\n\nText.", '.SS "run it"\n.PP\nText.'),
        ("`-q` and *this*, [there](docs/x.md)", ".PP\n\\fB\\-q\\fR and \\fIthis\\fR, there"),
        (".alectio is hidden", ".PP\n\\&.alectio is hidden"),
        ("C:\\x 'y'", ".PP\nC:\\ex \\(aqy\\(aq"),
        ("| a | b |\n| --- | --- |\n| `x\\|y` | z |", ".TP\n\\fBx|\\:y\\fR\nz."),
        ("| a | key | b |\n| - | - | - |\n| `k` | 1 | m |", ".TP\n\\fBk\\fR\nm. Key: 1."),
        ("- one\n  more\n- two", ".IP \\(bu 2\none more\n.IP \\(bu 2\ntwo"),
        ("    a  b\n    .c", ".PP\n.in +4n\n.EX\na  b\n\\&.c\n.EE\n.in"),
        ("```yaml\na: 1\n\nb: 2\n```", ".PP\n.in +4n\n.EX\na: 1\n\nb: 2\n.EE\n.in"),
        ("Text:\n- not a list of its own", ".PP\nText: \\- not a list of its own"),
    ],
    ids=["paragraph", "section", "subsection", "spans", "dot", "escapes", "table", "three columns",
         "list", "indented", "fenced", "dash"],
)  # fmt: skip
def test_markdown_becomes_macros(text: str, macros: str) -> None:
    assert macros_of(text) == macros


def test_every_command_and_key_has_its_place_in_the_manual() -> None:
    manual = command_page().replace("\\-", "-")
    assert [path for path, _ in all_commands() if f'.SS "{path}' not in manual] == []
    keys = [
        line.split("`")[1]
        for line in CONFIGURATION.read_text().splitlines()
        if line.startswith("| `")
    ]
    configured = configuration_page(CONFIGURATION.read_text()).replace("\\-", "-")
    assert [key for key in keys if f"\\fB{key}\\fR\n".replace("|", "|\\:") not in configured] == []


@pytest.mark.parametrize("name", ["alectio-agent.1", "agent.yaml.5"])
def test_man_shows_the_page_without_a_warning_in_eighty_columns(name: str, tmp_path: Path) -> None:
    if shutil.which("man") is None or shutil.which("groff") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("man-db and groff are not installed")
        pytest.skip("man-db and groff are not installed")
    page = tmp_path / name
    made = command_page() if name.endswith("1") else configuration_page(CONFIGURATION.read_text())
    page.write_text(made)
    shown = subprocess.run(
        ["man", "--warnings", "--local-file", page],
        env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stderr == ""
    prose = [line for line in shown.stdout.splitlines() if not line.startswith(" " * 11)]
    assert max(map(len, prose)) <= 80
    assert "alectio-agent" in shown.stdout
