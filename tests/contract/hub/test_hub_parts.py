"""Parts: whole, shared by the attempts at a job, and dropped when nobody names them."""

import sqlite3
from functools import partial

import pytest
from sqlalchemy import Connection

from alectio_agent.hub.experiments.parts import missing_parts, sweep
from alectio_agent.wire.results import Part
from tests.support.benches import DIGEST, Bench, refused

OTHER = "e" * 64


def finish_loop_0(bench: Bench, agent, claim, sha256: str = DIGEST) -> None:
    part = {"sha256": sha256, "bytes": 4, "rows": 16}
    agent.commit(claim, "train", "test")
    agent.commit(claim, "infer", parts=[part], media_type="application/x-npz")


def test_parts_are_shared_by_all_attempts_at_a_job(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    bench.put_part(claim)
    agent.fail(claim, "interrupted")
    finish_loop_0(bench, agent, agent.start())
    assert bench.loop(0).state == "done"


def test_a_commit_may_name_more_parts_than_a_statement_has_parameters(bench: Bench) -> None:
    """The database of some Pythons takes 32,766: results of 128 GB."""
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    bench.put_part(claim)
    others = [Part(sha256=f"{number:064x}", bytes=4, rows=1) for number in range(100)]
    named = [Part(sha256=DIGEST, bytes=4, rows=1), *others]

    def look(tx: Connection) -> list[str]:
        driver = tx.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        before = driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 50)
        found = missing_parts(tx, bench.platform.context, claim.job_id, named)
        driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)
        return [part.sha256 for part in found]

    assert bench.run(look) == [part.sha256 for part in others]


def test_parts_that_no_commit_names_are_dropped_when_the_job_closes(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    named, unnamed = bench.put_part(claim), bench.put_part(claim, OTHER)
    finish_loop_0(bench, agent, claim)
    assert named.exists()
    assert not unnamed.exists()


def test_parts_that_a_void_commit_names_are_kept(bench: Bench) -> None:
    slow, quick = bench.agent("slow"), bench.agent("quick")
    bench.create(takeover_after=0)
    old = slow.start()
    path = bench.put_part(old, OTHER)
    slow.commit(old, "train")
    slow.commit(old, "test", parts=[{"sha256": OTHER, "bytes": 4, "rows": 2}])
    bench.tick(91)
    quick.commit(quick.start())
    assert path.exists()


def test_a_killed_hub_drops_at_its_next_start_what_it_could_not(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    named = bench.put_part(claim)
    finish_loop_0(bench, agent, claim)
    left, other = named.with_name(OTHER), bench.put_part_folder("an-open-job")
    left.write_bytes(b"left")
    bench.run(partial(sweep, context=bench.platform.context))
    assert not left.exists()
    assert named.exists()
    assert other.exists(), "what is not known to be closed is left alone"


def test_parts_of_a_rewound_loop_that_no_commit_names_are_dropped(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    bench.put_part(claim)
    agent.commit(claim, "train")
    agent.commit(claim, "test", parts=[{"sha256": DIGEST, "bytes": 4, "rows": 2}])
    named, late = bench.platform.part_path(claim.job_id, DIGEST), bench.put_part(claim, OTHER)
    bench.rewind()
    assert (named.exists(), late.exists()) == (True, False)
    late.write_bytes(b"part")
    bench.run(lambda tx: bench.platform.part_arrived(tx, claim.job_id, OTHER, 4))
    assert not late.exists(), "it was on its way"


def test_a_loop_that_runs_loses_its_parts_when_it_is_rewound(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    path = bench.put_part(agent.start())
    bench.rewind()
    assert not path.exists()
    bench.settle()
    claim = agent.start()
    bench.put_part(claim)
    finish_loop_0(bench, agent, claim)
    assert path.exists(), "the same part may come again"


def test_parts_of_a_cancelled_experiment_are_dropped_with_its_last_attempt(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    path = bench.put_part(claim)
    bench.steer("cancel")
    assert path.exists(), "its agent may still send a commit that names it"
    agent.fail(claim, "cancelled")
    assert not path.exists()
    path.write_bytes(b"part")
    bench.run(lambda tx: bench.platform.part_arrived(tx, claim.job_id, DIGEST, 4))
    assert not path.exists(), "it was on its way"


def test_parts_are_dropped_when_a_job_that_nobody_runs_is_cancelled(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    path = bench.put_part(claim)
    agent.fail(claim, "user_code")
    assert path.exists(), "another attempt need not send it again"
    bench.steer("cancel")
    assert not path.exists()


def test_a_loop_that_needs_no_infer_any_more_is_closed_with_its_parts(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    path = bench.put_part(claim)
    agent.commit(claim, "train", "test")
    agent.fail(claim, "user_code", "infer")
    bench.update(loops=1)
    assert bench.loop(0).state == "done"
    assert not path.exists()


def test_a_part_for_an_unknown_or_lost_lease_is_refused(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    with refused("lease-lost"):
        bench.put_part(claim.model_copy(update={"lease": "nobody"}))
    agent.fail(claim, "interrupted")
    with refused("lease-lost"):
        bench.put_part(claim)


def test_a_part_for_a_closed_job_is_refused(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim)
    with refused("job-closed"):
        bench.put_part(claim)


def test_a_part_that_is_there_may_come_again_after_the_job_closed(bench: Bench) -> None:
    """The answer to the last commit got lost: the agent sends the part and the commit again."""
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    path = bench.put_part(claim)
    finish_loop_0(bench, agent, claim)
    bench.put_part(claim)
    finish_loop_0(bench, agent, claim)
    assert path.exists()


def test_a_part_for_a_cancelled_job_is_refused_once_the_attempt_has_ended(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    bench.run(lambda tx: bench.platform.cancel(tx, "digits"))
    bench.put_part(claim)
    agent.fail(claim, "cancelled")
    with refused("job-closed"):
        bench.put_part(claim, OTHER)


@pytest.mark.parametrize("is_named", [True, False])
def test_a_part_that_arrives_as_its_job_closes_stays_only_if_named(
    bench: Bench, is_named: bool
) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    path = bench.put_part(claim, DIGEST)
    finish_loop_0(bench, agent, claim)
    late = path if is_named else path.with_name(OTHER)
    late.write_bytes(b"part")
    bench.run(lambda tx: bench.platform.part_arrived(tx, claim.job_id, late.name, 4))
    assert late.exists() == is_named


def test_a_file_that_cannot_be_dropped_stops_nobody(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    path = bench.put_part(claim, OTHER)
    path.unlink()
    path.mkdir()
    agent.commit(claim)
    assert bench.loop(0).state == "done"
    assert f"{path} stays" in caplog.text
