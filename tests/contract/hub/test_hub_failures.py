"""Failure classes: what is tried again by itself, and what waits for a person."""

import pytest

from alectio_agent.hub.experiments.tried import list_tried
from tests.support.benches import Bench, refused


@pytest.mark.parametrize("kind", ["user_code", "contract", "refused", "rejected", "cancelled"])
def test_what_trying_again_cannot_mend_waits_for_a_person(bench: Bench, kind: str) -> None:
    agent = bench.agent()
    bench.create()
    agent.fail(agent.start(), kind, message="processes.py:3 in train: ValueError")
    view = bench.show()
    assert view.state == "waiting"
    assert view.reason == "digits/0: train: processes.py:3 in train: ValueError"
    assert view.loops[0].state == "waiting"
    assert view.loops[0].problem == "train: processes.py:3 in train: ValueError"
    assert agent.poll() is None


@pytest.mark.parametrize("kind", ["timeout", "oom", "crash"])
def test_crashes_are_tried_again_up_to_the_limit(bench: Bench, kind: str) -> None:
    agent = bench.agent()
    bench.create(retries=2)
    for _ in range(2):
        agent.fail(agent.start(), kind)
        assert bench.show().state == "running"
    agent.fail(agent.start(), kind)
    view = bench.show()
    assert view.state == "waiting"
    assert view.loops[0].problem == f"train: {kind} (failed 3 times)"


