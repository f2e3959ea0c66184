"""The limit of open files: each agent that waits holds a connection open."""

import logging
import resource

log = logging.getLogger(__name__)

ENOUGH = 8192
"""For 5,000 agents, twice as many connections while they beat, and the hub's own files."""


def raise_open_files() -> int:
    """Open as many files as the system lets this process; say so when that is few.

    Returns:
        The limit from here on.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        _tell(soft)
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError) as error:
        log.warning("the limit of %d open files stays as it is: %s", soft, error)
        return soft
    _tell(hard)
    return hard


def _tell(limit: int) -> None:
    if limit == resource.RLIM_INFINITY or limit >= ENOUGH:
        return
    log.warning(
        "this hub may open %d files at a time, which is enough for about %d agents; for more, "
        "raise the limit (`ulimit -Hn`, or LimitNOFILE= of its service)",
        limit,
        max(0, limit - 100) // 2,
    )
