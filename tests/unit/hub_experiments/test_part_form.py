"""What a part holds: found without unpacking anything, and refused by name when it is no good."""

import gzip
import hashlib
import io
import json
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alectio_agent.agent.hooks.child.columns import float_column, integer_column
from alectio_agent.agent.hooks.child.parts import PartWriter, store
from alectio_agent.agent.hooks.child.results import Result
from alectio_agent.core.errors import StoreError
from alectio_agent.hub.experiments import lines_form
from alectio_agent.hub.experiments.part_form import PartForm, read_form, read_indices
from alectio_agent.hub.experiments.part_reading import Contents, Field

INDEX = np.array([3, 5, 8], np.int64)
LOGITS = np.zeros((3, 2), np.float32)
FIELDS = (Field("logits", "<f4", (2,)),)


def digest_of(indices: Any) -> str:
    return hashlib.sha256(np.asarray(indices, "<i8").tobytes()).hexdigest()


def npz(**arrays: Any) -> bytes:
    """What numpy writes."""
    stream = io.BytesIO()
    np.savez(stream, **({"index": INDEX, "logits": LOGITS} | arrays))
    return stream.getvalue()


def npy(array: Any, *, pickles: bool = False) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=pickles)
    return stream.getvalue()


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def header(text: str, content: bytes = b"") -> bytes:
    """An array file with a header of one's own."""
    line = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(line)) + line + content


def with_header(text: str, content: bytes = bytes(24)) -> bytes:
    return zipped(("index.npy", npy(INDEX)), ("logits.npy", header(text, content)))


def directory_changed(offset: int, value: int, kind: str = "<L") -> bytes:
    """Change the entry of the last member in the directory of a zip file."""
    content = bytearray(npz())
    struct.pack_into(kind, content, content.rindex(b"PK\x01\x02") + offset, value)
    return bytes(content)


def form_of(folder: Path, content: bytes) -> PartForm:
    part = folder / "part"
    part.write_bytes(content)
    return read_form(part)


def write(folder: Path, result: Result) -> dict[str, Any]:
    return store(result, PartWriter(folder, pytest.fail, lambda _: None))


def test_what_numpy_writes_is_good(tmp_path: Path) -> None:
    form = form_of(tmp_path, npz())
    assert form == PartForm("application/x-npz", Contents(3, digest_of(INDEX), FIELDS))
    assert b"".join(read_indices(tmp_path / "part")) == INDEX.tobytes()


def test_what_hooks_write_is_good(tmp_path: Path) -> None:
    index = list(range(3, 20003, 2))
    columns = (
        float_column("logits", np.zeros((10000, 10), np.float32), index),
        integer_column("label", [1] * 10000),
    )
    stored = store(
        Result(index, columns=columns), PartWriter(tmp_path, pytest.fail, lambda _: None)
    )
    (part,) = stored["parts"]
    fields = (Field("label", "<i8", ()), Field("logits", "<f4", (10,)))
    assert read_form(tmp_path / part["file"]) == PartForm(
        stored["media_type"], Contents(10000, digest_of(index), fields)
    )


def test_lines_that_hooks_write_are_good(tmp_path: Path) -> None:
    index = list(range(5000))
    nested = [{"box": [index, 1.5], "label": "cat"} for index in index]
    stored = write(tmp_path, Result(index, values=nested))
    (part,) = stored["parts"]
    assert read_form(tmp_path / part["file"]) == PartForm(
        stored["media_type"], Contents(5000, digest_of(index))
    )


