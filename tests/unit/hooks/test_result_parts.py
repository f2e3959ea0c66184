"""How results become files: their size, their form, and that a full disk costs nothing."""

import errno
import gzip
import hashlib
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alectio_agent.agent.hooks.child import parts
from alectio_agent.agent.hooks.child.columns import float_column, integer_column
from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.parts import PartWriter, store
from alectio_agent.agent.hooks.child.results import Result


def refuse(reason: str) -> None:
    raise AssertionError(f"the disk is not full: {reason}")


def write(
    folder: Path, result: Result, on_part: Callable[[dict[str, Any]], None] = lambda _: None
) -> dict[str, Any]:
    return store(result, PartWriter(folder, refuse, on_part))


def scores(count: int, width: int = 10, *, as_array: bool = True) -> Result:
    index = list(range(3, 3 + 2 * count, 2))
    matrix = np.arange(count * width, dtype=np.float64).reshape(count, width) / 7
    rows = matrix if as_array else matrix.tolist()
    return Result(index, columns=(float_column("logits", rows, index),))


@pytest.mark.parametrize("as_array", [True, False])
def test_large_numbers_become_files_that_numpy_reads(tmp_path: Path, as_array: bool) -> None:
    stored = write(tmp_path, scores(5000, as_array=as_array))
    assert stored["media_type"] == "application/x-npz"
    assert (stored["rows"], stored["inline"]) == (5000, None)
    (part,) = stored["parts"]
    found = np.load(tmp_path / part["file"], allow_pickle=False)
    assert sorted(found) == ["index", "logits"]
    assert (found["index"].dtype, found["logits"].dtype) == (np.int64, np.float32)
    assert found["index"][:3].tolist() == [3, 5, 7]
    expected = (np.arange(50_000).reshape(5000, 10) / 7).astype(np.float32)
    np.testing.assert_array_equal(found["logits"], expected)


def test_arrays_and_lists_give_the_same_bytes(tmp_path: Path) -> None:
    stored = [write(tmp_path, scores(5000, as_array=flag)) for flag in (True, False)]
    assert stored[0] == stored[1]


def test_numbers_start_where_a_reader_can_map_them(tmp_path: Path) -> None:
    (part,) = write(tmp_path, scores(5000))["parts"]
    content = (tmp_path / part["file"]).read_bytes()
    header = content.index(b"\x93NUMPY")
    length = int.from_bytes(content[header + 8 : header + 10], "little")
    assert (10 + length) % 64 == 0


def test_parts_are_about_four_mebibytes_named_by_number_and_digest(tmp_path: Path) -> None:
    stored = write(tmp_path, scores(200_000))
    assert [part["rows"] for part in stored["parts"]] == [87_360, 87_360, 25_280]
    for number, part in enumerate(stored["parts"]):
        assert part["file"] == f"part-{number:05d}.npz"
        content = (tmp_path / part["file"]).read_bytes()
        assert part["sha256"] == hashlib.sha256(content).hexdigest()
        assert part["bytes"] == len(content) <= 4 * 2**20


