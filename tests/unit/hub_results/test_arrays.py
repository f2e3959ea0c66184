"""One `.npz` file of many parts: what numpy reads is what the parts held."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alectio_agent.core.errors import ScoresError
from alectio_agent.hub.results.arrays import (
    check_parts,
    drop_odd_names,
    fields_of,
    write_fields,
    write_parts,
)


def part(folder: Path, number: int, **fields: Any) -> Path:
    path = folder / f"part-{number}"
    with path.open("wb") as file:
        np.savez(file, **fields)
    return path


def merged(*parts: Path) -> dict[str, Any]:
    stream = io.BytesIO()
    write_parts(parts, check_parts(parts), stream)
    with np.load(io.BytesIO(stream.getvalue()), allow_pickle=False) as found:
        return dict(found)


def test_parts_stand_one_below_the_other(tmp_path: Path) -> None:
    logits = np.arange(21, dtype="<f4").reshape(7, 3)
    index = np.arange(0, 14, 2)
    found = merged(
        part(tmp_path, 0, index=index[:4], logits=logits[:4]),
        part(tmp_path, 1, index=index[4:], logits=logits[4:]),
    )
    assert found.keys() == {"index", "logits"}
    np.testing.assert_array_equal(found["index"], index)
    np.testing.assert_array_equal(found["logits"], logits)
    assert found["logits"].dtype == np.dtype("<f4")


def test_compressed_and_plain_parts_of_different_precision_go_together(tmp_path: Path) -> None:
    """Any agent may be on the other side, not only ours."""
    first = tmp_path / "first"
    with first.open("wb") as file:
        np.savez_compressed(file, index=[0, 1], text=["a", "bb"], value=np.float32([1, 2]))
    second = part(tmp_path, 1, index=[2], text=["longer"], value=np.array([1 / 3]))
    found = merged(first, second)
    assert found["text"].tolist() == ["a", "bb", "longer"]
    assert found["value"].tolist() == [1.0, 2.0, 1 / 3]


def test_the_same_parts_give_the_same_bytes(tmp_path: Path) -> None:
    parts = [part(tmp_path, 0, index=[0], x=[[1.5]]), part(tmp_path, 1, index=[1], x=[[2.5]])]
    streams = [io.BytesIO(), io.BytesIO()]
    for stream in streams:
        write_parts(parts, check_parts(parts), stream)
    assert streams[0].getvalue() == streams[1].getvalue()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"index": [1], "softmax": [[1.0, 2.0]]}, "found index, softmax; expected index, logits"),
        ({"logits": [[1.0, 2.0]]}, "found logits; expected index, logits"),
        ({"index": [1], "logits": [[1.0]]}, r"shape \(1, 1\); expected \(1, 2\)"),
        ({"index": [1, 2], "logits": [[1.0, 2.0]]}, r"shape \(1, 2\); expected \(2, 2\)"),
        ({"index": [1], "logits": 4.0}, r"shape \(\); expected \(1, 2\)"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ScoresError, match=said):
        check_parts(
            [part(tmp_path, 0, index=[0], logits=[[1.0, 2.0]]), part(tmp_path, 1, **fields)]
        )


def test_python_objects_are_refused(tmp_path: Path) -> None:
    """Unpickling them would run code of whoever sent them."""
    objects = np.array([{}], dtype=object)
    with pytest.raises(ScoresError, match="Python objects"):
        check_parts([part(tmp_path, 0, index=[0], logits=objects)])


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04half"])
def test_a_damaged_or_missing_part_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "damaged").write_bytes(content)
    for path in (tmp_path / "damaged", tmp_path / "missing"):
        with pytest.raises(ScoresError):
            check_parts([path])


def test_a_member_that_is_no_array_is_refused(tmp_path: Path) -> None:
    """A part may become a results file as it is: whoever unpacks that gets all of it."""
    path = part(tmp_path, 0, index=[0], logits=[[1.0]])
    array = io.BytesIO()
    np.save(array, np.zeros(1))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("../../evil", array.getvalue())
    with pytest.raises(ScoresError, match=r"\.\./\.\./evil is no array"):
        check_parts([path])


def test_a_member_with_another_name_inside_is_refused(tmp_path: Path) -> None:
    """Some programs unpack by the name in front of the bytes, not by the list at the end."""
    path = part(tmp_path, 0, index=[0], logits=[[1.0]])
    path.write_bytes(path.read_bytes().replace(b"logits.npy", b"../../evil", 1))
    with pytest.raises(ScoresError, match=r"logits\.npy has two names"):
        check_parts([path])


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "/x", "a/b", "a\\b", "a.b", "a b", "1a", "ä", "a\n", "x" * 129]
)
def test_only_identifiers_are_names_of_fields(name: str) -> None:
    fields = {name: 1, "pre_softmax2": 2, "_x": 3}
    assert drop_odd_names(fields) == [name]
    assert fields == {"pre_softmax2": 2, "_x": 3}


class TestRowsOfASmallResult:
    def test_bare_rows_become_a_matrix(self) -> None:
        found = fields_of([[3, [0.5, 0.25]], [7, [1.0, 2.0]]], "logits")
        assert found is not None
        assert found["index"].tolist() == [3, 7]
        assert found["logits"].tolist() == [[0.5, 0.25], [1.0, 2.0]]
        assert found["logits"].dtype == np.dtype("<f4"), "as in the parts of a large result"

    def test_nothing_is_lost_to_single_precision(self) -> None:
        found = fields_of([[0, [1 / 3]], [1, [1e300]]], "value")
        assert found is not None
        assert found["value"].tolist() == [[1 / 3], [1e300]]

    def test_fields_become_arrays_of_their_names(self) -> None:
        rows = [[0, {"logits": [1.0, 2.0], "embedding": [5.0]}]]
        found = fields_of(rows, "logits")
        assert found is not None
        assert {name: values.shape for name, values in found.items()} == {
            "index": (1,), "logits": (1, 2), "embedding": (1, 1),
        }  # fmt: skip

    @pytest.mark.parametrize(
        "values",
        [
            [[1.0], [1.0, 2.0]],
            ["a", "b"],
            [{"a": 1}, {"b": 1}],
            [{"a": 1}, 5],
            [5, {"a": 1}],
            [None, 1.0],
            [{"boxes": [[0, 0, 1, 1]]}, {"boxes": []}],
            [{"index": 1}, {"index": 2}],
        ],
    )
    def test_anything_else_is_left_as_it_is(self, values: list[Any]) -> None:
        assert fields_of([[at, value] for at, value in enumerate(values)], "logits") is None

    def test_no_rows_are_an_empty_file_that_numpy_reads(self) -> None:
        fields = fields_of([], "logits")
        assert fields is not None
        stream = io.BytesIO()
        write_fields(fields, stream)
        assert np.load(io.BytesIO(stream.getvalue()), allow_pickle=False)["index"].shape == (0,)