def test_a_zip_file_that_was_written_to_a_pipe_is_good(tmp_path: Path) -> None:
    """Programs that cannot go back write sizes behind each member, and in the directory."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: Any) -> int:
            raise OSError

    stream = Pipe()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("index.npy", npy(INDEX))
        archive.writestr("logits.npy", npy(LOGITS))
    assert form_of(tmp_path, stream.getvalue()).contents == Contents(3, digest_of(INDEX), FIELDS)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(3, "<f8"),
        np.zeros((3, 2, 4), "<f2"),
        np.zeros(3, bool),
        np.zeros(3, "u1"),
        np.array(["cat", "dog", "cat"]),
    ],
)
def test_numbers_and_texts_of_any_size_are_good(tmp_path: Path, array: Any) -> None:
    form = form_of(tmp_path, npz(label=array))
    assert form.contents is not None
    found = Field("label", array.dtype.str, array.shape[1:])
    assert form.contents.fields[0] == found


BAD: dict[str, tuple[bytes, str]] = {
    "packed": (
        zipped(("index.npy", npy(INDEX)), method=zipfile.ZIP_DEFLATED), "`index` is packed",
    ),
    "bomb": (
        zipped(("index.npy", npy(np.zeros(10**6, "i8"))), method=zipfile.ZIP_DEFLATED), "is packed",
    ),
    "pickles": (
        zipped(("index.npy", npy(INDEX)),
               ("logits.npy", npy(np.array([{}, [], "x"], object), pickles=True))),
        r"`logits` is of type \|O",
    ),
    "records": (npz(logits=np.zeros(3, [("a", "<f4")])), "`logits`: its header is not as numpy"),
    "times": (npz(logits=np.zeros(3, "<M8[s]")), "is of type <M8"),
    "big-endian": (npz(logits=LOGITS.astype(">f4")), "`logits` is of type >f4"),
    "by columns": (npz(logits=np.asfortranarray(np.ones((3, 2), "f4"))), "column by column"),
    "no index": (zipped(("logits.npy", npy(LOGITS))), "`logits`; expected `index`"),
    "no member": (zipped(), "expected `index`|neither"),
    "index of 32 bits": (npz(index=INDEX.astype("<i4")), "of type <i4"),
    "index of numbers": (npz(index=INDEX.astype("<f8")), "of type <f8"),
    "index of two dimensions": (npz(index=INDEX[:, None]), r"shape \(3, 1\)"),
    "fewer rows": (npz(logits=LOGITS[:2]), r"`logits` has the shape \(2, 2\); expected 3 rows"),
    "no rows": (npz(logits=np.float32(1)), r"shape \(\)"),
    "no array": (zipped(("index.npy", npy(INDEX)), ("x.txt", b"hello")), "`x.txt` is no array"),
    "no header": (zipped(("index.npy", b"hello, this is text")), "no array of format"),
    "many members": (
        zipped(*((f"a{number}.npy", b"") for number in range(65))), "found 65 members; at most 64",
    ),
    "cut short": (npz()[:-30], "does not end as a zip file|cut short"),
    "only a start": (b"PK\x03\x04", "cut short"),
    "bytes behind": (npz() + b"more", "does not end as a zip file"),
    "bytes before": (b"PK\x03\x04" + npz(), "not where its end says"),
    "absurd size": (directory_changed(24, 2**32 - 1), "is packed"),
    "absurd sizes": (
        directory_changed(20, 2**64 - 1, "<Q"), "`logits`: 4294967295 bytes are more than there are"
    ),
    "absurd place": (directory_changed(42, 2**32 - 2), "cut short"),
    "place of another": (directory_changed(42, 0), "or has two names"),
    "check sum": (directory_changed(16, 1), "`logits` has another check sum"),
    "encrypted": (directory_changed(8, 1, "<H"), "is packed"),
    "absurd shape": (
        with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4000000000), }"),
        "does not fit its 24 bytes",
    ),
    "negative shape": (
        with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-3, -2), }"), "as numpy",
    ),
    "endless shape": (
        with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, %s), }" % ("9" * 400)),
        "as numpy writes",
    ),
    "sizes without commas": (
        with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3 2,), }"), "which is none",
    ),
    "no tuple": (
        with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (6), }"), "which is none",
    ),
    "code": (
        with_header("{'descr': __import__('os').system('id'), 'fortran_order': False, "
                    "'shape': (3, 2), }"),
        "as numpy writes",
    ),
    "depth": (with_header("(" * 10_000), "as numpy writes"),
    "no letters": (
        with_header("{'descr': '<U0', 'fortran_order': False, 'shape': (3, 2), }", b""),
        "is of type <U0",
    ),
    "long header": (
        zipped(("index.npy", header("{" + " " * 20_000))), "its header is of 20002 bytes"
    ),
    "other bytes": (b"<html>a page of a proxy</html>", "neither an .npz file nor gzip"),
    "nothing": (b"", "neither"),
    "no gzip": (b"\x1f\x8b" + bytes(50), "it is no gzip"),
    "gzip cut short": (gzip.compress(b"[1,2]\n")[:-4], "gzip stream is cut short"),
    "gzip and more": (gzip.compress(b"[1,2]\n") + b"more", "goes on behind its gzip stream"),
    "two streams": (gzip.compress(b"[1,2]\n") * 2, "goes on behind its gzip stream"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_part_that_is_no_good_is_told_by_place(tmp_path: Path, name: str) -> None:
    content, message = BAD[name]
    form = form_of(tmp_path, content)
    assert form.contents is None
    assert re.search(message, form.problem), form.problem


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    """A short file could hold any number of arrays, all made of the same bytes."""
    content = bytearray(zipped(("index.npy", npy(INDEX)), ("indey.npy", npy(INDEX))))
    second = content.rindex(b"PK\x01\x02")
    struct.pack_into("<L", content, second + 42, 0)
    content[second + 46 : second + 55] = b"index.npy"
    assert "overlaps" in form_of(tmp_path, bytes(content)).problem


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    content = zipped(("index.npy", npy(INDEX)), ("indey.npy", npy(INDEX)))
    assert "two members" in form_of(tmp_path, content.replace(b"indey", b"index")).problem


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"[3,", "line 2 is no JSON"),
        (b"", "line 2 is no JSON"),
        (b"[3,NaN]", "NaN is not a JSON number"),
        (b"[3,\xff]", "line 2 is no JSON"),
        (b"[" * 100_000, "line 2 is no JSON"),
        (b'{"3":1}', r"line 2 is no `\[index, value\]`"),
        (b"[3]", "line 2 is no `"),
        (b"[3,1,2]", "line 2 is no `"),
        (b"[3.0,1]", "line 2 is no `"),
        (b"[true,1]", "line 2 is no `"),
        (b'["3",1]', "line 2 is no `"),
        (b"[-1,1]", "line 2: found index -1"),
        (b"[4294967296,1]", "line 2: found index 4294967296"),
        (b"[3,1] [4,1]", "line 2 is no JSON"),
    ],
)
def test_a_line_that_is_no_row_is_told_by_number(tmp_path: Path, line: bytes, message: str) -> None:
    form = form_of(tmp_path, gzip.compress(b"[1,2]\n" + line + b"\n[5,6]\n"))
    assert form.contents is None
    assert re.search(message, form.problem), form.problem


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    form = form_of(tmp_path, gzip.compress(b"[1,2]\n[7,[]]"))
    assert form.contents == Contents(2, digest_of([1, 7]))


def test_a_bomb_of_lines_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines_form, "LARGEST_TEXT_BYTES", 200_000)
    form = form_of(tmp_path, gzip.compress(b"[1,2]\n" * 100_000))
    assert form.problem == "its lines take more than 200,000 bytes"


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_form, "LARGEST_LINE_BYTES", 100_000)
    form = form_of(tmp_path, gzip.compress(b"[1,2]\n[3," + b" " * 200_000))
    assert form.problem == "line 2 is longer than 100,000 bytes"


@pytest.mark.parametrize(
    ("line", "is_good"),
    [(b"[3,[%s]]", True), (b"[3,[%s]", True), (b"[3,[%s", False), (b"3,[%s]]", False)],
)
def test_a_very_long_line_is_looked_at_from_both_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes, is_good: bool
) -> None:
    monkeypatch.setattr(lines_form, "PARSED_LINE_BYTES", 100)
    form = form_of(tmp_path, gzip.compress(line % (b"1," * 100) + b"\n"))
    assert (form.contents is not None) == is_good


def test_lines_that_are_cut_into_many_pieces_are_put_together(tmp_path: Path) -> None:
    values = [[index, "x" * (index % 3000)] for index in range(500)]
    text = "".join(json.dumps(value) + "\n" for value in values).encode()
    form = form_of(tmp_path, gzip.compress(text))
    assert form.contents == Contents(500, digest_of(range(500)))


def test_a_file_that_cannot_be_read_is_an_error_of_the_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="part"):
        read_form(tmp_path / "part")


def change(content: bytes, changes: list[tuple[int, int]], length: int) -> bytes:
    damaged = bytearray(content)
    for at, value in changes:
        damaged[at % len(damaged)] = value
    return bytes(damaged[: len(damaged) - length])


CHANGES = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=4)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=CHANGES, length=st.sampled_from([0, 0, 0, 1, 7]))
@pytest.mark.parametrize("make", [npz, lambda: gzip.compress(b"[1,2]\n[3,4]\n" * 20)])
def test_damage_is_found_or_harmless(
    tmp_path: Path, make: Callable[[], bytes], changes: list[tuple[int, int]], length: int
) -> None:
    """Whatever is taken here must be readable by what reads it later."""
    content = change(make(), changes, length)
    form = form_of(tmp_path, content)
    assert (form.contents is None) == bool(form.problem)
    if form.contents is not None and form.media_type == "application/x-npz":
        arrays = {
            name: np.lib.format.read_array(io.BytesIO(stored), allow_pickle=False)
            for name, stored in members(content)
        }
        assert len(arrays["index"]) == form.contents.rows
        assert digest_of(arrays["index"]) == form.contents.index_digest


def test_a_member_for_a_later_zip_format_is_refused(tmp_path: Path) -> None:
    """Whoever unpacks the part later would refuse it."""
    form = form_of(tmp_path, directory_changed(6, 64, "<H"))
    assert "version 6.4 of the zip format" in form.problem


def members(content: bytes) -> list[tuple[str, bytes]]:
    """As zipfile finds them, without its check sums."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = []
        for member in archive.infolist():
            start = (
                member.header_offset
                + 30
                + sum(struct.unpack_from("<HH", content, member.header_offset + 26))
            )
            found.append((member.filename[:-4], content[start : start + member.file_size]))
        return found
