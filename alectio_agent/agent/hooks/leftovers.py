"""Processes of earlier hooks that were killed and do not go away: they hang in the kernel."""

import threading

from alectio_agent.agent.hooks.child_process import ChildProcess
from alectio_agent.agent.hooks.groups import find_group


class Leftovers:
    """What one slot is left with; may be asked from any thread."""

    def __init__(self) -> None:
        """Start without any."""
        self._lock = threading.Lock()
        self._left: list[ChildProcess] = []

    def add(self, process: ChildProcess) -> None:
        """Remember a hook process whose group could not be ended.

        Args:
            process: Was killed, it or all that is left of its group.
        """
        with self._lock:
            self._left.append(process)

    def why(self) -> str:
        """Why the slot takes no job, in words; empty when nothing is left."""
        left: list[int] = []
        with self._lock:
            for process in tuple(self._left):
                found = find_group(process.leader)
                left += [each.pid for each in found]
                if not found:
                    self._left.remove(process)
                    process.forget()
        if not left:
            return ""
        return (
            "E-HOOK-16  processes of an earlier hook were killed and do not end: "
            f"{', '.join(map(str, sorted(left)))}. They hang in the kernel, on a disk or a GPU "
            "that does not answer, and may still hold it. Mend that, or restart the machine"
        )
