"""How it stands with an agent that does not run, or does not answer: from its state folder."""

from contextlib import suppress
from importlib.metadata import version

from alectio_agent.agent.journal.by_hand import Entry
from alectio_agent.agent.journal.disk import SystemDisk
from alectio_agent.agent.journal.history import PastJob
from alectio_agent.agent.journal.lock_holder import lock_holder
from alectio_agent.agent.journal.remains import Remains, has_agent, read_remains
from alectio_agent.agent.service.control.holdings import checkpoints_held, disks_used
from alectio_agent.agent.service.control.pauses import Pause, read_pause
from alectio_agent.agent.service.control.status import (
    ContactStatus,
    JobStatus,
    OutboxStatus,
    PauseStatus,
    Status,
)
from alectio_agent.cli.sight import never_worked
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import SystemClock, timestamp
from alectio_agent.core.errors import ControlDeniedError, StoreError

SILENT = "it holds its state folder, and does not answer at control.sock"


def status_of_folder(settings: AgentFile, *, is_running: bool) -> Status:
    """Read what an agent left, or holds.

    Args:
        settings: The agent's, as they are now.
        is_running: One holds the folder and does not answer.

    Raises:
        UsageError: No agent has ever worked there.
        ControlDeniedError: This user may not look into the folder.
    """
    folder = settings.agent.state_dir
    try:
        if not has_agent(folder):
            raise never_worked(folder, "Start one: alectio-agent run")
        next(folder.iterdir(), None)
    except PermissionError as error:
        raise ControlDeniedError(
            f"{folder}: no agent answers, and this user may not look into its state folder",
            hint="Run the command as the user that the agent runs as: sudo -u USER alectio-agent "
            "... Members of agent.control_group see an agent while it runs.",
        ) from error
    found, problems = read_remains(folder), list[str]()
    paused = _pause(settings, problems)
    sign = found.last_sign
    return Status(
        name=settings.agent.name,
        is_running=is_running,
        state="unknown" if is_running else found.end,
        since=None if is_running or sign is None else timestamp(sign),
        started_at=None if found.started is None else timestamp(found.started),
        pid=lock_holder(folder) if is_running else None,
        boot=found.boot,
        installed=version("alectio-agent"),
        folder=str(folder),
        slots=settings.slot_count,
        jobs=[_job(job) for job in found.open_jobs],
        platform=ContactStatus(url=settings.platform.url, platform_id=_platform_id(found)),
        outbox=_outbox(found.waiting),
        checkpoints=checkpoints_held(settings),
        disks=disks_used(settings),
        paused=None if paused is None else PauseStatus.model_validate(paused.members()),
        trouble=SILENT if is_running else "",
        problems=[*found.problems, *problems],
    )


def _pause(settings: AgentFile, problems: list[str]) -> Pause | None:
    try:
        return read_pause(SystemDisk(), settings.agent.state_dir, SystemClock())
    except StoreError as error:
        problems.append(error.message)
        return None


def _platform_id(found: Remains) -> str | None:
    named = {entry.platform_id for entry in found.waiting}
    with suppress(ValueError):
        [only] = named
        return only
    return None


def _outbox(waiting: list[Entry]) -> OutboxStatus:
    pending = [entry for entry in waiting if entry.state == "pending"]
    parked = [entry for entry in waiting if entry.state == "parked" and entry.kind == "commit"]
    return OutboxStatus(
        pending=len(pending),
        pending_bytes=sum(entry.size_bytes for entry in pending),
        parked=len(parked),
        parked_bytes=sum(entry.size_bytes for entry in parked),
    )


def _job(job: PastJob) -> JobStatus:
    return JobStatus(
        slot=None,
        job=job.job,
        loops=None,
        attempt=job.attempt,
        began_at=job.claimed_at,
        step=None,
        step_began_at=None,
        steps_done=[step for step in job.done if step in ("train", "test", "infer")],
        done=None,
        total=None,
        numbers={},
        left_s=None,
    )
