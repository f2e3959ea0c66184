"""`try` catches each mistake that people make in their hooks, and lets right ones through."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.projects import HOOKS, run_command, write_project

NINE = [
    "load", "train", "test", "infer", "test again", "infer again", "resume", "train anew",
    "train warm",
]  # fmt: skip
SAVE = 'Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text(json.dumps(model))'
ROWS = 'return {"outputs": {index: scores(model, index) for index in payload["unlabeled"]}}'


def changed(*changes: tuple[str, str]) -> str:
    """The right hooks with mistakes in them."""
    hooks = HOOKS
    for old, new in changes:
        assert old in hooks
        hooks = hooks.replace(old, new)
    return hooks


def try_in(folder: Path, *words: str, hooks: str = HOOKS, **project: str) -> tuple[int, list, str]:
    """Exit code, checks, and everything for people."""
    write_project(folder, hooks=hooks, **project)
    ran = run_command("try", "--json", *words, cwd=folder)
    assert "Traceback" not in ran.stderr, ran.stderr
    checks = json.loads(ran.stdout)
    told = "\n".join(text for check in checks for text in check["problems"])
    return ran.returncode, checks, told


def states(checks: list) -> dict[str, str]:
    return {check["check"]: check["state"] for check in checks}


def line_of(hooks: str, text: str) -> int:
    return next(at for at, line in enumerate(hooks.splitlines(), 1) if text in line)


def failures(checks: list) -> list[str]:
    return [check["check"] for check in checks if check["state"] == "failed"]


def test_right_hooks_pass_all_nine_checks(tmp_path: Path) -> None:
    write_project(tmp_path)
    ran = run_command("try", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = ran.stdout.splitlines()
    assert [line[:18].split("  ")[0] for line in lines[:-1]] == ["ok"] * 9
    assert re.fullmatch(
        r"ok    train +\d+\.\d s  5 labels, wrote toy-try-ckpt_0 \(\d+ B\)", lines[1]
    )
    assert lines[-1] == "All is well. Next: alectio-agent run"
    assert "hooks.log" in ran.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".alectio", "agent.yaml", "experiment.yaml", "processes.py",
    ], "nothing but its own folder"  # fmt: skip
    for folder in (tmp_path / ".alectio", tmp_path / ".alectio/try"):
        assert folder.stat().st_mode & 0o077 == 0


def test_hooks_by_keywords_pass_too(tmp_path: Path) -> None:
    keywords = (
        HOOKS
        + """
TRAIN, TEST, INFER = train, test, infer

def payload_of(args, **more):
    return {"ckpt_dir": args["EXPT_DIR"], "loop": args["current_loop"], **more}

def train(args, labeled, resume_from, ckpt_file):
    return TRAIN(payload_of(
        args, labeled=labeled, resume_from=resume_from, ckpt_file=ckpt_file))

def test(args, ckpt_file):
    return TEST(payload_of(args, ckpt_file=ckpt_file))

def infer(args, unlabeled, ckpt_file):
    return INFER(payload_of(args, unlabeled=unlabeled, ckpt_file=ckpt_file))
