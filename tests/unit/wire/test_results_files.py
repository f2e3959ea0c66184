"""Paths of results files are written to by whoever exports them, so their rule is narrow."""

import pytest
from pydantic import ValidationError

from alectio_agent.wire.results_files import SMALL_FILES, ResultsFile, in_order


def listed(path: str, size_bytes: int = 3) -> ResultsFile:
    return ResultsFile(path=path, bytes=size_bytes, modified_at="2026-11-25T00:00:00.000Z")


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "..", "../x", "/etc/passwd", "outputs/../x", "outputs/../../../x", "outputs//x",
        "outputs/", "outputs/..", "outputs/.hidden", "outputs/a/b", "elsewhere/x", "a\\b", "a\n",
        "a\0b", "C:x",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_experiments_folder(path: str) -> None:
    with pytest.raises(ValidationError, match="path"):
        listed(path)


@pytest.mark.parametrize("path", [*SMALL_FILES, "outputs/loop_12.npz", "outputs/loop_0.ndjson.gz"])
def test_what_a_hub_makes_has_a_path(path: str) -> None:
    assert listed(path).path == path


def test_no_file_has_less_than_no_bytes() -> None:
    with pytest.raises(ValidationError, match="bytes"):
        listed("loops.csv", -1)


def test_loops_are_sorted_by_their_number() -> None:
    files = ["outputs/loop_10.npz", "loops.csv", "outputs/loop_2.npz", "7.csv"]
    assert sorted(files, key=in_order) == [
        "7.csv", "loops.csv", "outputs/loop_2.npz", "outputs/loop_10.npz",
    ]  # fmt: skip
