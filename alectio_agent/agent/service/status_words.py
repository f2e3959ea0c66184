"""What `systemctl status` shows of an agent, in words."""

from typing import TYPE_CHECKING

from alectio_agent.core.units import count

if TYPE_CHECKING:  # it would import the whole agent, before the hooks begin to load
    from alectio_agent.agent.service.snapshot import AgentSnapshot, JobInHand


def status_words(seen: "AgentSnapshot") -> str:
    """One line; it changes only when something does, so it tells no times.

    Args:
        seen: The agent at one moment.
    """
    parts = [_doing(seen)]
    if seen.unsent.messages and seen.state != "working":
        parts.append(f"{count(seen.unsent.messages, 'result')} to be sent")
    if trouble := seen.trouble or seen.contact.reason:
        parts.append(f"no work from the platform: {trouble}")
    return "; ".join(parts)


def _doing(seen: "AgentSnapshot") -> str:
    jobs = ", ".join(_job(job) for job in seen.jobs)
    if seen.state == "stopping":
        return f"stopping; in hand: {jobs}" if jobs else "stopping"
    if seen.state == "working":
        return f"working at {jobs}"
    if seen.held_back:
        return f"asks for no job: {seen.held_back}"
    return "waiting for a job" if seen.state == "idle" else "not registered yet"


def _job(job: "JobInHand") -> str:
    running = [mark.step for mark in job.steps if mark.state == "running"]
    return f"{job.job} {running[0]}" if running else job.job
