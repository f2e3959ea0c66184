"""Looks at the hooks while the rest of the agent is still being imported."""

import threading

from alectio_agent.agent.hooks.inspection import HookInspection
from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.cli.agent_state import State
from alectio_agent.cli.announcement import hook_slots, inspect_hooks

LOOK_S = 0.05
"""Between two tries to stop a look that may not have begun."""


class EarlyLook:
    """A thread of its own inspects all pipelines: it does little more than wait for processes."""

    def __init__(self, state: State) -> None:
        """Begin.

        Args:
            state: The opened state folder; `close` is called before it closes.
        """
        self._state = state
        self._slots = hook_slots(state)
        self._found: dict[str, HookInspection] = {}
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="look", daemon=True)
        self._thread.start()

    def result(self) -> dict[str, HookInspection]:
        """Wait for what was found; raises what `inspect_hooks` raises."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found

    def close(self) -> None:
        """End it: the start was given up, or the result is there."""
        while self._thread.is_alive():
            for slot in self._slots:
                slot.kill()
            self._thread.join(LOOK_S)
        for slot in self._slots:
            slot.close()

    def _run(self) -> None:
        try:
            self._found = inspect_hooks(self._state, self._slots)
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self._error = error


def early_slots(state: State) -> list[HookSlot]:
    """The slots of an agent that is not built yet, with a process for the first job.

    The calling thread must live as long as the agent: the kernel ends the process with it.

    Args:
        state: The opened state folder.

    Returns:
        To be closed before the state folder is. With several pipelines there is no process:
        nobody knows which of them the first job is for.
    """
    slots = hook_slots(state)
    if len(state.settings.pipelines) == 1:
        folder = state.settings.agent.state_dir / "state"
        state.disk.make_folder(folder)
        for name, pipeline in state.settings.pipelines.items():
            slot = slots[state.settings.first_slot(name)]
            slot.prepare(name, pipeline, folder / f"{name}.log")
    return slots
