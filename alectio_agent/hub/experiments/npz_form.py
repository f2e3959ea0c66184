"""Headers and index of an `.npz` part, read by hand: nothing is unpacked, nothing is trusted.

Only what `numpy.savez` writes is taken: members that are stored as they are, one behind the other,
each an array of numbers or texts with the header that numpy writes. No bomb fits into that.
"""

import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import IO

from alectio_agent.core.log import printable
from alectio_agent.hub.experiments.part_reading import BadPartError, Contents, Field

MOST_MEMBERS = 64
MOST_DIRECTORY_BYTES = 2**16
MOST_HEADER_BYTES = 2**14
MOST_DIMENSIONS = 8
READ_BYTES = 2**18
NEWEST_VERSION = 63
"""Of the zip format, in tenths: what asks for a later one is refused by those that unpack."""

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED, _UTF_8 = 0x1, 0x800
_HEADER = re.compile(
    rb"\s*\{\s*'descr'\s*:\s*'(?P<kind>[^']{1,20})'\s*,"
    rb"\s*'fortran_order'\s*:\s*(?P<order>True|False)\s*,"
    rb"\s*'shape'\s*:\s*\((?P<shape>[0-9, ]{0,200})\)\s*,?\s*\}\s*"
)
_SIZE = re.compile("0|[1-9][0-9]{0,15}")
_KIND = re.compile(r"(?:[<|][biu]1|<[iu][248]|<f[248]|\|b1|<U(?P<letters>[1-9][0-9]{0,4}))")


@dataclass(frozen=True)
class _Member:
    """One array file: its name without `.npy`, where its bytes begin, and how many there are."""

    name: str
    start: int
    size: int
    check_sum: int


@dataclass(frozen=True)
class _Array:
    """`start`: where the numbers begin."""

    kind: str
    shape: tuple[int, ...]
    start: int
    size: int


def read_npz_form(file: IO[bytes]) -> Contents:
    """What an `.npz` part holds.

    Args:
        file: Opened to read.

    Raises:
        BadPartError: It is not what this protocol takes; the text says where and why.
        OSError: The disk refuses.
    """
    members = _members(file)
    arrays = {member.name: _read_array(file, member) for member in members}
    index = arrays.pop("index", None)
    if index is None:
        raise BadPartError(f"found the arrays {_listed(list(arrays))}; expected `index` among them")
    if index.kind != "<i8" or len(index.shape) != 1:
        raise BadPartError(
            f"`index` is of type {index.kind} and shape {index.shape}; "
            "expected <i8 in one dimension"
        )
    rows = index.shape[0]
    for name, array in arrays.items():
        if not array.shape or array.shape[0] != rows:
            raise BadPartError(
                f"{_told(name)} has the shape {array.shape}; expected {rows} rows as `index` has"
            )
    fields = [Field(name, array.kind, array.shape[1:]) for name, array in sorted(arrays.items())]
    for member in members:
        _check_sum(file, member)
    digest = hashlib.sha256()
    for piece in _pieces(file, index):
        digest.update(piece)
    return Contents(rows, digest.hexdigest(), tuple(fields))


def npz_index(file: IO[bytes]) -> Iterator[bytes]:
    """The sample indices of an `.npz` part that was found to be good.

    Args:
        file: Opened to read.

    Yields:
        Eight bytes for each, many at a time.
    """
    member = next(member for member in _members(file) if member.name == "index")
    yield from _pieces(file, _read_array(file, member))


def _check_sum(file: IO[bytes], member: _Member) -> None:
    """People get the part as a results file, and what unpacks that is strict."""
    found = 0
    for piece in _pieces(file, member):
        found = zlib.crc32(piece, found)
    if found != member.check_sum:
        raise BadPartError(f"{_told(member.name)} has another check sum than its directory says")


def _pieces(file: IO[bytes], array: _Array | _Member) -> Iterator[bytes]:
    file.seek(array.start)
    left = array.size
    while left:
        piece = file.read(min(left, READ_BYTES))
        if not piece:
            raise BadPartError("it is cut short")
        left -= len(piece)
        yield piece


def _members(file: IO[bytes]) -> list[_Member]:
    """All members, by the directory at the end, which must agree with what stands before each."""
    end = file.seek(0, 2) - _END.size
    if end < 0:
        raise BadPartError("it is cut short")
    magic, _, _, count, total, size, start, comment = _END.unpack(_read(file, end, _END.size))
    if magic != b"PK\x05\x06" or comment:
        raise BadPartError("it does not end as a zip file without a comment does")
    if count > MOST_MEMBERS or size > MOST_DIRECTORY_BYTES:
        raise BadPartError(f"found {count} members; at most {MOST_MEMBERS} are taken")
    if total != count or start + size != end:
        raise BadPartError("its directory is not where its end says")
    directory, at = _read(file, start, size), 0
    members, free = list[_Member](), 0
    for _ in range(count):
        member, at = _read_entry(file, directory, at, start)
        members.append(member)
    for member in sorted(members, key=lambda found: found.start):
        if member.start < free:
            raise BadPartError(f"{_told(member.name)} overlaps another member")
        free = member.start + member.size
    if len({member.name for member in members}) != count:
        raise BadPartError("two members have one name")
    return members


