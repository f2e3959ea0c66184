"""Starts the hook process in the interpreter that a pipeline names.

Run as `PYTHON start.py COMMANDS_FD REPORTS_FD AGENT_PID`. This package is usually not installed
there, or in another version: bare parent modules in `sys.modules` make the absolute imports of
this folder's files work all the same. The folder itself leaves `sys.path`, since its modules must
not shadow the user's.
"""

import json
import os
import sys
from pathlib import Path
from types import ModuleType

OLDEST = (3, 9)
FOLDER = Path(__file__).resolve().parent


def prepare() -> None:
    """Put the bare parents into `sys.modules`, take the folder off `sys.path`."""
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != FOLDER]
    name, parent = "", None
    for word in ("alectio_agent", "agent", "hooks", "child"):
        name = name + "." + word if name else word
        module = ModuleType(name)
        module.__path__ = [str(FOLDER)] if word == "child" else []
        sys.modules[name] = module
        if parent is not None:
            setattr(parent, word, module)
        parent = module


def main(commands: int, reports: int, agent: int) -> None:
    """Serve the agent until it says `end`.

    Args:
        commands: File descriptor to read from.
        reports: File descriptor to write to.
        agent: Process id of the agent.
    """
    if sys.version_info < OLDEST:
        found = "%d.%d" % sys.version_info[:2]
        said = {"report": "failed", "kind": "old_python", "message": found}
        os.write(reports, json.dumps(said).encode() + b"\n")
        return
    from alectio_agent.agent.hooks.child.session import serve

    serve(commands, reports, agent)


if __name__ == "__main__":
    prepare()
    main(*[int(word) for word in sys.argv[1:4]])
elif __name__ == "__mp_main__":
    # A worker of `multiprocessing` runs the main file again before it unpickles the user's work.
    prepare()
    from alectio_agent.agent.hooks.child.prints import forgive_full_disks
    from alectio_agent.agent.hooks.child.standins import install_standins

    forgive_full_disks()
    install_standins([])
