"""A job of an earlier life of the agent of which no step is run any more."""

from functools import partial

from alectio_agent.agent.jobs.desk import Desk
from alectio_agent.agent.jobs.heartbeats import Ending
from alectio_agent.agent.jobs.run import JobRun, StepRunner
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.rows import Job


def send_the_rest(job: Job, desk: Desk, hooks: StepRunner) -> None:
    """See to it that its messages and its log arrive, and keep its lease until then.

    Args:
        job: All its steps have run; or its pipeline was taken out of the configuration while the
            agent did not run, and then it is handed back.
        desk: What jobs work with.
        hooks: Of any slot: nothing is run.
    """
    claim = job.claim
    desk.heartbeats.hold(claim, partial(_end, desk.journal, claim.lease))
    desk.logs.follow(claim, desk.log_file(claim))
    if job.state == "open":
        run = JobRun(claim, job.platform_id, desk, hooks)
        run.hand_back(f"pipeline {claim.pipeline!r} is not in this agent's agent.yaml any more")
    desk.heartbeats.deliver(claim.lease)
    desk.logs.end(claim.lease)


def _end(journal: Journal, lease: str, ending: Ending, reason: str) -> None:
    if ending == "lost":  # what a cancelled job computed is still delivered
        journal.supersede(lease, reason)
