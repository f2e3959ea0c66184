"""The call that brings record names: in place whole and checked, or not at all."""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alectio_agent.hub.api.app import create_app
from alectio_agent.hub.api.services import Limits
from alectio_agent.hub.api.uploads import drop_unfinished
from tests.support.asgi import Answer, call
from tests.support.benches import Bench
from tests.support.hub_fakes import AGENT_TOKEN, VIEWER_TOKEN, HubScene

pytestmark = pytest.mark.anyio

LINES = b'"one.png"\n"two.png"\n"three.png"\n'
DIGEST = hashlib.sha256(LINES).hexdigest()


class Api:
    def __init__(self, folder: Path, bench: Bench) -> None:
        self.scene = HubScene(folder / "scene")
        self.bench = bench
        self.files = bench.platform.names
        services = replace(
            self.scene.services,
            store=bench.store,
            platform=bench.platform,
            limits=Limits(names_bytes=1000),
        )
        self.app = create_app(services)
        self.agent = self.register(DIGEST, 3)

    def register(self, digest: str, count: int, name: str = "gpu01") -> str:
        offer = {"name": "digits", "state_digest": digest, "state_size": count}
        return self.bench.agent(name, pipelines=[offer]).agent_id

    async def put(
        self,
        *chunks: bytes,
        agent: str | None = None,
        digest: str = DIGEST,
        encoding: str = "",
        token: str = AGENT_TOKEN,
    ) -> Answer:
        headers = {"authorization": f"Bearer {token}", "alectio-protocol": "1"}
        headers |= {"content-encoding": encoding} if encoding else {}
        target = f"/v1/agents/{agent or self.agent}/names/{digest}"
        return await call(self.app, "PUT", target, headers=headers, chunks=chunks or [LINES])

    @property
    def left(self) -> list[str]:
        """What lies in the folder."""
        return sorted(file.name for file in self.files.folder.iterdir())


@pytest.fixture
def api(tmp_path: Path, bench: Bench) -> Iterator[Api]:
    made = Api(tmp_path, bench)
    yield made
    made.scene.store.close()


async def test_names_are_in_place_when_the_answer_comes(api: Api) -> None:
    answer = await api.put(LINES[:7], LINES[7:])
    assert answer.json == {"status": "accepted"}
    assert api.files.read(DIGEST, [2, 0]) == ["three.png", "one.png"]
    assert api.left == [f"{DIGEST}.index", f"{DIGEST}.jsonl"]


async def test_packed_names_are_unpacked(api: Api) -> None:
    answer = await api.put(gzip.compress(LINES), encoding="gzip")
    assert answer.status == 200
    assert (api.files.folder / f"{DIGEST}.jsonl").read_bytes() == LINES


async def test_names_that_are_here_may_come_again(api: Api) -> None:
    await api.put()
    assert (await api.put()).status == 200
    assert (await api.put(b"anything")).status == 200
    assert api.files.read(DIGEST, [0]) == ["one.png"]


async def test_experiments_that_know_their_samples_now_are_written_anew(api: Api) -> None:
    api.bench.create(pool=3, batch=1, loops=2)
    api.bench.platform.context.due.take_marked()
    await api.put()
    assert api.bench.platform.context.due.take_marked() == ["digits"]


async def test_other_names_than_the_digest_says_are_refused(api: Api) -> None:
    answer = await api.put(LINES.replace(b"one", b"uno"))
    assert answer.problem == "invalid"
    assert DIGEST in answer.json["detail"]
    assert api.left == []


async def test_another_number_than_was_registered_is_refused(api: Api) -> None:
    more = LINES + b'"four.png"\n'
    digest = hashlib.sha256(more).hexdigest()
    agent = api.register(digest, 3, "gpu02")
    answer = await api.put(more, agent=agent, digest=digest)
    assert answer.problem == "invalid"
    assert "the agent registered 3" in answer.json["detail"]
    assert api.left == []


async def test_what_is_no_name_is_refused(api: Api) -> None:
    wrong = b'"one.png"\n{"two": 2}\n"three.png"\n'
    digest = hashlib.sha256(wrong).hexdigest()
    agent = api.register(digest, 3, "gpu02")
    answer = await api.put(wrong, agent=agent, digest=digest)
    assert answer.problem == "invalid"
    assert "line 2" in answer.json["detail"]
    assert api.left == []


@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_too_many_names_are_refused(api: Api, encoding: str) -> None:
    bomb = b'"x"\n' * 1000
    sent = gzip.compress(bomb) if encoding else bomb
    answer = await api.put(sent, encoding=encoding)
    assert answer.problem == "invalid"
    assert "larger than 1000 bytes" in answer.json["detail"]
    assert api.left == []


@pytest.mark.parametrize(
    "sent", [b"", b"not gzip", gzip.compress(LINES)[:-9]], ids=["empty", "no gzip", "cut short"]
)
async def test_names_that_are_cut_short_are_refused(api: Api, sent: bytes) -> None:
    assert (await api.put(sent, encoding="gzip")).problem == "invalid"
    assert not api.files.holds(DIGEST)


async def test_names_that_the_agent_did_not_register_are_refused(api: Api) -> None:
    assert (await api.put(digest="e" * 64)).problem == "invalid"
    assert not api.files.folder.exists()


async def test_an_unknown_agent_is_told_to_register(api: Api) -> None:
    assert (await api.put(agent="nobody")).problem == "unknown-agent"


@pytest.mark.parametrize("digest", ["e", "E" * 64, "..%2f..%2fhub.db"])
async def test_a_digest_that_is_none_reaches_no_file(api: Api, digest: str) -> None:
    assert (await api.put(digest=digest)).status in (404, 422)
    assert not api.files.folder.exists()


async def test_people_send_no_names(api: Api) -> None:
    assert (await api.put(token=VIEWER_TOKEN)).problem == "forbidden"


async def test_what_a_killed_hub_left_is_dropped(api: Api) -> None:
    await api.put()
    for name in (".abc-1.arriving", ".abc-1.index.arriving"):
        (api.files.folder / name).write_bytes(b"")
    assert drop_unfinished(api.files.folder) == 2
    assert api.files.holds(DIGEST)
