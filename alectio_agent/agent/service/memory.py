"""What the agent has freed goes back to the system."""

import ctypes
import gc

M_MMAP_THRESHOLD = -3
LARGE_BYTES = 2 * 2**20
"""More than is read of a file or a pipe at once: that may stay, and is used again."""


def give_back_large_blocks() -> None:
    """Let large blocks of memory return to the system as soon as they are freed.

    glibc takes a block of this size from the system and gives it back, but each one that is freed
    moves its limit up: after a claim with a million samples, blocks of some MB would come from the
    heap of their thread, and stay there, a set for each thread that ever had one. A limit that is
    set does not move.
    """
    # Where there is no glibc there is no such limit.
    setting = getattr(ctypes.CDLL(None), "mallopt", None)
    if setting is not None:
        setting(M_MMAP_THRESHOLD, LARGE_BYTES)


def give_back_pages() -> None:
    """Let whole pages that are free among blocks in use return to the system, as far as now.

    Answers are read into blocks that are cut to what came; a small block that stays in the rest
    keeps the next one from fitting. Each few hundred jobs the heap of a thread grew by that.
    """
    trimming = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trimming is not None:
        trimming(0)


def end_quickly() -> None:
    """Let the interpreter end without a last look for garbage in all that was ever imported.

    That takes longer than a whole stop of an idle agent, and the system takes the memory anyway.
    """
    gc.freeze()
