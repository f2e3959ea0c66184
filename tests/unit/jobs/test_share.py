"""What leaves the site about a failed step."""

from typing import Any, Literal

import pytest

from alectio_agent.agent.hooks.child.results import Asked
from alectio_agent.agent.jobs.share import WITHHELD, Share, Shares
from alectio_agent.config.share import OPEN, LabelShare, ShareSettings

ELSEWHERE = Share()
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
    assert Share(OPEN).warnings([warning]) == [warning]


def test_of_a_path_in_a_failure_only_the_last_part_leaves() -> None:
    message = 'E-HOOK-08  toy/1 train: expected toy-ckpt_1 in /srv/smith/toy, a file. Write "/" + x'
    told = 'E-HOOK-08  toy/1 train: expected toy-ckpt_1 in toy, a file. Write "/" + x'
    assert ELSEWHERE.message(message, "contract") == told


def test_of_a_traceback_only_files_lines_and_types_leave() -> None:
    assert ELSEWHERE.traceback(TRACE) == "  p.py:3\np.Oops"


def test_a_chain_of_exceptions_keeps_each_type() -> None:
    chain = TRACE + "\nDuring handling of the above exception, another exception occurred:\n\n"
    assert ELSEWHERE.traceback(chain + TRACE).splitlines() == ["  p.py:3", "p.Oops"] * 2


TRAINED = {"labels": {"4": 1, "7": 0, "9": 1}, "hyperparams": {"lr": 0.1}}
CLASSES = Asked("classification", 2)


def test_by_default_what_train_returns_stays_and_other_results_leave() -> None:
    inline = {"rows": [[0, [1, 1]]]}
    assert ELSEWHERE.inline("train", TRAINED, CLASSES) == {}
    assert ELSEWHERE.inline("train", {"label_counts": {"1": 9}}) == {}
    assert ELSEWHERE.inline("test", inline) == inline


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"hyperparams": True}, {"hyperparams": {"lr": 0.1}}),
        ({"labels": "counts"}, {"label_counts": {"0": 1, "1": 2}}),
        ({"labels": "full"}, {"labels": {"4": 1, "7": 0, "9": 1}}),
        ({"labels": "counts", "hyperparams": True},
         {"label_counts": {"0": 1, "1": 2}, "hyperparams": {"lr": 0.1}}),
    ],
)  # fmt: skip
def test_each_key_opens_what_train_returns_of_it(
    keys: dict[str, Any], told: dict[str, Any]
) -> None:
    assert Share(ShareSettings(**keys)).inline("train", TRAINED, CLASSES) == told


@pytest.mark.parametrize("labels", ["counts", "full"])
def test_labels_that_are_counted_already_leave_as_counts(labels: LabelShare) -> None:
    share = Share(ShareSettings(labels=labels))
    assert share.inline("train", {"label_counts": {"1": 9}}) == {"label_counts": {"1": 9}}


@pytest.mark.parametrize(
    ("task", "labels"), [("regression", {"0": 3.5}), ("classification", {"0": "Smith"})]
)
def test_labels_that_cannot_be_counted_stay(task: str, labels: dict[str, Any]) -> None:
    share = Share(ShareSettings(labels="counts"))
    assert share.inline("train", {"labels": labels}, Asked(task, 2, ["a", "b"])) == {}


def test_on_this_machine_everything_is_shared() -> None:
    here = Share(OPEN)
    assert here.message("p.py:3 in test: Oops: Smith", "user_code").endswith("Smith")
    assert here.traceback(TRACE) == TRACE
    assert here.inline("train", {"labels": [1]}) == {"labels": [1]}


def test_each_pipeline_has_its_own_rules_and_another_one_the_strictest() -> None:
    """A job of a pipeline that is gone from agent.yaml may still have something to say."""
    shares = Shares({"open": Share(OPEN)})
    assert shares.at("open").keys.logs == "full"
    assert shares.at("gone").keys == ShareSettings()


@pytest.mark.parametrize(
    ("hosts", "leaves"),
    [(["name", "name"], True), (["name", "none"], False), (["none"], False), ([], False)],
)
def test_the_name_of_the_machine_leaves_when_every_pipeline_allows_it(
    hosts: list[Literal["name", "none"]], leaves: bool
) -> None:
    shares = [Share(ShareSettings(host=host)) for host in hosts]
    found = Shares({str(number): share for number, share in enumerate(shares)})
    assert found.tells_host is leaves
