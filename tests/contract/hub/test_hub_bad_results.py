"""Results that are wrong: refused by name before they count, and nothing is half stored."""

import asyncio
import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alectio_agent.hub.experiments import part_form
from alectio_agent.wire.protocol import JSON_MEDIA_TYPE, NDJSON_MEDIA_TYPE, NPZ_MEDIA_TYPE
from tests.support.asgi import Answer
from tests.support.benches import Bench
from tests.support.part_calls import DIGEST, PartCalls

pytestmark = pytest.mark.anyio

ASKED = list(range(4, 20))


@pytest.fixture
def api(tmp_path: Path, bench: Bench) -> Iterator[PartCalls]:
    made = PartCalls(tmp_path, bench, part_bytes=100_000)
    made.agent.commit(made.claim, "train", "test")
    yield made
    made.scene.store.close()


def npz(index: list[int], width: int = 2, kind: str = "<f4", **more: Any) -> bytes:
    stream = io.BytesIO()
    scores = np.full((len(index), width), 0.5).astype(kind)
    np.savez(stream, **({"index": np.array(index, "<i8"), "logits": scores} | more))
    return stream.getvalue()


def lines(index: list[int]) -> bytes:
    return gzip.compress("".join(f"[{sample},[0.5]]\n" for sample in index).encode())


async def send(
    api: PartCalls, *parts: tuple[bytes, int], step: str = "infer", **changed: Any
) -> Answer:
    """Bring parts, each with the rows that are said of it, then commit them."""
    brought = [{**await api.bring(content), "rows": rows} for content, rows in parts]
    body = {
        "key": "k1",
        "media_type": NPZ_MEDIA_TYPE,
        "rows": sum(rows for _, rows in parts),
        "parts": brought,
        **changed,
    }
    return await api.commit(step, body)


async def refuse(api: PartCalls, *parts: tuple[bytes, int], **changed: Any) -> str:
    """What is told of a result that does not count."""
    before = api.results
    answer = await send(api, *parts, **changed)
    assert (answer.status, answer.problem) == (422, "invalid"), answer.json
    assert api.results == before
    return str(answer.json["detail"])


def begin_test(api: PartCalls, *, is_trained: bool = True) -> None:
    """A job of which `test` is due; without a train run, `train`."""
    api.bench.rewind()
    api.bench.settle()
    api.claim = api.agent.start()
    if is_trained:
        api.agent.commit(api.claim, "train")


async def test_a_result_in_parts_counts(api: PartCalls) -> None:
    answer = await send(api, (npz(ASKED[:10]), 10), (npz(ASKED[10:]), 6))
    assert answer.json == {"status": "accepted"}
    assert api.bench.loop(0).state == "done"


async def test_rows_may_come_in_any_order(api: PartCalls) -> None:
    mixed = [*ASKED[8:], *ASKED[:8]]
    assert (await send(api, (npz(mixed[:5]), 5), (npz(mixed[5:]), 11))).status == 200


async def test_a_result_in_lines_counts(api: PartCalls) -> None:
    parts = (lines(ASKED[::2]), 8), (lines(ASKED[1::2]), 8)
    assert (await send(api, *parts, media_type=NDJSON_MEDIA_TYPE)).status == 200


async def test_a_result_counts_at_a_hub_that_was_started_since(api: PartCalls) -> None:
    part = await api.bring(npz(ASKED))
    api.restart()
    body = {"key": "k1", "media_type": NPZ_MEDIA_TYPE, "rows": 16, "parts": [{**part, "rows": 16}]}
    assert (await api.commit("infer", body)).status == 200
    assert (await api.commit("infer", body)).status == 200, "the answer got lost"


async def test_a_part_is_looked_at_once(api: PartCalls, monkeypatch: pytest.MonkeyPatch) -> None:
    read, looks = part_form.read_form, list[Path]()

    def note(part: Path) -> part_form.PartForm:
        looks.append(part)
        return read(part)

    monkeypatch.setattr("alectio_agent.hub.api.forms.read_form", note)
    content = npz(ASKED)
    await api.bring(content)
    await refuse(api, (content, 15))
    assert (await send(api, (content, 16))).status == 200
    assert len(looks) == 1


