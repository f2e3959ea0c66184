"""docs/wire.md is true: each exchange on the page is sent to a real hub, its answer compared."""

import io
import json
import re
import socket
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from tests.support.hub_process import Hub
from tests.support.wire_page import PAGE, Block, Player, exchanges, read_page

DOCUMENT = json.loads((PAGE.parent / "openapi.json").read_text("utf-8"))
NAMES = "/v1/agents/{agent_id}/names/{digest}"


@pytest.fixture
def player(tmp_path: Path, listening: socket.socket) -> Iterator[Player]:
    hub = Hub.embedded(tmp_path / "hub", listening)
    known = {"token": hub.agent_token, "operator_token": hub.operator_token}
    yield Player(hub.url.removeprefix("http://"), known)
    assert hub.stop() == (0, "")


def test_a_whole_job_goes_as_the_page_tells_it(player: Player) -> None:
    player.play(read_page())
    for method, path, status, document in player.bodies:
        breaches = list(validator(method, path, status).iter_errors(document))
        assert breaches == [], (method, path, status)


def validator(method: str, path: str, status: int) -> Draft202012Validator:
    """For a body that went over the wire: that of a request (status 0), or of an answer."""
    call = DOCUMENT["paths"][documented(path)][method.lower()]
    holder = call["responses"][str(status)] if status else call["requestBody"]
    [content] = holder["content"].values()
    return Draft202012Validator({**content["schema"], "components": DOCUMENT["components"]})


def documented(path: str) -> str:
    """The path of the document that a path of the page stands for."""
    bare = path.partition("?")[0]
    for known in DOCUMENT["paths"]:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), bare):
            return str(known)
    raise AssertionError(f"{path} is not in openapi.json")


def test_every_call_of_an_agent_is_told() -> None:
    """Record names are told further down: who asks for none gets none."""
    told = set()
    for asked, _ in exchanges(read_page()):
        method, path = asked.first.split(" ")
        told.add((method, documented(path)))
    served = {
        (method.upper(), path)
        for path, calls in DOCUMENT["paths"].items()
        for method, call in calls.items()
        if call["x-scopes"] == ["agent"]
    }
    assert served - told == {("PUT", NAMES)}


def changed(blocks: list[Block], word: str, other: str) -> list[Block]:
    """The page with a word of its answers changed."""
    return [
        replace(block, first=block.first.replace(word, other), body=block.body.replace(word, other))
        if block.is_answer
        else block
        for block in blocks
    ]


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ('"pool": 8', '"pool": 9'),
        ("204 No Content", "200 OK"),
        ('"names_wanted": []', '"names": []'),
        ('"labeled": [3, 6, 7]', '"labeled": [3, 6]'),
    ],
)
def test_a_page_that_tells_something_else_is_found_out(
    player: Player, word: str, other: str
) -> None:
    with pytest.raises(AssertionError, match=r"wire\.md:\d+"):
        player.play(changed(read_page(), word, other))


def test_a_header_that_does_not_come_is_found_out(player: Player) -> None:
    blocks: list[Any] = deepcopy(read_page())
    blocks[1].headers["Alectio-Nothing"] = "1"
    with pytest.raises(AssertionError, match="Alectio-Nothing"):
        player.play(blocks)


def test_the_part_of_the_page_is_what_numpy_reads() -> None:
    player = Player("", {})
    player.play([block for block in read_page() if block.is_code])
    with np.load(io.BytesIO(player.part), allow_pickle=False) as arrays:
        assert arrays["index"].tolist() == [0, 1, 2, 4, 5]
        assert (arrays["logits"].dtype, arrays["logits"].shape) == (np.float32, (5, 2))
