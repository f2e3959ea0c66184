"""The commonest mistakes, made for real: the message says what, where, and the mend."""

import sys
import venv
from pathlib import Path

import pytest

from tests.support.projects import HOOKS, run_command, write_project


def told(text: str) -> str:
    """What a person reads, whatever line it was broken at."""
    return " ".join(text.split())


def test_a_misspelt_key_is_named_with_its_line_and_the_right_one(tmp_path: Path) -> None:
    """E-CONF-02."""
    write_project(tmp_path)
    (tmp_path / "agent.yaml").write_text(
        "agent: {name: gpu01}\npipelines:\n  xray:\n    hooks: processes.py\n"
        "    pyhton: /opt/conda/envs/torch/bin/python\nexperiment: experiment.yaml\n"
    )
    done = run_command("run", cwd=tmp_path)
    assert done.returncode == 78
    expected = "E-CONF-02  agent.yaml:5 pipelines.xray.pyhton: unknown key. Did you mean `python`?"
    assert expected in done.stderr.splitlines()
    assert not (tmp_path / ".alectio").exists()


def test_a_package_that_is_not_there_is_said_with_where_it_is(tmp_path: Path) -> None:
    """E-HOOK-01: the environment beside the project has what the agent's own Python lacks."""
    write_project(tmp_path, hooks="import json\n\nimport frobnicate\n" + HOOKS)
    venv.create(tmp_path / ".venv", symlinks=True)
    site = next((tmp_path / ".venv" / "lib").glob("python3*")) / "site-packages"
    (site / "frobnicate.py").write_text("")
    done = run_command("run", cwd=tmp_path)
    assert done.returncode == 78
    said = told(done.stderr)
    assert (
        f"E-HOOK-01 {tmp_path}/processes.py:3 `import frobnicate`: not installed in "
        f"{sys.executable} (pipelines.toy.python is not set)."
    ) in said
    found = tmp_path / ".venv"
    assert f"Found frobnicate in {found}. Set pipelines.toy.python: {found}/bin/python" in said
    (tmp_path / "agent.yaml").write_text(
        "pipelines:\n  toy: {hooks: processes.py, pool_size: 60, python: .venv/bin/python}\n"
        "experiment: experiment.yaml\n"
    )
    mended = run_command("run", "--once", cwd=tmp_path)
    assert mended.returncode == 0, mended.stderr


def test_missing_rows_are_named_with_what_is_kept_and_the_command_that_goes_on(
    tmp_path: Path,
) -> None:
    """E-HOOK-04."""
    lossy = HOOKS.replace(
        'for index in payload["unlabeled"]}}', 'for index in payload["unlabeled"][:-3]}}'
    )
    write_project(tmp_path, hooks=lossy)
    done = run_command("run", cwd=tmp_path)
    assert done.returncode == 3
    said = told(done.stderr)
    assert "E-HOOK-04 toy/0 infer: 3 of 55 rows missing: " in said
    assert '; 0 unasked. Return one row for each index in payload["unlabeled"]' in said
    assert "(drop_last=True in a DataLoader does this)" in said
    assert "train and test are kept. Mend it, then: alectio-agent" in said
    assert "Traceback" not in said


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """E-AUTH-02."""
    write_project(tmp_path)
    (tmp_path / "token").write_text("alt_" + "x" * 43)
    (tmp_path / "token").chmod(0o644)
    (tmp_path / "agent.yaml").write_text(
        "platform: {url: 'http://127.0.0.1:1', token_file: token}\n"
        "pipelines:\n  toy: {hooks: processes.py, pool_size: 60}\n"
    )
    done = run_command("run", cwd=tmp_path)
    assert done.returncode == 78
    assert f"E-AUTH-02 {tmp_path}/token is readable by others (0644). chmod 600 it" in told(
        done.stderr
    )
    assert "alectio-agent hub token revoke" in told(done.stderr)


@pytest.mark.parametrize("words", [(), ("explain",), ("experiment", "list")])
def test_no_mistake_ends_in_a_traceback(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "agent.yaml").write_text("pipelines: [\n")
    done = run_command(*words, cwd=tmp_path)
    assert "Traceback" not in done.stdout + done.stderr
