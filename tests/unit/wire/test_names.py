"""Names become folders, files and parts of URLs, so their rule is narrow."""

import pytest
from pydantic import TypeAdapter, ValidationError

from alectio_agent.wire.names import (
    CheckpointName,
    Digest,
    ExperimentName,
    Id,
    PipelineName,
    checkpoint_name,
)

BAD = ["", ".", "..", ".hidden", "-x", "_x", "a/b", "../a", "a b", "a\n", "a\x00", "ä", "a:b", "~"]


def accepts(kind, text):
    try:
        return TypeAdapter(kind).validate_python(text) == text
    except ValidationError:
        return False


@pytest.mark.parametrize("kind", [ExperimentName, PipelineName, CheckpointName])
def test_names_can_neither_leave_their_folder_nor_hide(kind):
    assert [text for text in BAD if accepts(kind, text)] == []


@pytest.mark.parametrize("text", ["a", "9", "xray-margin", "A.b_c-1", "x" * 64])
def test_ordinary_names_are_right(text):
    assert accepts(ExperimentName, text)


def test_an_experiments_name_has_64_letters_and_a_checkpoints_128():
    assert not accepts(ExperimentName, "x" * 65)
    assert accepts(CheckpointName, "x" * 128)
    assert not accepts(CheckpointName, "x" * 129)


def test_a_digest_is_64_lower_hexadecimal_digits():
    assert accepts(Digest, "0123456789abcdef" * 4)
    assert not any(accepts(Digest, text) for text in ("A" * 64, "a" * 63, "a" * 65, "g" * 64))


def test_an_id_is_short_and_fits_into_a_url():
    assert accepts(Id, "aB3_-")
    assert not any(accepts(Id, text) for text in ("", "a" * 65, "a/b", "a.b", "a b"))


def test_checkpoints_are_named_after_loop_and_attempt():
    assert checkpoint_name("xray", 0, 1) == "xray-ckpt_0"
    assert checkpoint_name("xray", 3, 2) == "xray-ckpt_3-a2"


def test_the_longest_checkpoint_name_is_a_checkpoint_name():
    assert accepts(CheckpointName, checkpoint_name("x" * 64, 10**9, 10**9))