@pytest.mark.parametrize(
    ("index", "told"),
    [
        ([*ASKED[:-1], 20], "found index 20; the pool has 20 samples"),
        ([*ASKED[:-1], 2**40], "found index 1099511627776; the pool has 20"),
        ([-1, *ASKED[1:]], "found index -1; the pool"),
        ([*ASKED[:-1], 0], "found index 0, which is labelled"),
        ([*ASKED[:-1], 4], "index 4 stands twice"),
        (ASKED[:-1], "rows: found 15; infer was asked for 16 samples"),
        ([*ASKED, 4], "rows: found 17; infer was asked for 16"),
    ],
)
async def test_the_samples_are_those_that_were_asked_for(
    api: PartCalls, index: list[int], told: str
) -> None:
    assert told in await refuse(api, (npz(index), len(index)))
    media_type = {"media_type": NDJSON_MEDIA_TYPE}
    assert told[:8] in await refuse(api, (lines(index), len(index)), **media_type)
    inline = {"rows": [[sample, [0.5, 0.5]] for sample in index]}
    body = {"key": "k1", "media_type": "application/json", "rows": len(index), "inline": inline}
    answer = await api.commit("infer", body)
    assert answer.problem == "invalid"
    if index[0] >= 0:
        assert told in answer.json["detail"]
    assert api.results == 2


async def test_a_sample_in_two_parts_is_told_with_the_second(api: PartCalls) -> None:
    told = await refuse(api, (npz(ASKED[:10]), 10), (npz(ASKED[9:15]), 6))
    assert told.startswith("part 2 of 2, ")
    assert "index 13 stands twice" in told


@pytest.mark.parametrize(
    ("second", "rows", "told"),
    [
        (npz(ASKED[10:], 3), 6, "rows of `logits` have 3 numbers; the experiment has 2 classes"),
        (
            npz(ASKED[10:], kind="<f8"),
            6,
            "found `logits` <f8 (2,); the first part has",
        ),
        (
            npz(ASKED[10:], extra=np.zeros(6)),
            6,
            "found `extra` <f8 (), `logits` <f4 (2,); the",
        ),
        (npz(ASKED[10:]), 7, "it has 6 rows; the commit says 7"),
        (npz(ASKED[10:], 2, "object"), 6, "`logits` is of type |O"),
        (lines(ASKED[10:]), 6, "it is application/x-ndjson; the commit says application/x-npz"),
        (b"<html>", 6, "it is neither an .npz file nor gzip"),
    ],
    ids=["width", "dtype", "fields", "rows", "objects", "media type", "page"],
)
async def test_each_part_is_what_the_commit_says(
    api: PartCalls, second: bytes, rows: int, told: str
) -> None:
    found = await refuse(api, (npz(ASKED[:10]), 10), (second, rows))
    assert found.startswith("part 2 of 2, ")
    assert told in found


async def test_one_column_will_do_for_two_classes(api: PartCalls) -> None:
    assert (await send(api, (npz(ASKED, 1), 16))).status == 200


async def test_a_packed_array_is_refused_however_small_it_is(api: PartCalls) -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, index=np.array(ASKED), logits=np.zeros((16, 2), "f4"))
    assert "is packed" in await refuse(api, (stream.getvalue(), 16))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"media_type": "application/x-pickle"}, "media_type: found application/x-pickle"),
        ({"media_type": "application/json"}, "found application/json with 1 parts"),
        ({"parts": []}, "found application/x-npz with 0 parts"),
        ({"inline": {"rows": []}}, "with 1 parts and an inline result"),
        ({"rows": 15}, "rows: found 15; the parts hold 16"),
        ({"rows": 2**53 - 1}, "rows: found 9007199254740991"),
        ({"rows": 2**53}, "rows"),
        ({"rows": -1}, "rows"),
        ({"rows": 1e400}, "Infinity is not a JSON number"),
        ({"rows": 1.5}, "rows"),
    ],
)
async def test_a_commit_agrees_with_itself(
    api: PartCalls, changed: dict[str, Any], told: str
) -> None:
    assert told in await refuse(api, (npz(ASKED), 16), **changed)


@pytest.mark.parametrize("field", ["bytes", "rows"])
@pytest.mark.parametrize("value", [0, -1, 2**53, 1.5, "many", None])
async def test_absurd_numbers_of_a_part_are_refused(api: PartCalls, field: str, value: Any) -> None:
    part = {**await api.bring(npz(ASKED)), "rows": 16, field: value}
    body = {"key": "k1", "media_type": NPZ_MEDIA_TYPE, "rows": 16, "parts": [part]}
    answer = await api.commit("infer", body)
    assert answer.problem == "invalid"
    assert f"parts.0.{field}" in answer.json["detail"]
    assert api.results == 2


