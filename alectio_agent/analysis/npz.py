"""Reads the arrays of an `.npz` file without copying them: uncompressed members are mapped."""

import mmap
import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alectio_agent.core.errors import ScoresError
from alectio_agent.core.log import printable

_LOCAL_HEADER = struct.Struct("<26xHH")
"""The end of a zip member's local header: lengths of its name and of its extra field."""

_UTF_8 = 0x800
"""Flag of a member whose name is no cp437."""

_HEADER_BYTES = 2**16
"""Enough for the header of any array without named fields."""


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of a file.

    Args:
        path: An `.npz` file that does not change while the arrays are in use.

    Returns:
        Name to array; read-only, mapped from the file when it is not compressed.

    Raises:
        ScoresError: The file is missing, damaged, or holds Python objects.
    """
    try:
        with path.open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            with zipfile.ZipFile(file) as archive:
                return {
                    _name_of(member): _read_member(archive, member, content)
                    for member in archive.infolist()
                }
    except (OSError, ValueError, EOFError, struct.error, zipfile.BadZipFile, zlib.error) as error:
        raise ScoresError(f"{path}: no readable .npz file ({error})") from error


def _name_of(member: zipfile.ZipInfo) -> str:
    name, ending, rest = member.filename.rpartition(".npy")
    if not ending or rest:
        raise ValueError(f"{printable(member.filename, 60)} is no array")
    return name


def _read_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, content: mmap.mmap
) -> NDArray[Any]:
    if member.compress_type != zipfile.ZIP_STORED:
        with archive.open(member) as file:
            loaded: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
            return loaded
    names, extra = _LOCAL_HEADER.unpack_from(content, member.header_offset)
    at = member.header_offset + _LOCAL_HEADER.size
    encoding = "utf-8" if member.flag_bits & _UTF_8 else "cp437"
    if content[at : at + names] != member.orig_filename.encode(encoding):
        # zipfile checks this where it reads; programs that unpack go by either name.
        raise ValueError(f"{printable(member.filename, 60)} has two names")
    return _map_array(content, at + names + extra, member.file_size)


def _map_array(content: mmap.mmap, start: int, size: int) -> NDArray[Any]:
    header = BytesIO(content[start : start + min(size, _HEADER_BYTES)])
    version = np.lib.format.read_magic(header)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"array format {version} is unknown; expected 1.0 or 2.0")
    shape, is_fortran, dtype = read(header)
    if dtype.hasobject:
        raise ValueError("it holds Python objects; expected plain numbers or texts")
    count = int(np.prod(shape, dtype=np.int64))
    if header.tell() + count * dtype.itemsize > size:
        raise ValueError("an array is cut short")
    flat = np.frombuffer(content, dtype, count, start + header.tell())
    return flat.reshape(shape, order="F" if is_fortran else "C")
