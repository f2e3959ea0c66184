"""Scripts of the old SDK are read, never run; many shapes."""

from pathlib import Path

import pytest

from alectio_agent.cli.old_script import OldScript, is_under_main_guard, read_old_script
from alectio_agent.core.errors import ExitCode, UsageError

FUNCTIONS = """
def train(payload): pass
def test(payload): pass
def infer(payload): pass
"""
IMPORT = "from alectio_sdk.flask_wrapper import Pipeline\n"
GIVEN = "name='topic classification', train_fn=train, test_fn=test, infer_fn=infer"
SEVERAL = "a = Pipeline('a', train, test, infer)\nb = Pipeline('b', train, test, infer)\n"
SAME = {"train": "train", "test": "test", "infer": "infer"}


def read(folder: Path, text: str) -> OldScript:
    file = folder / "main.py"
    file.write_text(text)
    return read_old_script(file)


def test_the_usual_script(tmp_path: Path) -> None:
    text = IMPORT + FUNCTIONS + f"app = Pipeline({GIVEN})\napp(debug=True, port=5000)\n"
    found = read(tmp_path, text)
    assert found.name == "topic classification"
    assert found.functions == SAME
    assert found.is_seen
    assert found.line == 6
    assert found.serving == {"debug": 7, "port": 7}
    assert not found.has_args
    assert found.token_line is None


@pytest.mark.parametrize(
    "call",
    [
        "Pipeline('n', train, test, infer)",
        "Pipeline('n', train, infer_fn=infer, test_fn=test)",
        "Pipeline(name='n', train_fn=train, test_fn=test, infer_fn=infer, getstate_fn=None)",
        "Pipeline('n', train, test, infer, None, {}, None)",
    ],
)
def test_positions_and_keywords_mean_the_same(tmp_path: Path, call: str) -> None:
    found = read(tmp_path, IMPORT + FUNCTIONS + f"app = {call}\n")
    assert found.name == "n"
    assert found.functions == SAME


@pytest.mark.parametrize(
    ("importing", "call"),
    [
        ("from alectio_sdk.sdk import Pipeline as P", "P('n', train, test, infer)"),
        ("import alectio_sdk.sdk as sdk", "sdk.Pipeline('n', train, test, infer)"),
        ("import alectio_sdk.sdk", "alectio_sdk.sdk.Pipeline('n', train, test, infer)"),
        ("from alectio_sdk.flask_wrapper import *", "Pipeline('n', train, test, infer)"),
        ("from alectio_agent import Pipeline", "Pipeline('n', train, test, infer)"),
        ("from sklearn.pipeline import Pipeline as S\nfrom alectio_sdk.sdk import Pipeline",
         "Pipeline('n', train, test, infer); S([('a', 1)])"),
        ("from ours import Pipeline", f"Pipeline({GIVEN})"),
    ],
)  # fmt: skip
def test_a_pipeline_is_known_by_where_it_is_from(tmp_path: Path, importing: str, call: str) -> None:
    assert read(tmp_path, f"{importing}\n{FUNCTIONS}{call}\n").functions == SAME


@pytest.mark.parametrize(
    "place",
    [
        'if __name__ == "__main__":\n    {}\n',
        'if "__main__" == __name__:\n    {}\n',
        'if __name__ == "__main__" and ready:\n    {}\n',
        'if not __name__ != "__main__":\n    {}\n',
        'if __name__ != "__main__":\n    pass\nelse:\n    {}\n',
        'if __name__ != "__main__" or not ready:\n    pass\nelse:\n    {}\n',
        "def main():\n    {}\nmain()\n",
        'def main():\n    {}\nif __name__ == "__main__":\n    main()\n',
    ],
)
def test_what_an_import_does_not_run_is_noticed(tmp_path: Path, place: str) -> None:
    found = read(tmp_path, IMPORT + FUNCTIONS + place.format(f"Pipeline({GIVEN})()"))
    assert not found.is_seen
    assert found.functions == SAME


@pytest.mark.parametrize(
    "place",
    [
        'app = Pipeline({})\nif __name__ == "__main__":\n    app()\n',
        "try:\n    app = Pipeline({})\nexcept Exception:\n    raise\n",
        'if __name__ != "__main__":\n    pass\napp = Pipeline({})\n',
        'if __name__ == "__main__":\n    pass\nelse:\n    app = Pipeline({})\n',
        'if __name__ == "__main__" or ready:\n    app = Pipeline({})\n',
        'if __name__ == "__main__":\n    pass\nelif ready:\n    app = Pipeline({})\n',
    ],
)
def test_what_an_import_runs_is_noticed_too(tmp_path: Path, place: str) -> None:
    assert read(tmp_path, IMPORT + FUNCTIONS + place.format(GIVEN)).is_seen


@pytest.mark.parametrize(
    ("importing", "function", "name"),
    [
        ("from processes import train", "train", "train"),
        ("from processes import fit as train", "train", "train"),
        ("import processes", "processes.fit", "processes:fit"),
        ("import my.processes", "my.processes.fit", "my.processes:fit"),
        ("import my.processes as p", "p.fit", "my.processes:fit"),
        ("from my import processes", "processes.fit", "my.processes:fit"),
        ("from processes import *", "train", "train"),
        ("try:\n    from fast import train\nexcept ValueError:\n    raise", "train", "train"),
    ],
)  # fmt: skip
def test_functions_of_other_modules(
    tmp_path: Path, importing: str, function: str, name: str
) -> None:
    call = GIVEN.replace("train_fn=train", f"train_fn={function}")
    guarded = f'if __name__ == "__main__":\n    Pipeline({call})()\n'
    rest = FUNCTIONS.replace("def train(payload): pass\n", "")
    assert read(tmp_path, f"{IMPORT}{importing}\n{rest}{guarded}").functions["train"] == name


