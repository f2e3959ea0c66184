"""`explain`: codes and what they mean."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from alectio_agent.cli.explain import listing, page
from alectio_agent.cli.folding import fold
from alectio_agent.cli.main import main
from alectio_agent.core.codes import FAMILIES, Explanation, explanations


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["explain", *words])


@pytest.mark.parametrize("typed", ["E-HOOK-04", "e-hook-04", "hook04", "E HOOK 04", "ehook-04"])
def test_a_code_is_found_however_it_is_typed(typed: str) -> None:
    result = run(typed)
    assert result.exit_code == 0
    assert result.stdout.startswith("E-HOOK-04  infer returned other rows than asked\n\n")


def test_an_unknown_code_names_the_nearest() -> None:
    result = run("E-HOK-04")
    assert result.exit_code == 2
    assert "E-USE-01  no message has the code 'E-HOK-04'. Did you mean E-HOOK-04?" in result.stderr
    assert result.stdout == ""


def test_a_code_like_no_other_names_none() -> None:
    result = run("99")
    assert result.exit_code == 2
    assert "Did you mean" not in result.stderr


def test_without_a_code_all_are_listed_by_what_they_are_about() -> None:
    result = run()
    for each in explanations().values():
        assert f"  {each.code}  {each.title}" in result.stdout
    assert result.stdout.index("Tokens\n") < result.stdout.index("Your hooks\n")


def test_every_family_of_codes_has_a_name() -> None:
    assert {code.split("-")[1] for code in explanations()} == set(FAMILIES)


def test_json_holds_the_whole_text() -> None:
    told = json.loads(run("E-CONF-02", "--json").stdout)
    assert told["code"] == "E-CONF-02"
    assert told["title"] == "Unknown key"
    assert "nearest known key" in " ".join(told["text"].split())
    assert len(json.loads(run("--json").stdout)) == len(explanations())


def test_text_is_folded_to_the_width() -> None:
    shown = page(explanations()["E-HOOK-03"], 60)
    assert max(map(len, shown.splitlines())) <= 60
    assert "`train(args, labeled, resume_from, ckpt_file)`" in " ".join(shown.split())


def test_commands_in_a_text_keep_their_line() -> None:
    assert fold("one two\nthree\n\n    alectio-agent   run", 9) == (
        "one two\nthree\n\n    alectio-agent   run"
    )


def test_a_long_title_keeps_to_its_column() -> None:
    shown = listing([Explanation("E-USE-01", "one two three", "")], 20)
    assert shown == "The command line\n  E-USE-01  one two\n            three"


def test_it_imports_nothing_heavy() -> None:
    """A person who reads an error must not wait."""
    script = (
        "import sys; from alectio_agent.cli.main import main\n"
        "try: main(['explain', 'hook04'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'requests', 'rich', 'yaml', 'numpy', 'fastapi'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == "heavy: []"
