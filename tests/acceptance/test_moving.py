"""A project of the Flask SDK moves over: unchanged, with one line changed, and by `init --from`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.projects import QUICK, read_experiment, run_command

# As the old SDK's examples were written: folders read at import, state in module globals, one
# payload, checkpoints without a suffix.
PROCESSES = """
import json, os

EXPT_DIR = os.environ["EXPT_DIR"]
DATA_DIR = os.environ["DATA_DIR"]
LOG_DIR = os.environ["LOG_DIR"]
CLASSES = 3
model = None

with open(os.path.join(DATA_DIR, "points.json")) as file:
    points = json.load(file)


def train(payload):
    global model
    if payload["resume_from"] is not None:
        load(payload["resume_from"])
    sums = [[0.0, 0.0, 0] for _ in range(CLASSES)]
    for index in payload["labeled"]:
        x, y = points[index]
        total = sums[index % CLASSES]
        total[0] += x
        total[1] += y
        total[2] += 1
    model = sums
    with open(os.path.join(EXPT_DIR, payload["ckpt_file"]), "w") as file:
        json.dump(model, file)


def load(name):
    global model
    with open(os.path.join(EXPT_DIR, name)) as file:
        model = json.load(file)


def scores(index):
    x, y = points[index]
    return [-9.0 if n == 0 else -((x - a / n) ** 2 + (y - b / n) ** 2) for a, b, n in model]


def test(payload):
    load(payload["ckpt_file"])
    rows = {index: scores(index) for index in range(60, 100)}
    return {
        "predictions": {index: row.index(max(row)) for index, row in rows.items()},
        "labels": {index: index % CLASSES for index in rows},
    }


def infer(payload):
    load(payload["ckpt_file"])
    return {"outputs": {index: scores(index) for index in payload["unlabeled"]}}
"""
USUAL = """
import argparse, os
from alectio_sdk.flask_wrapper import Pipeline
from processes import train, test, infer

parser = argparse.ArgumentParser()
parser.add_argument("--flag", default="none")
with open(os.path.join(os.environ["DATA_DIR"], "flags"), "a") as file:
    file.write(parser.parse_args().flag + " " + __name__ + "\\n")

app = Pipeline(name="topic classification", train_fn=train, test_fn=test, infer_fn=infer)
app(debug=True)
"""
GUARD_OUTSIDE = USUAL.replace("app(debug", 'if __name__ == "__main__":\n    app(debug')
GUARD_AROUND = USUAL.replace("app = ", 'if __name__ == "__main__":\n    app = ').replace(
    "\napp(", "\n    app("
)
IN_MAIN = GUARD_AROUND.replace('if __name__ == "__main__":', "def main():") + (
    'if __name__ == "__main__":\n    main()\n'
)
KEYWORDS = """
import json, os
from alectio_agent import Pipeline

EXPT_DIR = os.environ["EXPT_DIR"]

def fit(args, labeled, resume_from, ckpt_file):
    with open(os.path.join(EXPT_DIR, ckpt_file), "w") as file:
        json.dump([args["rate"], args["more"]], file)
    return {"hyperparams": {"rate": args["rate"], "more": args["more"]}}

def score(args, ckpt_file):
    return {"predictions": [0, 1], "labels": [0, 1]}

def rows(args, unlabeled, ckpt_file):
    return {"outputs": {index: {"logits": [1.0, 2.0, index]} for index in unlabeled}}

def names(args):
    return {index: "record %d" % index for index in range(60)}

if __name__ == "__main__":
    args = {"rate": 0.5}
    args["more"] = os.environ.get("MORE", "1")
    app = Pipeline(name="k", train_fn=fit, test_fn=score, infer_fn=rows, getstate_fn=names,
                   args=args, token="t0psecret")
    app()
