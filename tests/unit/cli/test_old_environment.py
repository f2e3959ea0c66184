"""What a script and the modules beside it say about variables, classes and samples."""

import ast
from pathlib import Path

import pytest

from alectio_agent.cli.old_environment import variables
from alectio_agent.cli.old_hints import class_hint, has_boxes, pool_hint
from alectio_agent.cli.old_imports import parse, with_local_modules


def trees(text: str) -> dict[Path, ast.Module]:
    return {Path("main.py"): ast.parse(text)}


@pytest.mark.parametrize(
    ("written", "name", "default"),
    [
        ("os.environ['DATA_DIR']", "DATA_DIR", ""),
        ("environ['DATA_DIR']", "DATA_DIR", ""),
        ("os.environ.get('DATA_DIR')", "DATA_DIR", "None"),
        ("os.environ.get('DATA_DIR', '/data')", "DATA_DIR", "'/data'"),
        ("os.getenv('DATA_DIR', default='/data')", "DATA_DIR", "'/data'"),
        ("getenv('DATA_DIR')", "DATA_DIR", "None"),
        ("os.path.join(os.environ['DATA_DIR'], 'x')", "DATA_DIR", ""),
    ],
)
def test_variables_that_are_read(written: str, name: str, default: str) -> None:
    (found,) = variables(trees(f"import os\nx = {written}\n"))
    assert (found.name, found.place, found.default) == (name, "main.py:2", default)


@pytest.mark.parametrize(
    "written",
    ["os.environ['X'] = '1'", "os.environ[name]", "config['X']", "config.get('X')",
     "os.environ['HOME']"],
)  # fmt: skip
def test_what_is_no_reading_of_a_known_variable(written: str) -> None:
    assert variables(trees(f"import os\n{written}\n")) == []


def test_modules_beside_the_script_are_read_too(tmp_path: Path) -> None:
    files = {
        "main.py": "import processes, numpy\nfrom net.deep import Net\nimport broken\n",
        "processes.py": "import os\nimport main\nA = os.environ['A']\n",
        "net/__init__.py": "",
        "net/deep.py": "from . import shallow\n",
        "net/shallow.py": "import os\nB = os.getenv('B')\n",
        "broken.py": "def (",
        "other.py": "import os\nC = os.environ['C']\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    main = tmp_path / "main.py"
    found = with_local_modules(main, parse(main))
    assert {each.name: each.place for each in variables(found)} == {
        "A": "processes.py:3",
        "B": "shallow.py:2",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NUM_CLASSES = 10", 10),
        ("classes = ['cat', 'dog']", ["cat", "dog"]),
        ("net = Net(num_classes=4)", 4),
        ("args = {'n_classes': 7}", 7),
        ("def fit(data, classes=5): pass", 5),
        ("CLASS_NAMES = ('a', 'b')", ("a", "b")),
    ],
)
def test_hints_about_classes(text: str, value: object) -> None:
    found = class_hint(trees(text))
    assert found is not None
    assert found.value == value
    assert found.place.startswith("main.py:1 ")


@pytest.mark.parametrize(
    "text",
    ["classes = 1", "classes = []", "classes = ['a', 'a']", "classes = load()",
     "class_weight = 3", "classes = True"],
)  # fmt: skip
def test_what_is_no_hint_about_classes(text: str) -> None:
    assert class_hint(trees(text)) is None


def test_hints_about_samples_and_boxes() -> None:
    found = pool_hint(trees("train_size = 4000\n"))
    assert found is not None
    assert found.value == 4000
    assert pool_hint(trees("BATCH_SIZE = 64\ntrain_epochs = 20\n")) is None
    assert has_boxes(trees("x = {'boxes': []}"))
    assert not has_boxes(trees("boxes = 1"))
