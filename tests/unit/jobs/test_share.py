"""What leaves the site about a failed step."""

import pytest

from alectio_agent.agent.jobs.share import WITHHELD, Share

ELSEWHERE = Share(is_full=False)
TRACE = """Traceback (most recent call last):
  File "/srv/hospital/p.py", line 3, in test
    raise Oops("Smith")
p.Oops: patient Smith
Jones: also here
"""


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("p.py:3 in test: ValueError: patient Smith", f"p.py:3 in test: ValueError: {WITHHELD}"),
        ("/home/jo/p.py:3 in test: Oops: Smith", f"p.py:3 in test: Oops: {WITHHELD}"),
        ("p.py:3 in test: Oops: patient Smith", f"p.py:3 in test: Oops: {WITHHELD}"),
        ("p.py:3 in test: ValueError: a\nSmith", f"p.py:3 in test: ValueError: {WITHHELD}"),
        ("patient Smith", WITHHELD),
        ("E-HOOK-10  /srv/p.py:3 in f: Oops: Smith", f"E-HOOK-10  p.py:3 in f: Oops: {WITHHELD}"),
        ("E-HOOK-08  patient Smith", f"E-HOOK-08  {WITHHELD}"),
    ],
)
def test_of_an_exception_only_place_and_type_leave(message: str, told: str) -> None:
    assert ELSEWHERE.message(message, "user_code") == told


def test_of_a_broken_contract_only_the_line_without_values_leaves() -> None:
    message = "E-HOOK-06  toy/1 test: 3 labels are no class\nfound 'Smith'"
    assert ELSEWHERE.message(message, "contract") == "E-HOOK-06  toy/1 test: 3 labels are no class"


@pytest.mark.parametrize(
    ("warning", "told"),
    [
        (
            "train wrote nothing into /srv/smith/hiv/toy (EXPT_DIR): its checkpoint is not checked",
            "train wrote nothing into toy (EXPT_DIR): its checkpoint is not checked",
        ),
        ("into /srv/smith john/hiv study/toy (EXPT_DIR)", "into toy (EXPT_DIR)"),
        ("into /srv/smith, see also /srv/jones/x.log.", "into smith, see also x.log."),
        ("found '/srv/smith, john/x y.pt' there", "found 'x y.pt' there"),
        ("found ~/smith/x.pt", "found x.pt"),
        ("cache=/srv/smith/x", "cache=x"),
        ("the folder /srv/smith/ is slow", "the folder smith is slow"),
        ("https://hub.example/v1: 3/4 rows, train and/or test", None),
        ('payload["ckpt_dir"] + "/" + payload["ckpt_file"], ./x/y, a/b, //', None),
    ],
)
def test_of_a_path_in_a_warning_only_the_last_part_leaves(warning: str, told: str | None) -> None:
    assert ELSEWHERE.warnings([warning]) == [told or warning]
    assert Share(is_full=True).warnings([warning]) == [warning]


def test_of_a_path_in_a_failure_only_the_last_part_leaves() -> None:
    message = 'E-HOOK-08  toy/1 train: expected toy-ckpt_1 in /srv/smith/toy, a file. Write "/" + x'
    told = 'E-HOOK-08  toy/1 train: expected toy-ckpt_1 in toy, a file. Write "/" + x'
    assert ELSEWHERE.message(message, "contract") == told


def test_of_a_traceback_only_files_lines_and_types_leave() -> None:
    assert ELSEWHERE.traceback(TRACE) == "  p.py:3\np.Oops"


def test_a_chain_of_exceptions_keeps_each_type() -> None:
    chain = TRACE + "\nDuring handling of the above exception, another exception occurred:\n\n"
    assert ELSEWHERE.traceback(chain + TRACE).splitlines() == ["  p.py:3", "p.Oops"] * 2


def test_what_train_returns_stays_and_other_results_leave() -> None:
    inline = {"rows": [[0, [1, 1]]]}
    assert ELSEWHERE.inline("train", {"labels": [1]}) == {}
    assert ELSEWHERE.inline("train", {"label_counts": {"1": 9}}) == {}
    assert ELSEWHERE.inline("test", inline) == inline


def test_on_this_machine_everything_is_shared() -> None:
    here = Share(is_full=True)
    assert here.message("p.py:3 in test: Oops: Smith", "user_code").endswith("Smith")
    assert here.traceback(TRACE) == TRACE
    assert here.inline("train", {"labels": [1]}) == {"labels": [1]}
