"""Results come inline, as `.npz` parts or as lines; each is read to the same arrays."""

from pathlib import Path

import numpy as np
import pytest

from alectio_agent.analysis.files import ResultFiles
from alectio_agent.analysis.npz import read_npz
from alectio_agent.analysis.results import read_index, read_outputs
from alectio_agent.core.errors import ScoresError
from tests.support.analysis import (
    inline_result,
    ndjson_part,
    ndjson_result,
    npz_part,
    npz_result,
)

ROWS = [[4, [0.5, 1.5, 2.5]], [2, [1.0, 0.0, -1.0]]]


def matrix(result: ResultFiles, output: str | None = "logits", classes: int | None = 3) -> object:
    index, outputs = read_outputs(result, output, classes)
    assert len(index) == len(outputs)
    return index.tolist(), outputs.take(np.arange(len(index))).tolist(), outputs.kind


EXPECTED = ([4, 2], [row[1] for row in ROWS], "logits")


def test_inline_rows_are_read() -> None:
    assert matrix(inline_result(ROWS)) == EXPECTED


def test_lines_are_read_from_several_parts(tmp_path: Path) -> None:
    parts = [ndjson_part(tmp_path / str(at), [row]) for at, row in enumerate(ROWS)]
    assert matrix(ndjson_result(*parts)) == EXPECTED


def test_npz_parts_are_read_in_order(tmp_path: Path) -> None:
    parts = [
        npz_part(tmp_path / f"{at}.npz", index=np.array([row[0]]), logits=np.array([row[1]], "f4"))
        for at, row in enumerate(ROWS)
    ]
    assert matrix(npz_result(*parts)) == EXPECTED


def test_a_dict_names_what_its_rows_hold() -> None:
    rows = [[0, {"softmax": [0.5, 0.5], "embedding": [1.0, 2.0, 3.0]}]]
    _, outputs = read_outputs(inline_result(rows), "logits", 2)
    assert outputs.kind == "probabilities"
    assert outputs.take_embedding(np.array([0])).tolist() == [[1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("field", "output", "kind"),
    [
        ("logits", "logits", "logits"),
        ("logits", "probabilities", "probabilities"),
        ("pre_softmax", "probabilities", "logits"),
        ("softmax", "logits", "probabilities"),
        ("sigmoid", "logits", "sigmoid"),
    ],
)
def test_the_field_decides_and_else_the_experiment(
    tmp_path: Path, field: str, output: str, kind: str
) -> None:
    part = npz_part(tmp_path / "part.npz", index=[0], **{field: np.array([[0.5, 0.5]], "f4")})
    assert read_outputs(npz_result(part), output, 2)[1].kind == kind


def test_logits_are_preferred_to_what_was_made_from_them(tmp_path: Path) -> None:
    part = npz_part(tmp_path / "part.npz", index=[0], softmax=[[0.5, 0.5]], logits=[[3.0, 3.0]])
    assert matrix(npz_result(part), classes=2) == ([0], [[3.0, 3.0]], "logits")


def test_plain_numbers_are_rows_of_one() -> None:
    assert matrix(inline_result([[0, 1.5], [1, -2.0]]), classes=2)[1] == [[1.5], [-2.0]]


def test_an_empty_result_has_no_rows() -> None:
    for result in (inline_result([]), npz_result()):
        index, outputs = read_outputs(result, "logits", 10)
        assert (len(index), len(outputs), outputs.width) == (0, 0, 0)


def test_uncompressed_arrays_are_mapped_and_compressed_ones_read(tmp_path: Path) -> None:
    values = np.arange(12, dtype="f4").reshape(4, 3)
    plain, packed = tmp_path / "plain.npz", tmp_path / "packed.npz"
    np.savez(plain, values=values, turned=np.asfortranarray(values), empty=np.empty((0, 3)))
    np.savez_compressed(packed, values=values)
    found = read_npz(plain)
    np.testing.assert_array_equal(found["values"], values)
    np.testing.assert_array_equal(found["turned"], values)
    assert found["empty"].shape == (0, 3)
    assert not found["values"].flags.owndata
    assert not found["values"].flags.writeable
    np.testing.assert_array_equal(read_npz(packed)["values"], values)


def test_python_objects_are_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "part.npz"
    np.savez(path, index=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ScoresError, match="Python objects"):
        read_npz(path)
    np.savez_compressed(path, index=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ScoresError, match=r"part\.npz: no readable"):
        read_npz(path)


def test_a_damaged_or_missing_part_is_named(tmp_path: Path) -> None:
    cut = npz_part(tmp_path / "cut.npz", index=np.arange(100))
    cut.write_bytes(cut.read_bytes()[:200])
    empty = tmp_path / "empty.npz"
    empty.touch()
    for path in (cut, empty, tmp_path / "missing.npz"):
        with pytest.raises(ScoresError, match=rf"{path.name}: no readable \.npz file"):
            read_index(npz_result(path))
    lines = tmp_path / "lines.gz"
    lines.write_bytes(b"no gzip")
    with pytest.raises(ScoresError, match=r"lines\.gz: no readable gzipped lines"):
        read_index(ndjson_result(lines))


def test_an_unknown_media_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScoresError, match=r"'text/csv' is unknown; expected application/x-npz"):
        read_index(ResultFiles("text/csv", (tmp_path,)))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[0, [1.0, 2.0]]], r"rows have 2 scores; the experiment has 3 classes"),
        ([[0, [1.0, 2.0, 3.0]], [1, [1.0, 2.0]]], r"rows of `row` have different widths"),
        ([[0, [1.0, 2.0, "x"]]], r"expected one row of numbers"),
        ([[0, [[1.0], [2.0], [3.0]]]], r"has 3 dimensions"),
        ([[0, {"boxes": []}]], r"found boxes; expected scores, such as `logits`"),
        ([[0, {"logits": [1, 2, 3]}], [1, {"softmax": [1, 0, 0]}]], r"rows of different"),
        ([[0]], r"rows of different or unknown forms"),
        ([["a", [1.0, 2.0, 3.0]]], r"expected whole numbers"),
        ([[0.5, [1.0, 2.0, 3.0]]], r"expected whole numbers"),
        ([[-1, [1.0, 2.0, 3.0]]], r"found index -1; expected zero or more"),
        ([[7, [1, 2, 3]], [3, [1, 2, 3]], [7, [1, 2, 3]]], r"1 indices stand twice: 7"),
    ],
)
def test_rows_that_cannot_be_scored_are_refused_by_name(rows: list, message: str) -> None:
    with pytest.raises(ScoresError, match=message):
        read_outputs(inline_result(rows), "logits", 3)