async def test_another_size_of_a_part_than_it_has_is_refused(api: PartCalls) -> None:
    part = {**await api.bring(npz(ASKED)), "rows": 16, "bytes": 2**50}
    body = {"key": "k1", "media_type": NPZ_MEDIA_TYPE, "rows": 16, "parts": [part]}
    answer = await api.commit("infer", body)
    assert answer.problem == "invalid"
    assert "found 1125899906842624 bytes in the commit" in answer.json["detail"]


@pytest.mark.parametrize(
    "rows",
    [[[4]], [[4, 1, 2]], [["4", 1]], [[4.0, 1]], [[True, 1]], [[-4, 1]], [4], {"4": 1}, "rows"],
)
async def test_inline_rows_are_pairs(api: PartCalls, rows: Any) -> None:
    count = len(rows) if isinstance(rows, list) else 0
    body = {"key": "k1", "media_type": "application/json", "rows": count, "inline": {"rows": rows}}
    answer = await api.commit("infer", body)
    assert (answer.problem, api.results) == ("invalid", 2)
    assert "inline.rows" in answer.json["detail"]


@pytest.mark.parametrize(
    "rows",
    [[[sample, 0.25] for sample in range(40_000)], [[sample, ["x" * 9000]] for sample in ASKED]],
    ids=["many", "large"],
)
async def test_an_inline_result_is_small(api: PartCalls, rows: Any) -> None:
    """Some seconds of looking at it would be taken from all others."""
    inline = {"rows": rows}
    body = {"key": "k1", "media_type": JSON_MEDIA_TYPE, "rows": len(rows), "inline": inline}
    answer = await api.commit("infer", body)
    assert (answer.problem, api.results) == ("invalid", 2)
    assert (
        "inline: a result of more than 65536 bytes; expected it in parts" in answer.json["detail"]
    )
    less = {"rows": [[sample, ["x" * 4000]] for sample in ASKED]}
    assert (await api.commit("infer", {**body, "rows": 16, "inline": less})).status == 200


@pytest.mark.parametrize(
    ("lease", "problem"),
    [("nobody", "lease-lost"), ("", "invalid"), ("a b", "invalid"), ("x" * 65, "invalid")],
)
async def test_a_commit_with_a_foreign_lease_is_refused(
    api: PartCalls, lease: str, problem: str
) -> None:
    part = {**await api.bring(npz(ASKED)), "rows": 16}
    body = {"key": "k1", "media_type": NPZ_MEDIA_TYPE, "rows": 16, "parts": [part]}
    answer = await api.commit("infer", body, alectio_lease=lease)
    assert (answer.problem, api.results) == (problem, 2)


async def test_a_commit_with_a_void_lease_is_refused_before_anything_is_looked_at(
    api: PartCalls,
) -> None:
    """Whatever its parts hold: it must hear that its lease is lost, not that it was wrong."""
    part = {**await api.bring(b"no result at all"), "rows": 16}
    api.bench.rewind()
    body = {"key": "k1", "media_type": NPZ_MEDIA_TYPE, "rows": 16, "parts": [part]}
    assert (await api.commit("infer", body)).problem == "lease-lost"


async def test_a_part_whose_file_somebody_removed_is_missing(api: PartCalls) -> None:
    content = npz(ASKED)
    part = {**await api.bring(content), "rows": 16}
    api.bench.platform.part_path(api.claim.job_id, part["sha256"]).unlink()
    body = {"key": "k1", "media_type": NPZ_MEDIA_TYPE, "rows": 16, "parts": [part]}
    answer = await api.commit("infer", body)
    assert answer.json["missing"] == [{"sha256": part["sha256"], "have": 0}]
    await api.bring(content)
    assert (await api.commit("infer", body)).status == 200


