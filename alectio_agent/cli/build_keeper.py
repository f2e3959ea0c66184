"""Builds what watches over an agent's disk: who waits for it, and what may go from it."""

from alectio_agent.agent.jobs.disk_trouble import DiskTrouble, Storage
from alectio_agent.agent.jobs.keeper import Keeper, KeepRules
from alectio_agent.agent.jobs.log_keeper import LogKeeper, LogRules
from alectio_agent.agent.journal.job_logs import FOLDER
from alectio_agent.agent.loop import PollLoop, Rooms
from alectio_agent.cli.agent_state import State
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import Clock


def make_keeper(state: State, clock: Clock) -> Keeper:
    """What removes results and logs.

    Args:
        state: The opened state folder.
        clock: For ages.
    """
    settings, folder = state.settings, state.settings.agent.state_dir
    logs = LogKeeper(folder / FOLDER, folder / "state", _log_rules(settings), clock)
    rules = _keep_rules(settings)
    keeper = Keeper(state.journal, state.outbox, state.reserve, logs, rules, clock)
    state.in_force.on_change(lambda now: keeper.change(_keep_rules(now), _log_rules(now)))
    keeper.keep_record = state.record.keep
    return keeper


def _log_rules(settings: AgentFile) -> LogRules:
    return LogRules(settings.logging.keep, settings.logging.max_size)


def _keep_rules(settings: AgentFile) -> KeepRules:
    outbox = settings.outbox
    return KeepRules(outbox.keep_sent, outbox.max_size, settings.claim.min_free_disk)


def make_disk_trouble(state: State, keeper: Keeper) -> DiskTrouble:
    """What tells who waits for the disk.

    Args:
        state: The opened state folder.
        keeper: Makes room.
    """
    folder = state.settings.agent.state_dir
    trouble = DiskTrouble(Storage(folder, state.reserve, state.journal.try_writing))
    trouble.on_full = keeper.make_room
    return trouble


def bind_keeper(keeper: Keeper, rooms: Rooms, poll_loop: PollLoop) -> None:
    """Let all parts know of the disk, and the keeper what they still need.

    Args:
        keeper: Not started.
        rooms: The parts of the agent that write; the desk has the agent's `DiskTrouble`.
        poll_loop: Asks for no job while there is trouble.
    """
    trouble = rooms.desk.disk_trouble
    rooms.sender.disk_trouble = rooms.heartbeats.disk_trouble = trouble
    rooms.sender.on_closed = keeper.wake.set
    keeper.logs.in_hand = rooms.slots.log_files
    keeper.logs.followed = lambda: rooms.desk.logs.files
    poll_loop.reasons += [trouble.reason, keeper.reason]
