"""Commits: each counts once, in order, and all that counts for a loop is of one train run."""

import pytest

from alectio_agent.hub.experiments.begun import begun_path
from alectio_agent.hub.experiments.results_document import read_document
from tests.support.benches import DIGEST, Bench, refused

PART = {"sha256": DIGEST, "bytes": 4, "rows": 16}


def test_a_commit_that_comes_again_is_accepted_again_and_counted_once(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train")
    before = bench.store.commits
    agent.commit(claim, "train")
    assert bench.store.commits == before


def test_a_commit_that_comes_again_may_differ_in_its_times(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train", duration_s=1)
    agent.commit(claim, "train", duration_s=2, finished_at="2027-01-01T00:00:00.000Z")
    assert bench.loop(0).seconds == {"train": 1}


def test_a_commit_that_comes_again_may_differ_in_what_it_was_made_of(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train", provenance={"args": {"lr": 1}})
    agent.commit(claim, "train", provenance={"args": {"lr": 2}})
    (loop,) = bench.run(lambda tx: read_document(tx, "digits"))["loops"]
    assert loop["provenance"]["args"] == {"lr": 1}


def test_the_same_key_with_other_content_is_refused(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train")
    with refused("key-reused"):
        agent.commit(claim, "train", inline={"hyperparams": {"lr": 9}})


def test_a_key_is_looked_up_before_the_lease_and_in_closed_jobs(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim)
    for step in ("train", "test", "infer"):
        agent.commit(claim, step)
    with refused("key-reused"):
        agent.commit(claim, "test", key=f"train-{claim.lease}")


def test_a_key_of_a_commit_is_none_for_a_failure(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train", key="k1")
    with refused("key-reused"):
        agent.fail(claim, "crash", key="k1")
    assert bench.loop(0).state == "running"


def test_a_key_belongs_to_its_job(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start(), "train", key="k1")
    bench.create(name="letters")
    agent.commit(agent.start(), "train", key="k1")
    assert bench.loop(0, "letters").seconds == {"train": 1.5}


def test_a_refused_commit_leaves_its_key_free(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train")
    with refused("invalid"):
        agent.commit(claim, "test", parts=[PART, PART])
    agent.commit(claim, "test")


@pytest.mark.parametrize("step", ["train", "test"])
def test_steps_are_committed_in_the_order_of_the_claim(bench: Bench, step: str) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train", "test")
    with refused("invalid") as caught:
        agent.commit(claim, step, key="another")
    assert caught.value.message == f"step: found {step}, expected infer"


def test_a_step_that_was_not_asked_for_is_refused(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=1)
    claim = agent.start()
    agent.commit(claim, "train")
    with refused("invalid") as caught:
        agent.commit(claim, "infer")
    assert caught.value.message == "step: found infer, expected test"


def test_a_step_counts_once_per_attempt(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train")
    with refused("invalid"):
        agent.commit(claim, "train", key="another")


def test_a_commit_with_an_unknown_lease_is_lost(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    with refused("lease-lost"):
        agent.commit(claim.model_copy(update={"lease": "nobody"}), "train")


def test_a_commit_without_any_beat_counts(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.claim(), "train")
    assert bench.loop(0).state == "running"


def test_a_commit_needs_its_parts_whole(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train", "test")
    with refused("parts-missing") as caught:
        agent.commit(claim, "infer", parts=[PART])
    assert caught.value.extra == {"missing": [{"sha256": DIGEST, "have": 0}]}
    begun = begun_path(bench.platform.part_path(claim.job_id, DIGEST), PART["bytes"])
    begun.parent.mkdir(parents=True)
    begun.write_bytes(b"par")
    with refused("parts-missing") as caught:
        agent.commit(claim, "infer", parts=[PART])
    assert caught.value.extra == {"missing": [{"sha256": DIGEST, "have": 3}]}


def test_a_commit_that_has_the_size_of_a_part_wrong_is_refused_for_good(bench: Bench) -> None:
    """Were the part missing, the agent would send it again for ever."""
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train", "test")
    bench.put_part(claim, content=b"par")
    with refused("invalid") as caught:
        agent.commit(claim, "infer", parts=[PART])
    assert f"part {DIGEST}: found 4 bytes in the commit; the part has 3" in str(caught.value)


def test_a_commit_with_its_parts_there_counts(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train", "test")
    path = bench.put_part(claim)
    bench.settle()
    agent.commit(claim, "infer", parts=[PART], media_type="application/x-npz")
    bench.analysis.answers = [
        {"indices": [4, 5, 6, 7], "scores": [1, 1, 1, 1], "reasons": ["margin"] * 4}
    ]
    bench.settle()
    asked = bench.analysis.requests[-1]
    assert asked["result"] == {
        "media_type": "application/x-npz", "parts": [str(path)], "inline": None,
    }  # fmt: skip
    assert path == bench.folder / "data" / "parts" / claim.job_id / DIGEST
    assert bench.loop(1).labels == 8


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_paused_and_cancelled_experiments_accept_commits(bench: Bench, verb: str) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    bench.run(lambda tx: getattr(bench.platform, verb)(tx, "digits"))
    agent.commit(claim)
    bench.settle()
    view = bench.show()
    assert view.loops[0].state == "done"
    assert view.loops[0].metrics is not None
    assert len(view.loops) == 1, "only making the next job looks at the state"


def test_an_agent_with_the_checkpoint_of_this_loop_goes_on_with_the_rest(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    first = agent.start()
    agent.commit(first, "train")
    agent.fail(first, "crash", step="test")
    second = agent.start()
    assert [order.step for order in second.steps] == ["test", "infer"]
    assert {order.payload.ckpt_file for order in second.steps} == {"digits-ckpt_0"}
    agent.commit(second)
    view = bench.loop(0)
    assert (view.state, view.attempt, set(view.seconds)) == ("done", 2, {"train", "test", "infer"})


def test_void_results_get_no_metrics_and_are_kept(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create(takeover_after=0)
    old = agent.start()
    agent.commit(old, "train", "test")
    bench.tick(91)
    new = other.start()
    other.commit(new)
    bench.settle()
    judged = [asked for asked in bench.analysis.requests if asked["op"] == "metrics"]
    assert len(judged) == 1
    tried = bench.run(lambda tx: read_document(tx, "digits"))["loops"][0]["attempts"]
    assert [void["step"] for void in tried[0]["void"]] == ["train", "test"]
    assert tried[0]["state"] == "superseded"
    assert set(tried[1]["counted"]) == {"train", "test", "infer"}


def test_a_commit_takes_few_statements(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    for step, most in (("train", 13), ("test", 11), ("infer", 21)):
        with bench.store.counting() as statements:
            agent.commit(claim, step)
        assert len(statements) <= most, step