def test_crashes_of_different_kinds_share_one_limit(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(retries=1)
    agent.fail(agent.start(), "oom")
    agent.fail(agent.start(), "timeout")
    assert bench.show().state == "waiting"


def test_the_limit_is_that_of_one_loop(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(retries=1)
    for _ in range(3):
        agent.fail(agent.start(), "crash")
        agent.commit(agent.start())
        bench.settle()
    assert bench.show().state == "finished"


def test_no_retries_means_none(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(retries=0)
    agent.fail(agent.start(), "crash")
    assert bench.show().state == "waiting"


def test_a_retry_goes_on_from_the_step_that_failed(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train", "test")
    agent.fail(claim, "contract", step="infer")
    view = bench.run(lambda tx: bench.platform.retry(tx, "digits"))
    assert (view.state, view.reason, view.loops[0].problem) == ("running", "", "")
    assert [order.step for order in agent.claim().steps] == ["infer"]


def test_a_retry_by_a_person_forgives_earlier_failures(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(retries=1)
    agent.fail(agent.start(), "crash")
    agent.fail(agent.start(), "crash")
    bench.run(lambda tx: bench.platform.retry(tx, "digits"))
    agent.fail(agent.start(), "crash")
    assert bench.show().state == "running"


def test_only_what_waits_can_be_retried(bench: Bench) -> None:
    bench.agent()
    bench.create()
    with refused("conflict") as caught:
        bench.run(lambda tx: bench.platform.retry(tx, "digits"))
    assert "is running; expected one that waits for a person" in caught.value.message
    with refused("not-found"):
        bench.run(lambda tx: bench.platform.retry(tx, "letters"))


def test_an_interrupted_job_is_available_at_once_however_often(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    for attempt in range(1, 8):
        claim = agent.start()
        assert claim.attempt == attempt
        agent.fail(claim, "interrupted")
    assert bench.show().state == "running"


def test_three_losses_without_a_word_in_the_same_step_wait_for_a_person(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(takeover_after=0)
    for _ in range(2):
        agent.start()
        bench.tick(91)
        assert bench.show().state == "running"
    agent.start()
    bench.tick(91)
    view = bench.show()
    assert view.state == "waiting"
    assert view.loops[0].problem.startswith("train was lost 3 times without a word")


def test_losses_in_another_step_are_counted_apart(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(takeover_after=0)
    for _ in range(2):
        agent.start()
        bench.tick(91)
    agent.commit(agent.start(), "train")
    for _ in range(2):
        bench.tick(91)
        agent.start()
    assert bench.show().state == "running"


def test_a_step_that_its_agents_come_back_without_is_lost_as_well(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    for _ in range(3):
        agent.start()
        agent.restart()
    assert bench.show().state == "waiting"


def test_a_failure_in_words_begins_the_count_of_losses_anew(bench: Bench) -> None:
    """Its agent lives, and says what happens: the step does not take machines down."""
    agent = bench.agent()
    bench.create(takeover_after=0)
    for _ in range(2):
        for _ in range(2):
            agent.start()
            bench.tick(91)
        agent.fail(agent.start(), "interrupted")
    assert bench.show().state == "running"
    for _ in range(3):
        assert bench.show().state == "running"
        agent.start()
        bench.tick(91)
    assert bench.show().state == "waiting"


def test_a_retry_by_a_person_begins_the_count_of_losses_anew(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(takeover_after=0)
    for _ in range(3):
        agent.start()
        bench.tick(91)
    bench.steer("retry")
    for _ in range(3):
        assert bench.show().state == "running"
        agent.start()
        bench.tick(91)
    assert bench.show().state == "waiting"


def test_three_losses_are_counted_over_all_agents(bench: Bench) -> None:
    """One that takes its machine down goes on to the next machine."""
    agents = [bench.agent(name) for name in ("one", "two", "three")]
    bench.create(takeover_after=0)
    for agent in agents:
        assert bench.show().state == "running"
        agent.start()
        bench.tick(91)
    assert bench.show().state == "waiting"


def test_people_read_how_much_memory_it_took(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(retries=1)
    said = "E-HOOK-10  digits/0 train: killed at 71.2 GiB; pipelines.digits.memory is 64 GiB"
    for _ in range(2):
        agent.fail(agent.start(), "oom", message=said)
    view = bench.show()
    assert view.loops[0].problem == f"{said} (failed 2 times)"
    tried = bench.run(lambda tx: list_tried(tx, "digits"))
    assert [(one.failure_class, one.message) for one in tried] == [("oom", said)] * 2


def test_what_a_person_cancelled_is_tried_by_nobody(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create()
    claim = agent.start()
    bench.steer("cancel")
    agent.fail(claim, "cancelled")
    assert (agent.poll(), other.poll()) == (None, None)
    assert bench.show().state == "cancelled"


def test_a_given_up_job_goes_on_when_its_agent_is_heard_of_again(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(takeover_after=0)
    for _ in range(2):
        agent.start()
        bench.tick(91)
    claim = agent.start()
    bench.tick(91)
    assert bench.show().state == "waiting"
    agent.commit(claim)
    bench.settle()
    view = bench.show()
    assert (view.state, view.loops[0].state) == ("running", "done")


def test_a_missing_checkpoint_starts_the_loop_over_once(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    bench.settle()
    claim = agent.start()
    assert claim.steps[0].payload.resume_from == "digits-ckpt_0"
    agent.fail(claim, "checkpoint")
    again = agent.start()
    assert again.steps[0].payload.resume_from is None
    assert bench.show().state == "running"
    agent.fail(again, "checkpoint")
    assert bench.show().state == "waiting"


def test_a_checkpoint_missing_at_test_trains_anew(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train")
    agent.fail(claim, "checkpoint", step="test")
    again = agent.start()
    assert [order.step for order in again.steps] == ["train", "test", "infer"]
    assert again.steps[0].payload.ckpt_file == "digits-ckpt_0-a2"


def test_after_a_fresh_start_the_new_checkpoint_is_used(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.fail(claim, "checkpoint")
    again = agent.start()
    agent.commit(again, "train")
    agent.fail(again, "crash", step="test")
    assert [order.step for order in agent.claim().steps] == ["test", "infer"]


def test_a_failure_that_comes_again_is_accepted_again(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.fail(claim, "crash")
    agent.start()
    agent.fail(claim, "crash")
    assert bench.loop(0).attempt == 2
    with refused("key-reused"):
        agent.fail(claim, "oom")


def test_a_failure_with_an_unknown_lease_is_lost(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    with refused("lease-lost"):
        agent.fail(claim.model_copy(update={"lease": "nobody"}), "crash")
    agent.fail(claim, "crash")
    with refused("lease-lost"):
        agent.fail(claim, "crash", key="another")


def test_a_failed_control_leaves_its_experiment_alone(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(control="replay", loops=1)
    agent.commit(agent.start())
    bench.settle()
    agent.fail(agent.start(), "user_code")
    assert bench.show().state == "finished"
    assert bench.show("digits-control").state == "waiting"


def test_a_message_that_names_its_job_and_step_is_not_prefixed_again(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    said = "E-HOOK-06  digits/0 train: labels are no list"
    agent.fail(agent.start(), "contract", message=said)
    assert bench.show().loops[0].problem == said
