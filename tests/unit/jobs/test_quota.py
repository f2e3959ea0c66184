"""How an agent counts its jobs."""

from alectio_agent.agent.jobs.quota import MOST_NAMES, Quota


def test_all_jobs_are_counted_and_only_the_newest_are_known_by_name() -> None:
    quota = Quota()
    for number in range(3 * MOST_NAMES):
        quota.note_end(f"toy/{number}", is_done=True)
    assert quota.done_count == 3 * MOST_NAMES
    assert len(quota.done) == MOST_NAMES


def test_failures_are_remembered_by_name_only_so_far_back() -> None:
    quota = Quota()
    for number in range(3 * MOST_NAMES):
        quota.note_end(f"toy/{number}", is_done=False)
    assert len(quota.failed) == MOST_NAMES
    assert f"toy/{3 * MOST_NAMES - 1}" in quota.failed


def test_a_job_that_is_done_twice_counts_once() -> None:
    quota = Quota()
    quota.note_end("toy/0", is_done=True)
    quota.note_end("toy/0", is_done=True)
    assert quota.done_count == 1
