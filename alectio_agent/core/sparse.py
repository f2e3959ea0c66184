"""Files with holes: the middle of a long one gives its room back while all offsets stay."""

import ctypes
import errno
import os
from collections.abc import Iterator

PUNCH_HOLE = 0x02
KEEP_SIZE = 0x01
PAGE = 4096
"""Holes are made of whole blocks: of a block that is cut only the bytes would be wiped."""


def punch_hole(opened: int, start: int, end: int) -> bool:
    """Give the room of a part of a file back; it then reads as zeros.

    Args:
        opened: Descriptor of a file that is open for writing. Others may append to it meanwhile.
        start: First byte; rounded up to a page.
        end: One past the last; rounded down.

    Returns:
        False where the file system cannot do that.

    Raises:
        OSError: It can, and refused.
    """
    first, last = -(-start // PAGE) * PAGE, end // PAGE * PAGE
    if last <= first:
        return True
    call = _fallocate()
    if call is None:
        return False
    while call(opened, PUNCH_HOLE | KEEP_SIZE, first, last - first) != 0:
        number = ctypes.get_errno()
        if number in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
            return False
        if number != errno.EINTR:
            raise OSError(number, os.strerror(number))
    return True


def data_end(opened: int, position: int, size: int) -> tuple[int, int]:
    """The next part of a file that holds data.

    Args:
        opened: Descriptor of the file.
        position: Where to begin; below `size`.
        size: Where to stop; the file is at least as long.

    Returns:
        Where that part begins, `position` itself unless that lies in a hole, and where it ends;
        both are `size` when nothing but a hole follows.
    """
    try:
        start = os.lseek(opened, position, os.SEEK_DATA)
        if start >= size:
            return size, size
        return start, min(size, os.lseek(opened, start, os.SEEK_HOLE))
    except OSError as error:
        if error.errno == errno.ENXIO:
            return size, size
        return position, size  # no such question here: then there are no holes either


def data_parts(opened: int, size: int) -> Iterator[tuple[int, int]]:
    """The parts of a file that hold data, in order.

    Args:
        opened: Descriptor of the file.
        size: Of the file.

    Yields:
        First byte, and one past the last.
    """
    position = 0
    while position < size:
        start, position = data_end(opened, position, size)
        if start < position:
            yield start, position


def _fallocate() -> "ctypes._NamedFuncPointer | None":
    library = ctypes.CDLL(None, use_errno=True)
    # The one for large files, where two are told apart.
    call = getattr(library, "fallocate64", None) or getattr(library, "fallocate", None)
    if call is not None:
        call.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    return call
