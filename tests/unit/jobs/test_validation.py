"""Claims that must not be run."""

import pytest

from alectio_agent.agent.jobs.validation import refusal
from alectio_agent.wire.agents import PipelineOffer
from tests.support.claims import make_claim

OFFERS = {"digits": PipelineOffer(name="digits", pool_size=10)}
DIGEST = "a" * 64


def steps(*names: str, **payload: object):
    every = {
        "train": {"resume_from": None, "ckpt_file": "c", "labeled": [1]},
        "test": {"ckpt_file": "c"},
        "infer": {"ckpt_file": "c", "unlabeled": [2]},
    }
    return [{"step": name, "payload": {**every[name], **payload}} for name in names]


def test_a_good_claim_is_not_refused() -> None:
    assert refusal(make_claim(), OFFERS) is None


def test_labels_by_people_may_lack_some_samples() -> None:
    assert (
        refusal(make_claim(steps=steps("train", labeled=[1, 2], labels={"2": 0})), OFFERS) is None
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"pipeline": "other"}, "pipeline 'other' is not registered"),
        ({"steps": steps("test", "train")}, "out of order"),
        ({"steps": steps("test", "test")}, "repeated"),
        ({"steps": steps("train", labeled=[10])}, "labeled holds index 10; the pool has 10"),
        ({"steps": steps("train", labeled=[3, 3])}, "twice"),
        ({"steps": steps("infer", unlabeled=[99])}, "unlabeled holds index 99"),
        ({"steps": [*steps("train"), *steps("test", ckpt_file="d")]}, "different checkpoints"),
        ({"steps": steps("train", resume_from="c")}, "same"),
        (
            {"steps": steps("train", labels={"1": "cat", "2": "dog"})},
            "labels holds '2', which is no",
        ),
        ({"steps": steps("train", labels={"01": "cat"})}, "labels holds '01', which is no index"),
        ({"pool": {"size": 11}}, "11 samples there and 10 here"),
    ],
)
def test_a_claim_that_cannot_be_meant_is_refused(changed: dict[str, object], reason: str) -> None:
    found = refusal(make_claim(**changed), OFFERS)
    assert found is not None
    assert reason in found


def test_record_names_that_changed_since_loop_0_refuse_the_job() -> None:
    """The indices would mean other samples: training on them would be silently wrong."""
    claim = make_claim(pool={"size": 10, "digest": DIGEST})
    assert refusal(claim, OFFERS, {10: DIGEST}.get) is None
    for digest in ("b" * 64, None):
        found = refusal(claim, OFFERS, {10: digest}.get)
        assert found is not None
        assert "the first 10 record names" in found


@pytest.mark.parametrize("newest", [DIGEST, None])
def test_record_names_of_the_pool_before_it_was_extended_are_checked_too(
    newest: str | None,
) -> None:
    """Without a digest over the larger pool, the old part of it must still be what it was."""
    earlier = [{"size": 4, "digest": None}, {"size": 6, "digest": "c" * 64}]
    claim = make_claim(pool={"size": 10, "digest": newest, "earlier": earlier})
    assert refusal(claim, OFFERS, {10: DIGEST, 6: "c" * 64}.get) is None
    found = refusal(claim, OFFERS, {10: DIGEST, 6: "b" * 64}.get)
    assert found is not None
    assert "the first 6 record names" in found
