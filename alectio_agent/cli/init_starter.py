"""The files of a project to begin with; the functions are those in `starters/`."""

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from alectio_agent.cli.init_files import IGNORE_FILE, Draft, ignore_text
from alectio_agent.cli.yaml_text import aligned, scalar
from alectio_agent.core.slug import slug

RANKED = "# strategy: margin # how samples are chosen; default: 90 % diverse_margin, 10 % random"
RANDOM = "strategy: random # the strategies that rank by scores are for classification"
NO_PYTHON = (
    "# python: /opt/conda/envs/torch/bin/python # the interpreter with your packages; default: "
    "the agent's own"
)


@dataclass(frozen=True)
class Task:
    """What `experiment.yaml` says for a task.

    Attributes:
        classes: The line about classes; empty for tasks without.
        batch: Samples per loop.
    """

    classes: str
    batch: int


STARTERS = {
    "classification": Task("classes: 3 # how many, or their names: [cat, dog, bird]", 10),
    "multi_label": Task("classes: 3 # how many tags, or their names", 15),
    "regression": Task("", 10),
    "object_detection": Task("classes: [grey, white] # their names, or how many", 8),
    "segmentation": Task("classes: [ground, house, sky] # their names, or how many", 5),
    "custom": Task("", 10),
}


def draft_starter(folder: Path, task: str, python: Path | None) -> Draft:
    """Draft a project that runs as it is.

    Args:
        folder: Gives the names.
        task: What is learned.
        python: Interpreter of the hooks; None for the agent's own.

    Returns:
        Its files.
    """
    name = slug(folder.absolute().name, "first")
    hooks = starter(task)
    pool = re.search(r"^POOL_SIZE = (\d+)", hooks, re.MULTILINE)
    return Draft(
        {
            "agent.yaml": aligned(_agent(name, int(pool[1]) if pool else 0, python)),
            "experiment.yaml": aligned(_experiment(name, task)),
            "processes.py": hooks,
            IGNORE_FILE: ignore_text(),
        },
        notes=("Your own data and model go into processes.py, where it says YOURS.",),
    )


def starter(task: str) -> str:
    """The text of `processes.py` for a task.

    Args:
        task: One of `STARTERS`.
    """
    return files("alectio_agent.cli").joinpath("starters", f"{task}.py").read_text("utf-8")


def python_line(python: Path | None) -> str:
    """The line about the interpreter.

    Args:
        python: None for the agent's own.
    """
    if python is None:
        return NO_PYTHON
    return f"python: {scalar(str(python))} # the interpreter of the functions"


def _agent(name: str, pool: int, python: Path | None) -> str:
    return f"""\
# The agent: which functions it runs, and how. More keys are in docs/configuration.md.
pipelines: # your functions, by a name of your choice
  {scalar(name)}: # this name
    hooks: processes.py # the file with train, test and infer
    pool_size: {pool} # samples that may be chosen; not needed with state(payload) in that file
    {python_line(python)}
    # env: {{DATA_DIR: /data}} # environment variables for the functions
    # args: {{learning_rate: 0.1}} # handed to them as payload["args"]
experiment: experiment.yaml # what the hub in the box runs
"""


def _experiment(name: str, task: str) -> str:
    told = STARTERS[task]
    lines = [
        "# The experiment: what is learned, and how the samples to learn from are chosen.",
        f"name: {scalar(name)} # the results go to results/{name}",
        f"task: {task} # or {', '.join(other for other in STARTERS if other != task)}",
        *([told.classes] if told.classes else []),
        f"batch: {told.batch} # samples that are added in each loop, loop 0 included",
        "loops: 8 # how often",
        RANKED if task == "classification" else RANDOM,
        "seed: 0 # the same seed makes the same choices",
        "# control: replay # afterwards the same with random choice, to see what the strategy "
        "gains",
    ]
    if task != "classification":
        lines.insert(1, "# For this task test() prints a score of its own into .alectio/logs.")
        lines.pop()
    return "".join(f"{line}\n" for line in lines)