"""
    )
    code, checks, told = try_in(tmp_path, hooks=keywords)
    assert (code, told) == (0, "")
    assert [check["check"] for check in checks] == NINE
    assert checks[0]["said"] == "train by keywords, test by keywords, infer by keywords"


def test_a_test_that_does_not_load_the_checkpoint_is_caught(tmp_path: Path) -> None:
    """Its score comes from the model that train left in memory; after a restart from none."""
    hooks = changed(
        (SAVE, "MODEL.update(model); " + SAVE),
        ("def test(payload):\n", "MODEL = {'sums': [[0, 0, 1]] * 3}\n\ndef test(payload):\n"),
        ("model, chosen = load(payload), range", "model, chosen = MODEL, range"),
    )
    code, checks, told = try_in(tmp_path, hooks=hooks)
    assert (code, failures(checks)) == (3, ["test again"])
    assert re.fullmatch(
        r"E-HOOK-05  try: test gives other predictions in a fresh process \(accuracy 0\.\d\d, then "
        r'0\.\d\d\): it does not load payload\["ckpt_file"\]\. After a restart the wrong score '
        r"would be recorded\. Load it in test and infer",
        told,
    )


def test_a_test_that_needs_what_train_left_in_memory_is_caught(tmp_path: Path) -> None:
    hooks = changed(
        (SAVE, "global MODEL; MODEL = model; " + SAVE),
        ("model, chosen = load(payload), range", "model, chosen = MODEL, range"),
    )
    code, checks, told = try_in(tmp_path, hooks=hooks)
    assert code == 3
    assert "test again" in failures(checks)
    assert told.startswith("E-HOOK-05  try: test works right after train and fails in a fresh")
    assert "NameError" in told


SHUFFLED = (
    ROWS,
    "rows = [scores(model, index) for index in payload['unlabeled']]\n"
    "    import random; random.shuffle(rows)\n"
    "    return {'outputs': dict(enumerate(rows))}",
)


def test_rows_in_shuffled_order_keyed_by_position_are_caught(tmp_path: Path) -> None:
    code, checks, told = try_in(tmp_path, hooks=changed(SHUFFLED))
    assert (code, failures(checks)) == (3, ["infer again"])
    assert "E-HOOK-09  try: asked again in a fresh process, infer gives other rows for " in told
    assert "shuffle=True" in told


def test_positions_in_the_right_order_are_fine_and_said_once(tmp_path: Path) -> None:
    code, checks, told = try_in(
        tmp_path, hooks=changed((SHUFFLED[0], SHUFFLED[1].replace("random.shuffle(rows)", "")))
    )
    assert (code, failures(checks)) == (0, [])
    assert told.count("taken as positions") == 1


def test_dropout_that_is_still_on_is_caught(tmp_path: Path) -> None:
    noisy = ("return row\n", "import random\n    return [x * random.choice([0, 2]) for x in row]\n")
    code, checks, _ = try_in(tmp_path, hooks=changed(noisy))
    assert code == 3
    assert "infer again" in failures(checks)


def test_probabilities_are_a_warning(tmp_path: Path) -> None:
    hooks = changed((ROWS, ROWS.replace("scores(model, index)", "[0.5, 0.25, 0.25]")))
    write_project(tmp_path, hooks=hooks)
    ran = run_command("try", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout
    warned = [line for line in ran.stdout.splitlines() if line.startswith("warn")]
    assert len(warned) == 1
    assert "E-HOOK-07" in ran.stdout
    assert "Write `output: probabilities` into experiment.yaml" in ran.stdout
    assert ran.stdout.endswith("1 warning, nothing failed. Next: alectio-agent run\n")


@pytest.mark.parametrize(
    ("change", "where", "said"),
    [
        ((ROWS, ROWS.replace("scores(model, index)", "[float('nan')] * 3")), "infer",
         "E-HOOK-06  try infer: 55 of 55 rows of `logits` hold NaN or an infinity"),
        ((ROWS, ROWS.replace('payload["unlabeled"]', 'payload["unlabeled"][3:]')), "infer",
         "E-HOOK-04  try infer: 3 of 55 rows missing"),
        ((ROWS, "import sys; sys.exit('no GPU')"), "infer", "SystemExit: no GPU"),
        ((ROWS, "os._exit(4)"), "infer", "E-HOOK-11  try infer: the hook process ended by itself"),
        ((SAVE, "1 / 0"), "train", "ZeroDivisionError"),
        ((SAVE, "Path(payload['ckpt_dir'], 'model').write_text('x')"), "train", "E-HOOK-08"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_step_is_told_once_and_ends_with_3(
    tmp_path: Path, change: tuple[str, str], where: str, said: str
) -> None:
    code, checks, told = try_in(tmp_path, hooks=changed(change))
    assert (code, failures(checks)) == (3, [where])
    assert said in told
    assert len(checks) == 9
    assert ("skipped" in states(checks).values()) is (where == "train" or where == "infer")


def test_the_last_lines_that_a_failing_hook_printed_are_shown(tmp_path: Path) -> None:
    hooks = changed((SAVE, "print('epoch 1 loss nan'); 1 / 0"))
    write_project(tmp_path, hooks=hooks)
    ran = run_command("try", cwd=tmp_path)
    assert "      | epoch 1 loss nan\n" in ran.stdout
    assert "      | ZeroDivisionError: division by zero\n" in ran.stdout
    assert f"It printed last ({tmp_path}/.alectio/try/hooks.log)" in ran.stdout
    assert "skip  test, infer, test again, infer again, resume, train anew" in ran.stdout
    assert ran.stdout.endswith("1 of 9 checks failed\n")


def test_an_endless_loop_ends_with_its_time_limit(tmp_path: Path) -> None:
    hooks = changed((ROWS, "while True: pass"))
    write_project(tmp_path, hooks=hooks)
    agent = (tmp_path / "agent.yaml").read_text()
    (tmp_path / "agent.yaml").write_text(agent.replace("60}", "60, timeout: {infer: 1s}}"))
    ran = run_command("try", "-q", cwd=tmp_path)
    assert ran.returncode == 3
    assert "E-HOOK-13  try infer: not done after 1.00 s (pipelines.toy.timeout.infer)" in ran.stdout


def test_a_file_that_carries_over_to_the_next_experiment_is_named(tmp_path: Path) -> None:
    hooks = changed(
        ('    for index in payload["labeled"]:', '    last = Path("last.json")\n'
         '    for index in payload["labeled"][:2 if last.exists() else None]:'),
        (SAVE, SAVE + "\n    last.write_text(json.dumps(model))"),
    )  # fmt: skip
    code, checks, told = try_in(tmp_path, hooks=hooks)
    assert (code, failures(checks)) == (3, ["train anew"])
    assert 'train writes outside of payload["ckpt_dir"]: last.json; ' in told
    assert states(checks)["train warm"] == "skipped"


def test_chance_beside_a_log_file_is_a_warning_and_no_alarm(tmp_path: Path) -> None:
    """As training on a GPU with tensorboard: the log is written, and never read."""
    hooks = changed(
        (SAVE, "seen = Path('../seen')\n    n = len(seen.read_text()) if seen.exists() else 0\n"
         "    seen.write_text('x' * (n + 1))\n    Path('train.log').open('a').write('epoch')\n"
         "    model['sums'] = model['sums'][n % 3:] + model['sums'][:n % 3]\n    " + SAVE),
    )  # fmt: skip
    code, checks, told = try_in(tmp_path / "site", hooks=hooks)
    assert (code, states(checks)["train anew"]) == (0, "warn")
    assert "either it is not deterministic" in told
    assert "train.log" in told


def test_training_that_gives_another_model_each_time_is_a_warning(tmp_path: Path) -> None:
    """What it depends on lies nowhere below `cwd`: chance, for all that `try` can see."""
    drawn = (
        SAVE,
        "seen = Path('../seen')\n    if seen.exists(): model['sums'].reverse()\n"
        "    seen.touch()\n    " + SAVE,
    )
    code, checks, told = try_in(tmp_path / "site", hooks=changed(drawn))
    assert (code, states(checks)["train anew"]) == (0, "warn")
    assert "most likely it is not deterministic" in told
    assert states(checks)["train warm"] == "skipped"


def test_a_global_that_carries_over_in_one_process_is_a_warning(tmp_path: Path) -> None:
    hooks = changed(
        ("def train(payload):\n", "SEEN = []\n\ndef train(payload):\n"),
        ("    for index in payload", "    SEEN.append(1)\n    for index in payload"),
        (SAVE, "if len(SEEN) > 1: model['sums'].reverse()\n    " + SAVE),
        ('if payload["resume_from"]:', 'if payload["resume_from"]:\n        SEEN.clear()'),
    )
    code, checks, told = try_in(tmp_path, hooks=hooks)
    assert (code, states(checks)["train warm"]) == (0, "warn")
    assert told.startswith("E-HOOK-12  try: trained from nothing twice in one process")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "import no_such_module",
            "E-HOOK-01  {folder}/processes.py:{line} `import no_such_module`: not inst",
        ),
        (
            "def infer(a, b): pass",
            "E-HOOK-03  {folder}/processes.py:{line} hook `infer` has the signature",
        ),
        ("del test", "E-HOOK-03  {folder}/processes.py: found no function `test`"),
    ],
)
def test_hooks_that_cannot_be_loaded_end_with_78(tmp_path: Path, line: str, said: str) -> None:
    code, checks, told = try_in(tmp_path, hooks=f"{HOOKS.rstrip()}\n{line}\n")
    assert code == 78
    last = len(HOOKS.rstrip().splitlines()) + 1
    assert said.format(folder=tmp_path, line=last) in told
    assert set(states(checks).values()) == {"failed", "skipped"}


def test_the_pool_is_what_state_names_and_its_failure_is_one_of_loading(tmp_path: Path) -> None:
    state = "\ndef state(payload):\n    return {index: str(index) for index in range(30)}\n"
    write_project(tmp_path, hooks=HOOKS + state)
    agent = (tmp_path / "agent.yaml").read_text()
    (tmp_path / "agent.yaml").write_text(agent.replace(", pool_size: 60", ""))
    checks = json.loads(run_command("try", "--json", "--step", "infer", cwd=tmp_path).stdout)
    assert checks[0]["said"].endswith("state names 30 samples")
    assert checks[2]["said"] == "25 rows"
    (tmp_path / "processes.py").write_text(HOOKS + state.replace("range(30)", "[1, 2]"))
    ran = run_command("try", cwd=tmp_path)
    assert ran.returncode == 3
    assert "pipelines.toy state: " in ran.stdout


class TestWhatIsAsked:
    def test_without_an_experiment_there_is_nothing_to_try(self, tmp_path: Path) -> None:
        (tmp_path / "agent.yaml").write_text(
            "pipelines: {toy: {hooks: processes.py}}\n"
            "platform: {url: 'https://a.example.org', token_file: token}\n"
        )
        ran = run_command("try", cwd=tmp_path)
        assert ran.returncode == 78
        assert ran.stderr.startswith(f"E-TRY-01  {tmp_path}/agent.yaml has no `experiment:`")
        assert "try --experiment FILE" in ran.stderr

    def test_the_file_may_be_named_and_no_platform_is_called(self, tmp_path: Path) -> None:
        write_project(tmp_path)
        (tmp_path / "agent.yaml").write_text(
            "pipelines: {toy: {hooks: processes.py, pool_size: 60}}\n"
            "platform: {url: 'https://nowhere.invalid', token_file: token}\n"
        )
        ran = run_command("try", "--experiment", "experiment.yaml", "--step", "train", cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr

    def test_an_unknown_pipeline_names_the_nearest(self, tmp_path: Path) -> None:
        write_project(tmp_path)
        ran = run_command("try", "--pipeline", "tpy", cwd=tmp_path)
        assert ran.returncode == 2
        assert "Did you mean `toy`?" in ran.stderr

    def test_a_pool_that_is_too_small_is_told_before_anything_runs(self, tmp_path: Path) -> None:
        code, checks, told = try_in(tmp_path, pool=8)
        assert code == 78
        assert "the pool has 8" in told
        assert states(checks)["load"] == "failed"


class TestOneStep:
    def test_train_alone_trains_once(self, tmp_path: Path) -> None:
        _, checks, _ = try_in(tmp_path, "--step", "train")
        assert [check["check"] for check in checks] == ["load", "train"]

    def test_test_uses_the_checkpoint_of_the_last_try(self, tmp_path: Path) -> None:
        _, first, _ = try_in(tmp_path, "--step", "test")
        assert [check["check"] for check in first] == ["load", "train", "test", "test again"]
        _, second, _ = try_in(tmp_path, "--step", "test")
        assert [check["check"] for check in second] == ["load", "test", "test again"]
        _, third, _ = try_in(tmp_path, "--step", "infer")
        assert [check["check"] for check in third] == ["load", "infer", "infer again"]


def test_two_at_once_do_not_remove_each_others_files(tmp_path: Path) -> None:
    write_project(tmp_path)
    folder = tmp_path / ".alectio/try"
    folder.mkdir(parents=True)
    opened = os.open(folder, os.O_RDONLY)
    fcntl.flock(opened, fcntl.LOCK_EX)
    (folder / "of-the-other").touch()
    ran = run_command("try", cwd=tmp_path)
    os.close(opened)
    assert ran.returncode == 75
    assert "E-DISK-02" in ran.stderr
    assert (folder / "of-the-other").exists()


def test_a_running_agents_folder_and_checkpoints_are_left_alone(tmp_path: Path) -> None:
    """With a real checkpoint of the same experiment, a journal and results."""
    write_project(tmp_path, loops=2)
    assert run_command("run", cwd=tmp_path).returncode == 0
    before = {
        path: path.stat().st_mtime_ns
        for path in tmp_path.rglob("*")
        if path.is_file() and "try" not in path.parts
    }
    assert run_command("try", cwd=tmp_path).returncode == 0
    after = {path: path.stat().st_mtime_ns for path in before}
    assert after == before
    assert tmp_path / "checkpoints/toy/toy-ckpt_1" in before


class Debugged:
    """`try --pdb` on a real terminal, as a person would have it."""

    def __init__(self, folder: Path, hooks: str) -> None:
        write_project(folder, hooks=hooks)
        self.terminal, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alectio_agent", "try", "--step", "train", "--pdb"],
            cwd=folder, env={**os.environ, "TERM": "dumb"}, stdin=theirs, stdout=theirs,
            stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)

    def __enter__(self) -> "Debugged":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)

    def type(self, line: str) -> None:
        os.write(self.terminal, line.encode() + b"\n")

    def read_until(self, text: str) -> str:
        """What was printed, up to this text."""
        seen = self._read_while(lambda seen: text not in seen)
        assert text in seen, seen
        return seen

    def end(self) -> tuple[int, str]:
        """Exit code, and the rest of what was printed."""
        seen = self._read_while(lambda _: True)
        return self.process.wait(30), seen

    def _read_while(self, goes_on: Callable[[str], bool]) -> str:
        seen = ""
        while goes_on(seen):
            assert select.select([self.terminal], [], [], 30)[0], f"waited in vain after:\n{seen}"
            try:
                seen += os.read(self.terminal, 4096).decode()
            except OSError:
                break  # nobody has the other end any more
        return seen


class TestDebugger:
    def test_it_opens_where_the_hook_raised(self, tmp_path: Path) -> None:
        hooks = changed((SAVE, "count = len(payload['labeled']) * 11; json.loads('{')"))
        with Debugged(tmp_path, hooks) as person:
            opened = person.read_until("(Pdb) ")
            assert "JSONDecodeError" in opened
            place = f"> {tmp_path}/processes.py({line_of(hooks, 'count =')})train()"
            assert place in opened, "the user's line, no library's"
            person.type("p count")
            assert "55" in person.read_until("(Pdb) ")
            person.type("q")
            code, said = person.end()
        assert code == 3
        assert "1 of 2 checks failed" in said

    def test_breakpoints_of_the_user_stop_and_go_on(self, tmp_path: Path) -> None:
        hooks = changed((SAVE, "breakpoint()\n    " + SAVE))
        with Debugged(tmp_path, hooks) as person:
            place = f"processes.py({line_of(hooks, 'breakpoint()') + 1})train()"
            assert place in person.read_until("(Pdb) ")
            person.type("p model['trained']")
            assert "1" in person.read_until("(Pdb) ")
            person.type("c")
            code, said = person.end()
        assert code == 0
        assert "All is well" in said

    def test_leaving_a_breakpoint_ends_the_try(self, tmp_path: Path) -> None:
        hooks = changed((SAVE, "breakpoint()\n    " + SAVE))
        with Debugged(tmp_path, hooks) as person:
            person.read_until("(Pdb) ")
            person.type("q")
            code, said = person.end()
        assert code == 3
        assert "E-RUN-05" in said
        assert f"the debugger was left at {tmp_path}/processes.py" in " ".join(said.split())
        assert "(Pdb)" not in said
        assert "Traceback" not in said

    def test_ctrl_c_is_for_the_hook(self, tmp_path: Path) -> None:
        """The kernel sends it to the session of the terminal, where only the parent is."""
        waiting = "import signal; print('waiting', flush=True); signal.pause()"
        with Debugged(tmp_path, changed((SAVE, waiting))) as person:
            person.read_until("waiting")
            person.process.send_signal(signal.SIGINT)
            assert "KeyboardInterrupt" in person.read_until("(Pdb) ")
            person.type("q")
            assert person.end()[0] == 3

    def test_without_a_terminal_it_is_refused(self, tmp_path: Path) -> None:
        write_project(tmp_path)
        ran = run_command("try", "--pdb", cwd=tmp_path)
        assert ran.returncode == 2
        assert "E-USE-01  --pdb needs a terminal" in ran.stderr


def test_what_a_hook_says_does_not_steer_the_terminal(tmp_path: Path) -> None:
    hooks = changed((SAVE, "print('\\x1b[31mred')\n    raise ValueError('\\x1b[2J boom')"))
    write_project(tmp_path, hooks=hooks)
    ran = run_command("try", cwd=tmp_path)
    assert ran.returncode == 3
    assert "boom" in ran.stdout
    assert "red" in ran.stdout
    assert "\x1b" not in ran.stdout
