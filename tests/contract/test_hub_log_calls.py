"""The calls about logs: what is refused before anything is kept, and what comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.api.app import create_app
from alectio_agent.wire.logs import LogText
from alectio_agent.wire.protocol import MAX_LOG_BYTES
from tests.support.asgi import Answer, call
from tests.support.hub_fakes import AGENT_TOKEN, OPERATOR_TOKEN, VIEWER_TOKEN, HubScene

pytestmark = pytest.mark.anyio

LOG = "/v1/jobs/job-1/log"
LOOP_LOG = "/v1/experiments/digits/loops/3/log"


class Api(HubScene):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.app = create_app(self.services)

    async def put(
        self, query: str, text: bytes = b"x", token: str = AGENT_TOKEN, lease: str = "lease-1"
    ) -> Answer:
        headers = {"authorization": f"Bearer {token}", "alectio-protocol": "1"}
        headers |= {"alectio-lease": lease} if lease else {}
        return await call(self.app, "PUT", LOG + query, headers=headers, chunks=[text])

    async def get(self, target: str, token: str = VIEWER_TOKEN) -> Answer:
        headers = {"authorization": f"Bearer {token}", "alectio-protocol": "1"}
        return await call(self.app, "GET", target, headers=headers)

    @property
    def kept(self) -> list[tuple[object, ...]]:
        return [asked for asked in self.platform.asked if asked[0] == "put_log"]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    made = Api(tmp_path)
    yield made
    made.store.close()


async def test_text_is_judged_by_its_lease_then_kept(api: Api) -> None:
    answer = await api.put("?attempt=2&offset=100", b"epoch \xff 1\n")
    assert answer.json == {"have": 110}
    assert api.platform.asked == [
        ("check_log", "job-1", "lease-1", 2),
        ("put_log", "job-1", 2, 100, b"epoch \xff 1\n"),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?attempt=1",
        "?offset=0",
        "?attempt=0&offset=0",
        "?attempt=1&offset=-1",
        "?attempt=one&offset=0",
        f"?attempt=1&offset={2**53}",
    ],
)
async def test_a_position_that_cannot_be_is_refused(api: Api, query: str) -> None:
    answer = await api.put(query)
    assert answer.problem == "invalid"
    assert api.platform.asked == []


async def test_text_without_a_lease_is_refused(api: Api) -> None:
    assert (await api.put("?attempt=1&offset=0", lease="")).problem == "invalid"


async def test_too_much_text_is_refused(api: Api) -> None:
    answer = await api.put("?attempt=1&offset=0", b"x" * (MAX_LOG_BYTES + 1))
    assert answer.problem == "invalid"
    assert api.kept == []


async def test_a_foreign_lease_keeps_nothing(api: Api) -> None:
    api.platform.refusal = ProblemError("lease-lost", "not yours")
    assert (await api.put("?attempt=1&offset=0")).problem == "lease-lost"
    assert api.kept == []


@pytest.mark.parametrize("token", [OPERATOR_TOKEN, VIEWER_TOKEN])
async def test_people_cannot_write_logs(api: Api, token: str) -> None:
    assert (await api.put("?attempt=1&offset=0", token=token)).problem == "forbidden"


@pytest.mark.parametrize("target", [LOG, LOOP_LOG])
@pytest.mark.parametrize("token", [OPERATOR_TOKEN, VIEWER_TOKEN])
async def test_text_is_read_with_its_place(api: Api, target: str, token: str) -> None:
    api.platform.log = LogText(2, 100, 300, b"epoch \xff 1\n")
    answer = await api.get(f"{target}?attempt=2&offset=50", token)
    assert (answer.status, answer.body) == (200, b"epoch \xff 1\n")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    told = {name: answer.headers[f"alectio-log-{name}"] for name in ("attempt", "offset", "size")}
    assert told == {"attempt": "2", "offset": "100", "size": "300"}
    assert api.platform.asked[-1] == ("read_log", "job-1", 2, 50)


async def test_the_newest_attempt_is_read_from_its_beginning(api: Api) -> None:
    api.platform.log = LogText(2, 0, 0, b"")
    await api.get(LOOP_LOG)
    assert api.platform.asked == [("job_of_loop", "digits", 3), ("read_log", "job-1", None, 0)]


async def test_no_log_is_not_found(api: Api) -> None:
    assert (await api.get(LOG)).problem == "not-found"
    assert (await api.get(LOOP_LOG + "?attempt=7")).problem == "not-found"


@pytest.mark.parametrize(
    "target",
    [
        LOG + "?offset=-1",
        LOG + "?attempt=0",
        "/v1/experiments/digits/loops/-1/log",
        "/v1/experiments/digits/loops/x/log",
        "/v1/experiments/.digits/loops/1/log",
    ],
)
async def test_a_place_that_cannot_be_is_refused(api: Api, target: str) -> None:
    assert (await api.get(target)).problem == "invalid"


async def test_agents_cannot_read_logs(api: Api) -> None:
    assert (await api.get(LOG, AGENT_TOKEN)).problem == "forbidden"
