"""Claims: one job per poll number, whatever gets lost on the line."""

from tests.support.benches import Bench, refused


def test_a_claim_carries_everything_that_a_job_needs(bench: Bench) -> None:
    agent = bench.agent(pipelines=[{"name": "digits", "pool_size": 20, "state_size": 20,
                                    "state_digest": "a" * 64}])  # fmt: skip
    bench.create(classes=["cat", "dog"], seed=7)
    claim = agent.claim()
    assert (claim.job, claim.pipeline, claim.task, claim.seed) == (
        "digits/0", "digits", "classification", 7,
    )  # fmt: skip
    assert (claim.classes, claim.class_names, claim.output) == (2, ["cat", "dog"], "logits")
    assert (claim.pool.size, claim.pool.digest) == (20, "a" * 64)
    assert (claim.loop, claim.loops, claim.attempt, claim.select) == (0, 3, 1, None)
    train, test, infer = (order.payload for order in claim.steps)
    assert train.model_dump() == {
        "resume_from": None, "ckpt_file": "digits-ckpt_0", "labeled": [0, 1, 2, 3],
        "labels": None,
    }  # fmt: skip
    assert test.model_dump() == {"ckpt_file": "digits-ckpt_0"}
    assert infer.model_dump() == {"ckpt_file": "digits-ckpt_0", "unlabeled": list(range(4, 20))}


def test_the_newest_seq_gets_the_same_job_again(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    first = agent.claim()
    assert agent.poll(seq=1) == first
    agent.beat(first)
    assert agent.poll(seq=1) == first


def test_the_newest_seq_gets_the_same_job_from_a_restarted_hub(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    first = agent.claim()
    bench.restart_hub()
    assert agent.poll(seq=1) == first


def test_the_newest_seq_gets_no_job_again_that_is_over(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.fail(claim, "user_code")
    assert agent.poll(seq=1) is None


def test_a_lower_seq_is_stale(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.claim(seq=5)
    with refused("stale-seq"):
        agent.poll(seq=4)


def test_a_poll_without_a_job_writes_nothing(bench: Bench) -> None:
    """Each commit wakes held polls: would a look write, it would wake itself for ever."""
    agent = bench.agent()
    before = bench.store.commits
    assert agent.poll() is None
    assert bench.store.commits == before


def test_an_unknown_agent_is_told_to_register(bench: Bench) -> None:
    agent = bench.agent()
    agent.agent_id = "somebody"
    with refused("unknown-agent"):
        agent.poll()


def test_a_poll_of_an_older_boot_is_superseded(bench: Bench) -> None:
    agent = bench.agent()
    old = agent.said["boot"]["id"]
    agent.restart()
    with refused("superseded-boot"):
        agent.poll(boot=old)


def test_a_job_goes_to_one_agent_only(bench: Bench) -> None:
    first, second = bench.agent("one"), bench.agent("two")
    bench.create()
    assert first.poll() is not None
    assert second.poll() is None


def test_a_job_goes_to_agents_with_its_pipeline_only(bench: Bench) -> None:
    other = bench.agent("other", pipelines=[{"name": "xray", "pool_size": 5}])
    bench.agent("right")
    bench.create(pipeline="digits")
    assert other.poll() is None


def test_a_pipeline_that_is_not_free_gets_no_job(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    assert agent.poll(free=[]) is None


def test_a_refused_job_waits_for_a_person(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.claim()
    assert agent.poll(refused={"seq": 1, "reason": "the pool has drifted"}) is None
    view = bench.show()
    assert view.state == "waiting"
    assert view.loops[0].problem == "agent gpu01 refused the job: the pool has drifted"
    assert view.reason == f"digits/0: {view.loops[0].problem}"


def test_a_refusal_that_comes_twice_counts_once(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.claim()
    refusal = {"seq": 1, "reason": "no"}
    agent.poll(refused=refusal)
    bench.run(lambda tx: bench.platform.retry(tx, "digits"))
    assert agent.poll(refused=refusal) is not None


def test_a_refusal_of_an_older_claim_changes_nothing(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.claim(seq=2)
    assert agent.poll(seq=2, refused={"seq": 1, "reason": "no"}) == claim


def test_a_paused_experiment_gives_out_no_job_until_it_is_resumed(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.run(lambda tx: bench.platform.pause(tx, "digits"))
    assert agent.poll() is None
    bench.run(lambda tx: bench.platform.resume(tx, "digits"))
    assert agent.poll() is not None


def test_a_claim_takes_few_statements(bench: Bench) -> None:
    """Each costs some thirty microseconds, and a claim has about a millisecond."""
    agent = bench.agent()
    bench.create()
    with bench.store.counting() as statements:
        agent.claim()
    assert len(statements) <= 12