"""
EXPERIMENT = "name: topic\nclasses: 3\nbatch: 5\nloops: 3\npool: 60\n" + QUICK
AGENT = "pipelines:\n  topic: {hooks: main.py, pool_size: 60}\nexperiment: experiment.yaml\n"


def one_line(script: str) -> str:
    """The change that the documentation asks for."""
    return script.replace("alectio_sdk.flask_wrapper", "alectio_agent")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "processes.py").write_text(PROCESSES)
    (folder / "main.py").write_text(USUAL)
    (folder / "experiment.yaml").write_text(EXPERIMENT)
    data = tmp_path / "data"
    data.mkdir()
    points = [[index % 3 + index * 7 % 11 / 11, index * 5 % 13 / 13] for index in range(100)]
    (data / "points.json").write_text(repr(points))
    return folder


def environment(project: Path, **others: str) -> dict[str, str]:
    known = {
        name: value for name, value in os.environ.items() if name not in ("EXPT_DIR", "LOG_DIR")
    }
    return {**known, "DATA_DIR": str(project.parent / "data"), **others}


def run_script(
    project: Path, *words: str, cwd: Path | None = None, **others: str
) -> subprocess.CompletedProcess[str]:
    """`python WORDS` in the project."""
    return subprocess.run(
        [sys.executable, *words], cwd=cwd or project, env=environment(project, **others),
        capture_output=True, text=True, timeout=50,
    )  # fmt: skip


def flags(project: Path) -> list[str]:
    return (project.parent / "data/flags").read_text().splitlines()


def finished(folder: Path, done: subprocess.CompletedProcess[str], name: str = "topic") -> None:
    assert done.returncode == 0, done.stderr
    found = read_experiment(folder, name)
    assert [loop["labels"] for loop in found["loops"]] == [5, 10, 15]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("script", [USUAL, GUARD_OUTSIDE], ids=["usual", "guard"])
def test_a_script_runs_with_no_line_changed(project: Path, script: str) -> None:
    (project / "main.py").write_text(script)
    (project / "agent.yaml").write_text(AGENT.replace("60}", "60, argv: [--flag, y]}"))
    done = run_command("run", cwd=project, environment=environment(project))
    finished(project, done)
    assert set(flags(project)) == {"y main"}


def test_it_also_runs_in_an_interpreter_without_this_package(project: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True
    )
    python = f"60, python: {tmp_path}/venv/bin/python}}"
    (project / "agent.yaml").write_text(AGENT.replace("60}", python))
    for script in (USUAL, one_line(USUAL)):
        (project / "main.py").write_text(script)
        name = "old" if script is USUAL else "new"
        (project / "experiment.yaml").write_text(EXPERIMENT.replace("topic", name))
        done = run_command("run", cwd=project, environment=environment(project))
        finished(project, done, name)


@pytest.mark.parametrize(
    "script",
    [USUAL, GUARD_OUTSIDE, GUARD_AROUND, IN_MAIN],
    ids=["usual", "guard", "around", "main"],
)
def test_one_changed_line_makes_python_main_py_run_the_agent(project: Path, script: str) -> None:
    (project / "main.py").write_text(one_line(script))
    done = run_script(project, "main.py", "--flag", "x")
    finished(project, done)
    assert flags(project)[0] == "x __main__"
    assert set(flags(project)[1:]) == {"x main"}, "the hook process sees the arguments too"
    assert "debug: no longer needed" in done.stderr


def test_agent_yaml_beside_the_script_is_found_from_elsewhere(
    project: Path, tmp_path: Path
) -> None:
    (project / "main.py").write_text(one_line(USUAL))
    (project / "agent.yaml").write_text(AGENT.replace("main.py", "processes.py"))
    done = run_script(project, "project/main.py", cwd=tmp_path)
    finished(project, done)


def test_a_module_of_the_users_own_does_not_hide_the_librarys_from_the_agent(
    project: Path,
) -> None:
    (project / "main.py").write_text(one_line(USUAL))
    (project / "secrets.py").write_text("raise SystemExit('the wrong one')\n")
    finished(project, run_script(project, "main.py"))


def test_args_and_state_of_a_guarded_pipeline_reach_the_hooks(project: Path) -> None:
    (project / "main.py").write_text(KEYWORDS)
    (project / "experiment.yaml").write_text(EXPERIMENT.replace("pool: 60\n", ""))
    done = run_script(project, "main.py", MORE="7")
    finished(project, done)
    first = read_experiment(project, "topic")["loops"][0]
    assert first["hyperparams"] == {"rate": 0.5, "more": "7"}
    assert "t0psecret" not in done.stdout + done.stderr
    left = [file for file in project.rglob("*") if file.is_file() and file.name != "main.py"]
    assert not [file for file in left if b"t0psecret" in file.read_bytes()]


def test_python_dash_m_works_too(project: Path) -> None:
    package = project / "pkg"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "processes.py").write_text(PROCESSES)
    (package / "main.py").write_text(
        one_line(GUARD_AROUND).replace("from processes", "from .processes")
    )
    (project / "agent.yaml").write_text(AGENT.replace("hooks: main.py, ", "hooks: x.py, "))
    finished(project, run_script(project, "-m", "pkg.main"))


def test_python_dash_m_keeps_args_and_set_up_of_the_main_module(project: Path) -> None:
    package = project / "pkg"
    package.mkdir()
    (package / "__init__.py").touch()
    text = KEYWORDS.replace('if __name__ == "__main__":', "if True:")
    text = text.replace("import json, os", "import json, os\nos.environ['MORE'] = '7'")
    (package / "main.py").write_text(text)
    (package / "experiment.yaml").write_text(EXPERIMENT.replace("pool: 60\n", ""))
    done = run_script(project, "-m", "pkg.main")
    finished(package, done)
    first = read_experiment(package, "topic")["loops"][0]
    assert first["hyperparams"] == {"rate": 0.5, "more": "7"}


def test_what_is_typed_after_a_failure_works_without_an_agent_yaml(project: Path) -> None:
    (project / "main.py").write_text(one_line(USUAL))
    text = PROCESSES.replace('return {"outputs"', 'raise OSError("disk")\n    return {"outputs"')
    (project / "processes.py").write_text(text)
    done = run_script(project, "main.py", "--flag", "x")
    assert done.returncode == 3
    assert "Mend it, then: python main.py --flag x." in done.stderr
    init = "alectio-agent init . --from main.py"
    assert f"need an agent.yaml: {init}" in done.stderr
    (project / "processes.py").write_text(PROCESSES)
    known = environment(project)
    made = run_command(*init.split()[1:], cwd=project, environment=known)
    assert made.returncode == 0, made.stderr
    assert run_command("logs", cwd=project, environment=known).returncode == 0
    finished(project, run_command("run", cwd=project, environment=known))


def test_several_pipelines_the_called_one_runs(project: Path) -> None:
    another = "Pipeline('other', infer, infer, infer)\napp(debug"
    (project / "main.py").write_text(one_line(USUAL).replace("app(debug", another))
    finished(project, run_script(project, "main.py"))


def test_without_any_configuration_the_mend_is_named(project: Path) -> None:
    (project / "experiment.yaml").unlink()
    (project / "main.py").write_text(one_line(USUAL))
    done = run_script(project, "main.py")
    assert done.returncode == 78
    assert "E-RUN-06" in done.stderr
    assert "alectio-agent init . --from main.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_prompt_says_that_it_needs_a_script(project: Path) -> None:
    code = one_line(
        "from alectio_sdk.flask_wrapper import Pipeline\nf = print\nPipeline('n', f, f, f)()"
    )
    done = run_script(project, "-c", code)
    assert done.returncode == 78
    assert done.stderr.startswith("E-RUN-06")
    assert "Traceback" not in done.stderr


def test_a_lambda_is_refused_before_anything_starts(project: Path) -> None:
    call = "train_fn=lambda payload: None"
    (project / "main.py").write_text(one_line(USUAL).replace("train_fn=train", call))
    done = run_script(project, "main.py")
    assert done.returncode == 78
    assert "E-HOOK-03  hook `train` is a lambda" in done.stderr
    assert not (project / ".alectio").exists()


@pytest.mark.parametrize("script", [USUAL, GUARD_AROUND], ids=["usual", "around"])
def test_init_from_writes_what_runs(project: Path, script: str) -> None:
    (project / "main.py").write_text(script + "NUM_CLASSES = 3\nPOOL_SIZE = 60\n")
    (project / "experiment.yaml").unlink()
    known = environment(project)
    made = run_command("init", ".", "--from", "main.py", cwd=project, environment=known)
    assert made.returncode == 0, made.stderr
    file = project / "experiment.yaml"
    file.write_text(
        file.read_text().replace("batch: 3", "batch: 5").replace("loops: 10", "loops: 3")
    )
    # The variables are in the file now: an agent that is run as a service has no others.
    bare = {name: value for name, value in known.items() if name != "DATA_DIR"}
    done = subprocess.run(
        [sys.executable, "-m", "alectio_agent", "run"], cwd=project, env=bare,
        capture_output=True, text=True, timeout=50,
    )  # fmt: skip
    finished(project, done, "topic-classification")


def test_importing_the_package_alone_changes_nothing(project: Path) -> None:
    (project / "look.py").write_text(
        "import os, sys, alectio_agent\n"
        "heavy = {'click', 'pydantic', 'requests', 'yaml', 'tempfile'} & set(sys.modules)\n"
        "print(sorted(heavy), 'EXPT_DIR' in os.environ)\n"
        "from alectio_agent import Pipeline\n"
        "heavy = {'click', 'pydantic', 'requests', 'yaml', 'tempfile'} & set(sys.modules)\n"
        "print(sorted(heavy), os.environ['EXPT_DIR'])\n"
    )
    said = run_script(project, "look.py").stdout.splitlines()
    assert said == ["[] False", f"[] {project}/checkpoints"]