@pytest.mark.parametrize(
    ("importing", "function", "name"),
    [
        ("from .processes import train", "train", "train"),
        ("from . import processes", "processes.train", "{package}.processes:train"),
        ("from .deep import processes as p", "p.train", "{package}.deep.processes:train"),
    ],
)
def test_functions_of_modules_of_the_same_package(
    tmp_path: Path, importing: str, function: str, name: str
) -> None:
    call = GIVEN.replace("train_fn=train", f"train_fn={function}")
    guarded = f'if __name__ == "__main__":\n    Pipeline({call})()\n'
    rest = FUNCTIONS.replace("def train(payload): pass\n", "")
    found = read(tmp_path, f"{IMPORT}{importing}\n{rest}{guarded}").functions["train"]
    assert found == name.format(package=tmp_path.name)


def test_functions_that_are_imported_under_the_guard_are_named_with_their_module(
    tmp_path: Path,
) -> None:
    text = f'{IMPORT}if __name__ == "__main__":\n    from processes import train, test, infer\n'
    found = read(tmp_path, f"{text}    Pipeline({GIVEN})()\n")
    assert found.functions == {step: f"processes:{step}" for step in SAME}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("args={'rate': 0.1, 'layers': [1, 2]}", {"rate": 0.1, "layers": [1, 2]}),
        ("args=ARGS", {"rate": 3}),
        ("args=load()", None),
    ],
)
def test_args_are_read_when_they_stand_there_literally(
    tmp_path: Path, written: str, value: object
) -> None:
    text = f"{IMPORT}{FUNCTIONS}ARGS = {{'rate': 3}}\nPipeline({GIVEN}, {written})\n"
    found = read(tmp_path, text)
    assert found.args == value
    assert found.has_args


def test_a_name_that_only_running_would_tell(tmp_path: Path) -> None:
    call = GIVEN.replace("'topic classification'", "config['name']")
    assert read(tmp_path, f"{IMPORT}{FUNCTIONS}Pipeline({call})\n").name is None


def test_a_token_is_found_whatever_it_is(tmp_path: Path) -> None:
    text = f"{IMPORT}{FUNCTIONS}Pipeline({GIVEN},\n    token=read_it())\n"
    assert read(tmp_path, text).token_line == 7


@pytest.mark.parametrize(
    ("calling", "name"),
    [("", "b"), ("a()\nb()", "a"), ("b.run()", "b"), ('if __name__ == "__main__":\n    a()', "a")],
)
def test_of_several_pipelines_the_called_one_counts_else_the_last(
    tmp_path: Path, calling: str, name: str
) -> None:
    found = read(tmp_path, IMPORT + FUNCTIONS + SEVERAL + calling + "\n")
    assert found.name == name
    assert found.others == ({7: "b"} if name == "a" else {6: "a"})


def test_several_pipelines_without_names_are_refused(tmp_path: Path) -> None:
    text = IMPORT + FUNCTIONS + SEVERAL.replace("'b'", "'A'")
    with pytest.raises(UsageError, match=r"E-INIT-02  .*Pipelines in lines 6, 7"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("print('no pipeline')\n", "found no Pipeline(...)"),
        ("from sklearn.pipeline import Pipeline\nPipeline([('a', 1)])\n", "found no Pipeline(...)"),
        ("def broken(:\n", "main.py:1 is no Python: "),
        ("x = 1\nprint 'python 2'\n", "main.py:2 is no Python: "),
        ("x = '\0'\n", "is no Python: "),
        (IMPORT + FUNCTIONS + "Pipeline('n', train, test)\n",
         "main.py:6 Pipeline(...) names no infer_fn"),
        (IMPORT + FUNCTIONS + "Pipeline('n', lambda p: 1, test, infer)\n",
         "main.py:6 train_fn=lambda p: 1: the hook process cannot find this function"),
        (IMPORT + "def main():\n    def f(p): pass\n    Pipeline('n', f, f, f)\nmain()\n",
         "main.py:4 train_fn=f: the hook process cannot find"),
    ],
)  # fmt: skip
def test_bad_scripts_are_named_with_their_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(tmp_path, text)
    assert said in str(refused.value)
    assert refused.value.code == "E-INIT-02"
    assert refused.value.exit_code is ExitCode.USAGE


def test_a_script_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^E-INIT-02  .*none\.py cannot be read: No such file"):
        read_old_script(tmp_path / "none.py")
    with pytest.raises(UsageError, match="Is a directory"):
        read_old_script(tmp_path)


def test_a_script_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    text = f"open({str(mark)!r}, 'w')\n{IMPORT}{FUNCTIONS}Pipeline({GIVEN})\n"
    read(tmp_path, text)
    assert not mark.exists()


def test_lines_of_the_main_guard(tmp_path: Path) -> None:
    file = tmp_path / "main.py"
    file.write_text('x = 1\nif __name__ == "__main__":\n    y = 1\n    z = (\n        1)\nw = 1\n')
    assert [is_under_main_guard(file, line) for line in range(1, 7)] == [
        False, False, True, True, True, False,
    ]  # fmt: skip
    assert not is_under_main_guard(tmp_path / "none.py", 1)
