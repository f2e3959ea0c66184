"""The lock of the state folder while one program becomes the next."""

import subprocess
import sys
from pathlib import Path

BEFORE = """
import os, sys
from pathlib import Path
from alectio_agent.agent.journal.disk import FolderLock
FolderLock(Path(sys.argv[1])).keep()
os.execv(sys.executable, [sys.executable, "-c", sys.argv[3], *sys.argv[1:3]])
"""
AFTER = """
import os, sys
from pathlib import Path
from alectio_agent.agent.journal.disk import FolderLock, is_at_work
old, new = map(Path, sys.argv[1:3])
print(is_at_work(old))
lock = FolderLock(new)
print(is_at_work(old), is_at_work(new), "ALECTIO_KEPT_LOCK" in os.environ)
print(any(os.get_inheritable(int(n)) for n in os.listdir("/proc/self/fd")
          if os.path.realpath(f"/proc/self/fd/{n}").endswith("/lock")))
lock.release()
print(is_at_work(new))
"""


def restarted(old: Path, new: Path) -> list[str]:
    """What the second program saw, in the folder of the first one and in its own."""
    return subprocess.run(
        [sys.executable, "-c", BEFORE, old, new, AFTER],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.split("\n")[:-1]


def test_the_folder_is_held_all_the_time(tmp_path: Path) -> None:
    """Else a `stop` during a restart says that no agent runs, and the agent comes back."""
    assert restarted(tmp_path, tmp_path) == ["True", "True True False", "False", "False"]


def test_a_folder_that_the_new_program_does_not_use_is_let_go(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    seen = restarted(tmp_path, tmp_path / "new")
    assert seen == ["True", "False True False", "False", "False"]
