"""Which agent works in a state folder, found out without touching its lock."""

from pathlib import Path

LOCKS = Path("/proc/locks")
LOCK_FILE = "lock"


def lock_holder(folder: Path, locks: Path = LOCKS) -> int | None:
    """The process that holds the lock of a state folder.

    Taking the lock to see whether it is free would turn away an agent that starts right then.

    Args:
        folder: May be missing.
        locks: The kernel's list of locks.

    Returns:
        Its id; None when nobody holds it, or the list cannot be read.
    """
    try:
        inode = (folder / LOCK_FILE).stat().st_ino
        named = (folder / LOCK_FILE).read_text(encoding="ascii").partition("\n")[0]
        lines = locks.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    # `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`. The device is not compared: some file
    # systems tell another one there than `stat` does. The holder writes its id into the file.
    for line in lines:
        words = line.split()
        is_here = len(words) >= 6 and words[1] == "FLOCK" and words[5].endswith(f":{inode}")
        if is_here and words[4] == named and named.isdigit():
            return int(named)
    return None