def test_parts_must_agree(tmp_path: Path) -> None:
    two = npz_part(tmp_path / "two.npz", index=[0], logits=[[1.0, 2.0]])
    three = npz_part(tmp_path / "three.npz", index=[1], logits=[[1.0, 2.0, 3.0]])
    soft = npz_part(tmp_path / "soft.npz", index=[1], softmax=[[0.5, 0.5]])
    short = npz_part(tmp_path / "short.npz", index=[1, 2], logits=[[0.5, 0.5]])
    bare = npz_part(tmp_path / "bare.npz", logits=[[0.5, 0.5]])
    for parts, message in (
        ((two, three), "rows have 2 and 3 scores"),
        ((two, soft), "found logits and probabilities; expected one kind"),
        ((short,), "found 1 rows of `logits` and 2 indices"),
        ((bare,), "array named `index`"),
    ):
        with pytest.raises(ScoresError, match=message):
            read_outputs(npz_result(*parts), "logits", None)


def test_an_embedding_counts_only_when_every_part_has_one(tmp_path: Path) -> None:
    one = npz_part(tmp_path / "1.npz", index=[0], logits=[[1.0, 2.0]], embedding=[[1.0]])
    two = npz_part(tmp_path / "2.npz", index=[1], logits=[[1.0, 2.0]], embedding=[[2.0]])
    without = npz_part(tmp_path / "3.npz", index=[2], logits=[[1.0, 2.0]])
    _, outputs = read_outputs(npz_result(one, two), "logits", 2)
    assert outputs.take_embedding(np.array([1, 0])).tolist() == [[2.0], [1.0]]
    assert read_outputs(npz_result(one, without), "logits", 2)[1].embedding is None


def test_the_index_is_read_whatever_the_rows_hold() -> None:
    """Random selection works for detections too."""
    rows = [[9, {"boxes": [[0, 0, 1, 1]], "scores": [0.5]}], [3, {"boxes": []}]]
    assert read_index(inline_result(rows)).tolist() == [9, 3]