def test_a_part_is_told_of_while_the_next_ones_are_unwritten(tmp_path: Path) -> None:
    """It may leave before the step is complete."""
    seen = []

    def look(part: dict[str, Any]) -> None:
        content = (tmp_path / part["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == part["sha256"]
        seen.append((part, len(list(tmp_path.iterdir()))))

    stored = write(tmp_path, scores(200_000), look)
    assert [part for part, _ in seen] == stored["parts"]
    assert [files for _, files in seen] == [1, 2, 3]


def test_parts_are_what_zipfile_would_write(tmp_path: Path) -> None:
    """Parts are shared between attempts by digest, whatever version wrote them."""
    (part,) = write(tmp_path, scores(5000))["parts"]
    written = tmp_path / part["file"]
    copied = tmp_path / "copied.npz"
    with zipfile.ZipFile(written) as read, zipfile.ZipFile(copied, "w") as archive:
        assert read.testzip() is None
        for member in read.namelist():
            archive.writestr(zipfile.ZipInfo(member), read.read(member))
    assert copied.read_bytes() == written.read_bytes()


def test_each_part_is_complete_in_itself(tmp_path: Path) -> None:
    stored = write(tmp_path, scores(200_000))
    loaded = [np.load(tmp_path / part["file"]) for part in stored["parts"]]
    index = np.concatenate([found["index"] for found in loaded])
    assert index.tolist() == list(range(3, 400_003, 2))


def test_a_row_larger_than_a_part_is_a_part_of_its_own(tmp_path: Path) -> None:
    stored = write(tmp_path, scores(2, 2**20 + 1))
    assert [part["rows"] for part in stored["parts"]] == [1, 1]


def test_a_row_that_no_part_can_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="the row of sample 3 takes 33,554,444 bytes"):
        write(tmp_path, scores(1, 2**23 + 1))


def test_a_small_result_is_inline_and_writes_nothing(tmp_path: Path) -> None:
    stored = write(tmp_path, scores(2, 2))
    assert stored["media_type"] == "application/json"
    assert stored["inline"] == {"rows": [[3, [0.0, 0.1428571492433548]], [5, [
        0.2857142984867096, 0.4285714328289032]]]}  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_inline_ends_below_64_kib_of_json(tmp_path: Path) -> None:
    index = list(range(10_000))
    sizes = {}
    for count in (4000, 4001, 5000, 6000):
        columns = tuple(integer_column(name, [0] * count) for name in ("prediction", "label"))
        stored = write(tmp_path, Result(index[:count], columns=columns, form="pair"))
        sizes[count] = stored["inline"] and len(json.dumps(stored["inline"]))
    assert sizes[4000] is not None
    assert max(size for size in sizes.values() if size) < 2**16
    assert sizes[6000] is None


def test_pairs_are_two_arrays(tmp_path: Path) -> None:
    index = list(range(10_000))
    columns = (integer_column("prediction", index), integer_column("label", index[::-1]))
    (part,) = write(tmp_path, Result(index, columns=columns, form="pair"))["parts"]
    found = np.load(tmp_path / part["file"], allow_pickle=False)
    assert found["prediction"].tolist() == index
    assert found["label"].tolist() == index[::-1]
    assert found["label"].shape == (10_000,)


def test_everything_else_is_gzipped_lines(tmp_path: Path) -> None:
    index = list(range(20_000))
    values = [{"boxes": [[0.5, 0.25, 1, 1]], "text": "caf\u00e9"} for _ in index]
    stored = write(tmp_path, Result(index, values=values))
    assert stored["media_type"] == "application/x-ndjson"
    (part,) = stored["parts"]
    assert part["file"].endswith(".ndjson.gz")
    with gzip.open(tmp_path / part["file"], "rt", encoding="utf-8") as lines:
        assert [json.loads(line) for line in lines] == [
            list(row) for row in zip(index, values, strict=True)
        ]


def test_lines_are_cut_into_parts_too(tmp_path: Path) -> None:
    index = list(range(300))
    stored = write(tmp_path, Result(index, values=["x" * 40_000 for _ in index]))
    assert sum(part["rows"] for part in stored["parts"]) == 300
    assert [part["rows"] for part in stored["parts"]] == [104, 104, 92]


def test_equal_rows_have_equal_digests_at_any_time(tmp_path: Path) -> None:
    index = list(range(20_000))
    stored = [write(tmp_path, Result(index, values=[str(i) for i in index])) for _ in range(2)]
    assert stored[0] == stored[1]
    content = (tmp_path / stored[0]["parts"][0]["file"]).read_bytes()
    assert content[4:8] == b"\0\0\0\0", "no time in the header"


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_a_disk_that_refuses_is_waited_for_with_the_result_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """Ten hours of training are not thrown away because somebody filled the disk."""
    real, tries, waits = parts._write_synced, [], []

    def full_twice(path: Path, content: Sequence[bytes]) -> None:
        tries.append(path)
        if len(tries) < 3:
            path.write_bytes(content[0][:100])
            raise OSError(error, "No room")
        real(path, content)

    monkeypatch.setattr(parts, "_write_synced", full_twice)

    def wait(path: Path, refusal: OSError) -> None:
        waits.append((path.name, refusal.errno, path.exists()))

    stored = store(scores(5000), PartWriter(tmp_path, wait, lambda _: None))
    assert len(tries) == 3
    # What was written of it is gone meanwhile: others may need the room.
    assert waits == [("part-00000.npz", error, False)] * 2
    content = (tmp_path / "part-00000.npz").read_bytes()
    assert hashlib.sha256(content).hexdigest() == stored["parts"][0]["sha256"]


def test_the_names_of_parts_are_waited_for_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries, waits = parts._sync_folder, [], []

    def full_once(path: Path) -> None:
        tries.append(path)
        if len(tries) == 1:
            raise OSError(errno.ENOSPC, "No room")
        real(path)

    monkeypatch.setattr(parts, "_sync_folder", full_once)
    store(scores(5000), PartWriter(tmp_path, lambda path, _: waits.append(path), lambda _: None))
    assert waits == [tmp_path]
    assert tries == [tmp_path] * 2


def test_any_other_error_of_the_disk_is_raised(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "missing", scores(5000))