def _read_entry(
    file: IO[bytes], directory: bytes, at: int, directory_start: int
) -> tuple[_Member, int]:
    try:
        fields = _ENTRY.unpack_from(directory, at)
    except struct.error as error:
        raise BadPartError("its directory is cut short") from error
    magic, _, version, flags, method, *_, check_sum = fields[:8]
    packed, size, name_size, extra, comment, *_, local = fields[8:]
    at += _ENTRY.size
    raw_name, at = directory[at : at + name_size], at + name_size + extra + comment
    if magic != b"PK\x01\x02" or at > len(directory):
        raise BadPartError("its directory is damaged")
    name = _name(raw_name, flags)
    if method or flags & _ENCRYPTED or packed != size:
        raise BadPartError(f"{_told(name)} is packed; expected members that are stored as they are")
    if version > NEWEST_VERSION:
        raise BadPartError(f"{_told(name)} asks for version {version / 10:g} of the zip format")
    start = _start_of(file, local, raw_name, name)
    if start + size > directory_start:
        raise BadPartError(f"{_told(name)}: {size} bytes are more than there are")
    return _Member(name, start, size, check_sum), at


def _start_of(file: IO[bytes], local: int, raw_name: bytes, name: str) -> int:
    """Where a member's bytes begin; programs that unpack may go by what stands there."""
    found = _LOCAL.unpack(_read(file, local, _LOCAL.size))
    name_size, extra = found[9:]
    start = local + _LOCAL.size
    if found[0] != b"PK\x03\x04" or _read(file, start, name_size) != raw_name or found[3]:
        raise BadPartError(f"{_told(name)} is not where the directory says, or has two names")
    return int(start + name_size + extra)


def _name(raw: bytes, flags: int) -> str:
    text = raw.decode("utf-8" if flags & _UTF_8 else "cp437", "replace")
    if not text.endswith(".npy"):
        raise BadPartError(f"{_told(text)} is no array")
    return text.removesuffix(".npy")


def _read_array(file: IO[bytes], member: _Member) -> _Array:
    where = _told(member.name)
    start = _read(file, member.start, min(12, member.size))
    if start[:6] != b"\x93NUMPY" or start[6:8] not in (b"\x01\x00", b"\x02\x00"):
        raise BadPartError(f"{where} is no array of format 1.0 or 2.0")
    width = 2 if start[6] == 1 else 4
    size = int.from_bytes(start[8 : 8 + width], "little")
    first = 8 + width + size
    if size > MOST_HEADER_BYTES or first > member.size:
        raise BadPartError(f"{where}: its header is of {size} bytes, which is too long")
    header = _HEADER.fullmatch(_read(file, member.start + 8 + width, size))
    if header is None:
        raise BadPartError(f"{where}: its header is not as numpy writes it for plain numbers")
    kind = header["kind"].decode("ascii", "replace")
    item_bytes = _item_bytes(where, kind)
    shape = _shape(where, header["shape"].decode())
    if header["order"] == b"True" and len(shape) > 1:
        raise BadPartError(f"{where} is stored column by column; expected row by row")
    if first + prod(shape) * item_bytes != member.size:
        raise BadPartError(
            f"{where}: the shape {shape} of {kind} does not fit its {member.size - first} bytes"
        )
    return _Array(kind, shape, member.start + first, member.size - first)


def _shape(where: str, text: str) -> tuple[int, ...]:
    """A tuple of Python: `()`, `(3,)`, `(3, 2)`."""
    *sizes, last = [size.strip() for size in text.split(",")]
    if last and sizes:
        sizes.append(last)
    is_tuple = bool(sizes) or not last
    if not is_tuple or len(sizes) > MOST_DIMENSIONS or not all(map(_SIZE.fullmatch, sizes)):
        raise BadPartError(f"{where}: its shape is ({printable(text, 40)}), which is none")
    return tuple(map(int, sizes))


def _item_bytes(where: str, kind: str) -> int:
    found = _KIND.fullmatch(kind)
    if found is None:
        raise BadPartError(
            f"{where} is of type {printable(kind, 30)}; expected little-endian numbers or texts, "
            "such as <f4"
        )
    return 4 * int(found["letters"]) if found["letters"] else int(kind[-1])


def _read(file: IO[bytes], at: int, size: int) -> bytes:
    file.seek(at)
    content = file.read(size)
    if len(content) != size:
        raise BadPartError("it is cut short")
    return content


def _told(name: str) -> str:
    return f"`{printable(name, 60)}`"


def _listed(names: list[str]) -> str:
    return ", ".join(_told(name) for name in sorted(names)[:8]) or "none"