GOOD = {"key": "k1", "media_type": "application/json", "rows": 0, "inline": {"rows": []}}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"key":"k1","key":"k2"}', "key 'key' stands twice"),
        (b'{"key":"k1","inline":' + b"[" * 100_000, "nested deeper than 64 levels"),
        (b'{"key":"k1","inline":' + b"[" * 70 + b"]" * 70 + b"}", "nested deeper than 64 levels"),
        (b'{"key":"k1","rows":' + b"9" * 5000 + b"}", "an integer of 5000 digits"),
        (b'{"key":"k1","rows":NaN}', "NaN is not a JSON number"),
        (b'{"key":"k1","duration_s":1e999}', "too large"),
        (b'{"key":"\\ud800"}', "half of a surrogate"),
        (b'{"key":"k1\xff"}', "not UTF-8"),
        (b"[]", "is a list"),
        (b"", "not JSON"),
    ],
    ids=["twice", "deep", "deeper", "digits", "nan", "infinity", "half", "bytes", "list", "empty"],
)
async def test_json_that_breaks_the_rules_is_refused(
    api: PartCalls, body: bytes, told: str
) -> None:
    answer = await api.commit("infer", body)
    assert (answer.problem, api.results) == ("invalid", 2)
    assert told in answer.json["detail"]


async def test_a_bomb_of_gzip_is_refused(api: PartCalls) -> None:
    body = gzip.compress(json.dumps({**GOOD, "warnings": ["x" * 9_000_000]}).encode())
    assert len(body) < 20_000
    answer = await api.commit("infer", body, content_encoding="gzip")
    assert (answer.problem, api.results) == ("invalid", 2)
    assert "larger than 8388608 bytes" in answer.json["detail"]


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip"])
async def test_another_encoding_is_refused(api: PartCalls, encoding: str) -> None:
    answer = await api.commit("infer", GOOD, content_encoding=encoding)
    assert answer.problem == "invalid"
    assert "Content-Encoding" in answer.json["detail"]


async def test_a_part_with_another_digest_is_not_there(api: PartCalls) -> None:
    answer = await api.call(None, npz(ASKED))
    assert answer.problem == "invalid"
    body = {"key": "k1", "media_type": NPZ_MEDIA_TYPE, "rows": 16,
            "parts": [{"sha256": DIGEST, "bytes": 100, "rows": 16}]}  # fmt: skip
    answer = await api.commit("infer", body)
    assert answer.json["missing"] == [{"sha256": DIGEST, "have": 0}]
    assert (api.left, api.rows, api.results) == ({}, 0, 2)


@pytest.mark.parametrize("kind", ["<U3", "?"])
async def test_scores_that_are_no_numbers_are_refused(api: PartCalls, kind: str) -> None:
    told = await refuse(api, (npz(ASKED, kind=kind), 16))
    assert told.startswith("part 1 of 1, ")
    assert "`logits` is of type" in told
    assert told.endswith("expected numbers")


async def test_a_part_that_stands_twice_is_refused(api: PartCalls) -> None:
    begin_test(api)
    content = npz([0, 1], prediction=np.zeros(2), label=np.zeros(2))
    assert "stands twice" in await refuse(api, (content, 2), (content, 2), step="test")


@pytest.mark.parametrize("name", ["prediction", "label"])
async def test_a_test_has_predictions_and_labels(api: PartCalls, name: str) -> None:
    begin_test(api)
    told = await refuse(api, (npz([0, 1], **{name: np.zeros(2)}), 2), step="test")
    assert f"found `{'label' if name == 'label' else 'logits'}` " in told
    assert told.endswith("expected `prediction` and `label`")


async def test_a_train_has_no_parts(api: PartCalls) -> None:
    begin_test(api, is_trained=False)
    told = await refuse(api, (npz([0, 1]), 2), step="train")
    assert told == "parts: the result of train is inline"


async def test_a_test_in_parts_may_be_of_any_samples(api: PartCalls) -> None:
    begin_test(api)
    truth = np.array([0, 1, 1])
    content = npz([100, 7, 10**6], prediction=truth, label=truth)
    assert (await send(api, (content, 3), step="test")).status == 200


async def test_commits_that_come_at_once_count_once(api: PartCalls) -> None:
    part = {**await api.bring(npz(ASKED)), "rows": 16}
    body = {"key": "k1", "media_type": NPZ_MEDIA_TYPE, "rows": 16, "parts": [part]}
    answers = await asyncio.gather(*(api.commit("infer", body) for _ in range(3)))
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert api.results == 3


def test_numpy_would_unpack_what_is_refused_here() -> None:
    """The bomb that the tests stand for: a thousand times its size."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.npy", bytes(10**6))
    assert len(stream.getvalue()) < 2000
