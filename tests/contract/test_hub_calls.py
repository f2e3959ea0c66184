"""The calls: who may, what is decoded, what is asked of the rooms below, what comes back."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.api.app import create_app
from alectio_agent.hub.api.services import Limits
from alectio_agent.wire.results import HeartbeatAnswer
from alectio_agent.wire.slices import LARGEST_SLICE_BYTES
from tests.support.asgi import Answer, Exchange, call
from tests.support.claims import make_claim
from tests.support.hub_fakes import (
    AGENT_TOKEN,
    OPERATOR_TOKEN,
    VIEWER_TOKEN,
    HubScene,
    make_view,
)

pytestmark = pytest.mark.anyio

PART = b"some rows"
DIGEST = hashlib.sha256(PART).hexdigest()
REGISTRATION = {
    "installation_id": "i1",
    "boot": {"count": 1, "id": "b1"},
    "name": "gpu01",
    "version": "1",
    "pipelines": [{"name": "digits"}],
}
CLAIM = {"agent_id": "agent-1", "boot": "b1", "seq": 1, "wait_s": 0, "free": ["digits"]}
COMMIT = {"key": "k1", "media_type": "application/json", "rows": 0, "inline": {}}
FAILURE = {"key": "k2", "class": "user_code", "message": "KeyError"}
EXPERIMENT = {"settings": {"name": "digits", "classes": 10, "batch": 30, "loops": 10}}


class Api(HubScene):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Limits(request_bytes=10_000, part_bytes=100))
        self.app: FastAPI = create_app(self.services)

    async def call(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        token: str | None = AGENT_TOKEN,
        exchange: Exchange | None = None,
        **headers: str | None,
    ) -> Answer:
        named: dict[str, str | None] = {
            "authorization": None if token is None else f"Bearer {token}",
            "alectio-protocol": "1",
            "alectio-lease": "lease-1" if "/jobs/" in target else None,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        data = body if isinstance(body, bytes) else b"" if body is None else dumped(body)
        given = {name: value for name, value in named.items() if value is not None}
        return await call(self.app, method, target, headers=given, chunks=[data], exchange=exchange)


def dumped(body: Any) -> bytes:
    return json.dumps(body).encode()


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    made = Api(tmp_path)
    made.listen()
    yield made
    made.store.close()


class TestAgents:
    async def test_an_agent_registers(self, api: Api) -> None:
        answer = await api.call("POST", "/v1/agents", REGISTRATION)
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json["agent_id"] == "agent-1"
        assert answer.json["protocol"] == {"min": 1, "max": 1}

    async def test_it_learns_when_its_token_ends(self, api: Api) -> None:
        forever = await api.call("POST", "/v1/agents", REGISTRATION)
        said = {"name": "gpu01", "scope": "agent", "expires_s": 86400}
        made = await api.call("POST", "/v1/tokens", said, token=OPERATOR_TOKEN)
        brief = await api.call("POST", "/v1/agents", REGISTRATION, token=made.json["token"])
        assert forever.json["token_expires_at"] is None
        told = datetime.fromisoformat(brief.json["token_expires_at"])
        assert told == datetime.fromisoformat(made.json["expires_at"])

    async def test_a_gzip_body_is_taken(self, api: Api) -> None:
        packed = gzip.compress(dumped(REGISTRATION))
        answer = await api.call("POST", "/v1/agents", packed, content_encoding="gzip")
        assert answer.status == 200

    async def test_an_agent_leaves(self, api: Api) -> None:
        answer = await api.call("DELETE", "/v1/agents/agent-1")
        assert answer.json == {"status": "accepted"}
        assert api.platform.asked == [("leave", "agent-1")]


class TestProbes:
    """What `check` calls beside an agent that works."""

    async def test_bytes_are_counted_and_none_is_kept(self, api: Api) -> None:
        answer = await api.call("PUT", "/v1/probe", PART)
        assert answer.json == {"bytes": len(PART), "sha256": DIGEST, "held_s": 0.0}
        assert (api.slept, api.platform.asked) == ([], [])

    async def test_an_answer_is_held_as_long_as_asked(self, api: Api) -> None:
        api.stop_time()
        api.time_is_up.set()
        answer = await api.call("PUT", "/v1/probe?wait_s=20")
        assert (answer.status, answer.json["bytes"], api.slept) == (200, 0, [20.0])

    @pytest.mark.parametrize("wait_s", ["51", "-1", "nan", "soon"])
    async def test_no_hold_is_longer_than_that_of_a_poll(self, api: Api, wait_s: str) -> None:
        answer = await api.call("PUT", f"/v1/probe?wait_s={wait_s}")
        assert (answer.status, answer.problem) == (422, "invalid")

    async def test_more_than_a_slice_is_refused(self, api: Api) -> None:
        answer = await api.call("PUT", "/v1/probe", bytes(LARGEST_SLICE_BYTES + 1))
        assert (answer.status, answer.problem) == (422, "invalid")

    async def test_the_platform_tells_its_time_and_when_a_token_ends(self, api: Api) -> None:
        said = {"name": "gpu01", "scope": "agent", "expires_s": 86400}
        made = await api.call("POST", "/v1/tokens", said, token=OPERATOR_TOKEN)
        answer = await api.call("GET", "/v1/platform", token=made.json["token"])
        told = datetime.fromisoformat(answer.json["token_expires_at"])
        assert told == datetime.fromisoformat(made.json["expires_at"])
        dated = parsedate_to_datetime(answer.headers["date"])
        assert dated == api.services.clock.now().replace(microsecond=0)


class TestClaims:
    async def test_a_job_that_waits_is_answered_at_once(self, api: Api) -> None:
        api.platform.jobs_waiting = [make_claim()]
        answer = await api.call("POST", "/v1/claims", CLAIM)
        assert answer.json["job"] == "digits/1"
        assert answer.json["steps"][0]["payload"]["labeled"] == [1, 4, 8]
        assert api.slept == []

    async def test_without_a_job_and_without_waiting_there_is_nothing(self, api: Api) -> None:
        answer = await api.call("POST", "/v1/claims", CLAIM)
        assert (answer.status, answer.body) == (204, b"")
        assert "retry-after" not in answer.headers

    async def test_a_held_claim_is_answered_when_a_job_comes(self, api: Api) -> None:
        held = asyncio.create_task(api.call("POST", "/v1/claims", {**CLAIM, "wait_s": 20}))
        await held_by(api)
        api.platform.jobs_waiting = [make_claim()]
        api.services.dealer.ask()
        assert (await held).json["job"] == "digits/1"

    async def test_a_hold_lasts_three_quarters_to_all_of_what_was_asked(self, api: Api) -> None:
        api.stop_time()
        api.time_is_up.set()
        for seq in range(1, 20):
            answer = await api.call("POST", "/v1/claims", {**CLAIM, "seq": seq, "wait_s": 20})
            assert answer.status == 204
        assert all(15 <= seconds <= 20 for seconds in api.slept)
        assert len(set(api.slept)) == len(api.slept) == 19

    async def test_the_same_poll_again_replaces_the_first(self, api: Api) -> None:
        poll = {**CLAIM, "wait_s": 20}
        first = asyncio.create_task(api.call("POST", "/v1/claims", poll))
        await held_by(api, 1)
        second = asyncio.create_task(api.call("POST", "/v1/claims", poll))
        assert (await first).status == 204
        await held_by(api, 2)
        api.platform.jobs_waiting = [make_claim()]
        api.services.dealer.ask()
        assert (await second).status == 200

    async def test_a_stop_answers_held_claims_and_spreads_their_return(self, api: Api) -> None:
        polls = [
            asyncio.create_task(
                api.call("POST", "/v1/claims", {**CLAIM, "agent_id": f"a{n}", "wait_s": 20})
            )
            for n in range(20)
        ]
        await held_by(api, 20)
        api.services.holds.stop()
        answers = await asyncio.gather(*polls)
        waits = {int(answer.headers["retry-after"]) for answer in answers}
        assert {answer.status for answer in answers} == {204}
        assert all(0 <= wait <= 15 for wait in waits)
        assert len(waits) > 3

    async def test_a_client_that_goes_away_gets_no_job(self, api: Api) -> None:
        exchange = Exchange([dumped({**CLAIM, "wait_s": 20})])
        held = asyncio.create_task(api.call("POST", "/v1/claims", exchange=exchange))
        await held_by(api)
        exchange.hang_up()
        await held
        api.platform.jobs_waiting = [make_claim()]
        api.services.dealer.ask()
        await asyncio.sleep(0)
        assert len(api.platform.jobs_waiting) == 1

    async def test_a_client_that_goes_away_during_a_deal_does_not_stop_the_hub(
        self, api: Api
    ) -> None:
        """The end of its connection is told as often as one asks: waiting for that never waits."""
        exchange = Exchange([dumped({**CLAIM, "wait_s": 20})])
        held = asyncio.create_task(api.call("POST", "/v1/claims", exchange=exchange))
        await held_by(api)
        polls = api.platform.claiming.polls
        poll = polls.of_agent(CLAIM["agent_id"])
        assert poll is not None
        assert polls.pick(poll)
        exchange.hang_up()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not held.done(), "the deal may still fail"
        polls.settle(poll, make_claim())
        poll.wake()
        assert (await held).status == 200, "written to nobody; the same poll gets it again"

    async def test_no_hold_outlasts_its_token_or_makes_its_agent_absent(self, api: Api) -> None:
        said = {"name": "gpu01", "scope": "agent", "expires_s": 7}
        made = await api.call("POST", "/v1/tokens", said, token=OPERATOR_TOKEN)
        api.stop_time()
        api.time_is_up.set()
        poll = {**CLAIM, "wait_s": 300}
        await api.call("POST", "/v1/claims", poll, token=made.json["token"])
        await api.call("POST", "/v1/claims", poll)
        assert [round(seconds, 1) for seconds in api.slept] == [7.0, 75.0]

    async def test_a_refusal_while_held_is_answered(self, api: Api) -> None:
        held = asyncio.create_task(api.call("POST", "/v1/claims", {**CLAIM, "wait_s": 20}))
        await held_by(api)
        api.platform.refusal = ProblemError("superseded-boot", "another agent")
        api.platform.claiming.polls.doubt(CLAIM["agent_id"])
        assert (await held).problem == "superseded-boot"


async def revoked_token(api: Api, scope: str) -> tuple[str, Callable[[], Awaitable[Answer]]]:
    """A token, and what revokes it."""
    said = {"name": "gpu01", "scope": scope}
    made = await api.call("POST", "/v1/tokens", said, token=OPERATOR_TOKEN)
    target = "/v1/tokens/gpu01/revoke"
    return made.json["token"], lambda: api.call("POST", target, token=OPERATOR_TOKEN)


class TestATokenThatIsRevokedWhileACallIsHeld:
    async def test_gets_no_job(self, api: Api) -> None:
        token, revoke = await revoked_token(api, "agent")
        poll = {**CLAIM, "wait_s": 20}
        held = asyncio.create_task(api.call("POST", "/v1/claims", poll, token=token))
        await held_by(api)
        await revoke()
        api.platform.jobs_waiting.append(make_claim())
        api.services.dealer.ask()
        assert (await held).problem == "revoked"
        assert len(api.platform.jobs_waiting) == 1, "another agent gets it"

    async def test_is_told_so_at_once(self, api: Api) -> None:
        token, revoke = await revoked_token(api, "agent")
        poll = {**CLAIM, "wait_s": 20}
        held = asyncio.create_task(api.call("POST", "/v1/claims", poll, token=token))
        other = asyncio.create_task(api.call("POST", "/v1/claims", {**poll, "agent_id": "b"}))
        await held_by(api, 2)
        await revoke()
        assert (await held).problem == "revoked"
        assert not other.done()
        api.services.holds.stop()
        await other

    @pytest.mark.parametrize("is_news", [True, False])
    async def test_is_shown_nothing(self, api: Api, is_news: bool) -> None:
        token, revoke = await revoked_token(api, "viewer")
        target = "/v1/experiments/digits?after=3&wait_s=20"
        held = asyncio.create_task(api.call("GET", target, token=token))
        await held_by(api)
        await revoke()
        if is_news:
            api.platform.view = make_view(version=4)
            api.commits.beat()
        else:
            api.time_is_up.set()
        assert (await held).problem == "revoked"


async def held_by(api: Api, polls: int = 1) -> None:
    """Until so many requests are held."""
    while len(api.slept) < polls:
        await asyncio.sleep(0)


class TestJobs:
    async def test_a_beat_in_memory_writes_nothing(self, api: Api) -> None:
        """Thousands of agents beat every 30 s."""
        api.platform.beat_in_memory = HeartbeatAnswer(cancel=None)
        answer = await api.call("POST", "/v1/jobs/job-1/heartbeat", {"step": "train"})
        assert answer.json == {"cancel": None}
        assert api.store.writes == 0

    async def test_a_first_beat_is_written(self, api: Api) -> None:
        answer = await api.call("POST", "/v1/jobs/job-1/heartbeat", {"step": "train"})
        assert answer.json == {"cancel": "paused by a person"}
        assert api.platform.asked[-1] == ("heartbeat", "job-1", "lease-1", "train")

    async def test_a_step_is_committed(self, api: Api) -> None:
        answer = await api.call("PUT", "/v1/jobs/job-1/steps/train", COMMIT)
        assert answer.json == {"status": "accepted"}
        assert api.platform.asked == [("commit", "job-1", "train", "lease-1", "k1")]

    async def test_a_failure_is_taken_with_its_class(self, api: Api) -> None:
        answer = await api.call("POST", "/v1/jobs/job-1/fail", FAILURE)
        assert answer.json == {"status": "accepted"}
        assert api.platform.asked == [("fail", "job-1", "lease-1", "user_code")]

    async def test_a_refusal_carries_its_further_members(self, api: Api) -> None:
        missing = [{"sha256": DIGEST, "have": 0}]
        api.platform.refusal = ProblemError("parts-missing", "one part", missing=missing)
        answer = await api.call("PUT", "/v1/jobs/job-1/steps/infer", COMMIT)
        assert (answer.status, answer.problem) == (409, "parts-missing")
        assert answer.json["missing"] == missing
        assert answer.json["detail"] == "one part"

    async def test_a_part_is_stored_and_then_counted(self, api: Api) -> None:
        answer = await api.call("PUT", f"/v1/jobs/job-1/parts/{DIGEST}", PART)
        assert answer.json == {"status": "accepted", "have": len(PART)}
        assert (api.platform.parts / "job-1" / DIGEST).read_bytes() == PART
        assert api.platform.asked == [
            ("check_part", "job-1", "lease-1", DIGEST),
            ("part_arrived", "job-1", DIGEST, len(PART)),
        ]

    async def test_a_part_with_another_digest_is_not_counted(self, api: Api) -> None:
        answer = await api.call("PUT", f"/v1/jobs/job-1/parts/{DIGEST}", b"other rows")
        assert (answer.status, answer.problem) == (422, "invalid")
        assert [asked[0] for asked in api.platform.asked] == ["check_part"]
        assert [file for file in api.platform.parts.rglob("*") if file.is_file()] == []

    async def test_a_part_that_is_too_large_leaves_nothing(self, api: Api) -> None:
        large = b"x" * 101
        sha256 = hashlib.sha256(large).hexdigest()
        answer = await api.call("PUT", f"/v1/jobs/job-1/parts/{sha256}", large)
        assert answer.problem == "invalid"
        assert [file for file in api.platform.parts.rglob("*") if file.is_file()] == []

    async def test_a_part_of_a_lost_lease_is_refused_unread(self, api: Api) -> None:
        api.platform.refusal = ProblemError("lease-lost", "another attempt counted")
        exchange = Exchange([PART])
        answer = await api.call("PUT", f"/v1/jobs/job-1/parts/{DIGEST}", exchange=exchange)
        assert answer.problem == "lease-lost"
        assert (await exchange.receive())["body"] == PART

    @pytest.mark.parametrize("lease", [None, "", "a b", "x" * 65])
    async def test_a_call_about_a_job_needs_a_lease(self, api: Api, lease: str | None) -> None:
        answer = await api.call("POST", "/v1/jobs/job-1/fail", FAILURE, alectio_lease=lease)
        assert answer.problem == "invalid"
        assert "Alectio-Lease" in answer.json["detail"]


class TestOperation:
    @pytest.mark.parametrize(
        ("token", "scope"),
        [(AGENT_TOKEN, "agent"), (OPERATOR_TOKEN, "operator"), (VIEWER_TOKEN, "viewer")],
    )
    async def test_any_token_hears_who_answers(self, api: Api, token: str, scope: str) -> None:
        answer = await api.call("GET", "/v1/platform", token=token)
        assert (answer.json["platform_id"], answer.json["scope"]) == ("platform-1", scope)

    async def test_an_operator_creates_an_experiment(self, api: Api) -> None:
        answer = await api.call("POST", "/v1/experiments", EXPERIMENT, token=OPERATOR_TOKEN)
        assert answer.json["name"] == "digits"
        assert api.platform.asked == [("create", "digits")]

    async def test_settings_that_make_no_sense_are_refused_with_their_keys(self, api: Api) -> None:
        wrong = {"settings": {"name": "a/b", "classes": 1, "batch": 0}}
        answer = await api.call("POST", "/v1/experiments", wrong, token=OPERATOR_TOKEN)
        assert answer.problem == "invalid"
        for key in ("settings.name", "settings.classes", "settings.batch", "settings.loops"):
            assert key in answer.json["detail"]

    @pytest.mark.parametrize("listed", ["experiments", "jobs", "agents"])
    async def test_viewers_list(self, api: Api, listed: str) -> None:
        answer = await api.call("GET", f"/v1/{listed}", token=VIEWER_TOKEN)
        assert answer.status == 200
        assert isinstance(answer.json[listed], list)

    async def test_an_experiment_is_shown_at_once_without_after(self, api: Api) -> None:
        answer = await api.call("GET", "/v1/experiments/digits?wait_s=20", token=VIEWER_TOKEN)
        assert answer.json["version"] == 3
        assert api.slept == []

    async def test_a_newer_version_is_shown_at_once(self, api: Api) -> None:
        answer = await api.call(
            "GET", "/v1/experiments/digits?after=2&wait_s=20", token=VIEWER_TOKEN
        )
        assert answer.json["version"] == 3
        assert api.slept == []

    async def test_an_experiment_is_held_until_its_version_grows(self, api: Api) -> None:
        held = asyncio.create_task(
            api.call("GET", "/v1/experiments/digits?after=3&wait_s=20", token=VIEWER_TOKEN)
        )
        await held_by(api)
        api.platform.view = make_view(version=4)
        api.commits.beat()
        assert (await held).json["version"] == 4

    async def test_a_hold_without_change_ends_with_what_there_is(self, api: Api) -> None:
        api.time_is_up.set()
        answer = await api.call(
            "GET", "/v1/experiments/digits?after=3&wait_s=20", token=VIEWER_TOKEN
        )
        assert (answer.status, answer.json["version"]) == (200, 3)

    async def test_an_unknown_experiment_is_not_held(self, api: Api) -> None:
        answer = await api.call("GET", "/v1/experiments/nope?after=0&wait_s=20", token=VIEWER_TOKEN)
        assert (answer.status, answer.problem) == (404, "not-found")
        assert api.slept == []

    @pytest.mark.parametrize(
        ("verb", "body", "asked"),
        [
            ("pause", None, ()),
            ("resume", None, ()),
            ("cancel", None, ()),
            ("reassign", None, ()),
            ("retry", None, (None,)),
            ("retry", {"step": None}, (None,)),
            ("retry", {"step": "train"}, ("train",)),
            ("rewind", None, (1,)),
            ("rewind", {"loops": 3}, (3,)),
            ("extend", None, (None, None)),
            ("extend", {"pool": 30, "loops": None}, (30, None)),
            ("update", EXPERIMENT, (30,)),
        ],
    )
    async def test_an_operator_steers_an_experiment(
        self, api: Api, verb: str, body: Any, asked: tuple[Any, ...]
    ) -> None:
        path = f"/v1/experiments/digits/{verb}"
        answer = await api.call("POST", path, body, token=OPERATOR_TOKEN)
        assert (answer.status, answer.json["name"]) == (200, "digits")
        assert api.platform.asked == [(verb, "digits", *asked)]

    @pytest.mark.parametrize(
        ("verb", "body", "told"),
        [
            ("retry", {"step": "infer"}, "step"),
            ("rewind", {"loop": 2}, "loop: Extra inputs"),
            ("rewind", {"loops": True}, "loops"),
            ("rewind", {"loops": 2.0}, "loops"),
            ("rewind", {"loops": "2"}, "loops"),
            ("extend", {"pools": 70}, "pools: Extra inputs"),
            ("extend", {"pool": "70"}, "pool"),
            ("retry", {"steps": "train"}, "steps: Extra inputs"),
            ("rewind", {"loops": 0}, "loops"),
            ("extend", {"pool": -1}, "pool"),
            ("update", None, "body"),
            ("update", {"settings": {"name": "digits", "bacth": 3}}, "bacth"),
        ],
    )
    async def test_what_makes_no_sense_is_refused_before_anything_is_done(
        self, api: Api, verb: str, body: Any, told: str
    ) -> None:
        path = f"/v1/experiments/digits/{verb}"
        answer = await api.call("POST", path, body, token=OPERATOR_TOKEN)
        assert answer.problem == "invalid"
        assert told in answer.json["detail"]
        assert api.platform.asked == []

    async def test_the_history_is_told_as_plain_json(self, api: Api) -> None:
        answer = await api.call("GET", "/v1/experiments/digits/history", token=VIEWER_TOKEN)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json == {"schema": 1, "name": "digits", "loops": [{"loop": 0}]}

    @pytest.mark.parametrize(("body", "force"), [(None, False), ({"force": True}, True)])
    async def test_an_agent_is_removed_by_force_only_when_that_is_said(
        self, api: Api, body: dict[str, bool] | None, *, force: bool
    ) -> None:
        answer = await api.call("POST", "/v1/agents/agent-1/remove", body, token=OPERATOR_TOKEN)
        assert answer.json["name"] == "gpu01"
        assert api.platform.asked == [("remove", "agent-1", force)]

    async def test_who_answers_says_when_the_token_ends(self, api: Api) -> None:
        """`enroll` tells it to a person."""
        said = {"name": "gpu01", "expires_s": 86400}
        made = await api.call("POST", "/v1/tokens", said, token=OPERATOR_TOKEN)
        told = await api.call("GET", "/v1/platform", token=made.json["token"])
        assert told.json["token_name"] == "gpu01"
        ends = datetime.fromisoformat(told.json["token_expires_at"])
        assert ends == datetime.fromisoformat(made.json["expires_at"])

    async def test_tokens_are_listed_without_what_opens_anything(self, api: Api) -> None:
        made = await api.call("POST", "/v1/tokens", {"name": "gpu01"}, token=OPERATOR_TOKEN)
        await api.call("GET", "/v1/platform", token=made.json["token"])
        listed = await api.call("GET", "/v1/tokens", token=OPERATOR_TOKEN)
        token = listed.json["tokens"][0]
        assert (token["name"], token["scope"], token["revoked_at"]) == ("gpu01", "agent", None)
        assert token["last_used_at"] == token["created_at"]
        digest = hashlib.sha256(made.json["token"].encode()).hexdigest()
        assert made.json["token"].encode() not in listed.body
        assert digest.encode() not in listed.body

    async def test_a_revoked_token_is_refused_at_once(self, api: Api) -> None:
        """It was used a moment ago, so that its row is in the cache."""
        made = await api.call("POST", "/v1/tokens", {"name": "gpu01"}, token=OPERATOR_TOKEN)
        await api.call("GET", "/v1/platform", token=made.json["token"])
        revoked = await api.call("POST", "/v1/tokens/gpu01/revoke", token=OPERATOR_TOKEN)
        assert revoked.json["revoked_at"] is not None
        answer = await api.call("GET", "/v1/platform", token=made.json["token"])
        assert (answer.status, answer.problem) == (401, "revoked")

    async def test_only_a_token_that_is_good_can_be_revoked(self, api: Api) -> None:
        missing = await api.call("POST", "/v1/tokens/gpu01/revoke", token=OPERATOR_TOKEN)
        assert (missing.problem, missing.json["code"]) == ("not-found", "E-HUB-04")
        await api.call("POST", "/v1/tokens", {"name": "gpu01"}, token=OPERATOR_TOKEN)
        await api.call("POST", "/v1/tokens/gpu01/revoke", token=OPERATOR_TOKEN)
        again = await api.call("POST", "/v1/tokens/gpu01/revoke", token=OPERATOR_TOKEN)
        assert (again.problem, again.json["code"]) == ("conflict", "E-HUB-04")
        assert "revoked already" in again.json["detail"]

    async def test_a_token_made_here_gets_in(self, api: Api) -> None:
        made = await api.call("POST", "/v1/tokens", {"name": "gpu01"}, token=OPERATOR_TOKEN)
        assert made.json["scope"] == "agent"
        answer = await api.call("GET", "/v1/platform", token=made.json["token"])
        assert answer.json["scope"] == "agent"


class TestLabels:
    async def test_samples_that_are_asked_for_are_told_all_when_asked(self, api: Api) -> None:
        path = "/v1/experiments/digits/labels"
        assert (await api.call("GET", path, token=VIEWER_TOKEN)).json["name"] == "digits"
        await api.call("GET", f"{path}?all=true", token=VIEWER_TOKEN)
        assert api.platform.asked == [
            ("label_queue", "digits", False), ("label_queue", "digits", True),
        ]  # fmt: skip

    async def test_labels_are_taken(self, api: Api) -> None:
        body = {"rows": [{"index": 4, "label": "cat"}, {"index": 7, "label": None}]}
        answer = await api.call("POST", "/v1/experiments/digits/labels", body, token=OPERATOR_TOKEN)
        assert answer.json["new"] == 2
        assert api.platform.asked == [("import_labels", "digits", [(4, "cat"), (7, None)])]

    @pytest.mark.parametrize(
        "row",
        [
            {"index": "4", "label": "cat"},
            {"index": -1, "label": "cat"},
            {"index": 4},
            {"index": 4, "label": "cat", "seconds": -1},
            {"index": 4, "label": "cat", "lable": "dog"},
        ],
    )
    async def test_a_row_that_is_none_is_invalid(self, api: Api, row: dict[str, Any]) -> None:
        answer = await api.call(
            "POST", "/v1/experiments/digits/labels", {"rows": [row]}, token=OPERATOR_TOKEN
        )
        assert (answer.problem, api.platform.asked) == ("invalid", [])

    async def test_many_labels_may_be_larger_than_other_requests(self, api: Api) -> None:
        rows = [{"index": index, "label": "cat"} for index in range(1000)]
        answer = await api.call(
            "POST", "/v1/experiments/digits/labels", {"rows": rows}, token=OPERATOR_TOKEN
        )
        assert answer.json["new"] == 1000


EVERY_CALL = [
    ("POST", "/v1/agents", "agent"),
    ("DELETE", "/v1/agents/agent-1", "agent"),
    ("POST", "/v1/claims", "agent"),
    ("POST", "/v1/jobs/job-1/heartbeat", "agent"),
    ("PUT", f"/v1/jobs/job-1/parts/{DIGEST}", "agent"),
    ("PUT", "/v1/jobs/job-1/steps/train", "agent"),
    ("POST", "/v1/jobs/job-1/fail", "agent"),
    ("PUT", "/v1/jobs/job-1/log?attempt=1&offset=0", "agent"),
    ("GET", "/v1/jobs/job-1/log", "reader"),
    ("GET", "/v1/experiments/digits/loops/0/log", "reader"),
    ("PUT", f"/v1/agents/agent-1/names/{DIGEST}", "agent"),
    ("PUT", "/v1/probe", "agent"),
    ("GET", "/v1/platform", "any"),
    ("POST", "/v1/experiments", "operator"),
    ("GET", "/v1/experiments", "reader"),
    ("GET", "/v1/experiments/digits", "reader"),
    ("GET", "/v1/experiments/digits/history", "reader"),
    ("POST", "/v1/experiments/digits/pause", "operator"),
    ("POST", "/v1/experiments/digits/resume", "operator"),
    ("POST", "/v1/experiments/digits/cancel", "operator"),
    ("POST", "/v1/experiments/digits/retry", "operator"),
    ("POST", "/v1/experiments/digits/rewind", "operator"),
    ("POST", "/v1/experiments/digits/reassign", "operator"),
    ("POST", "/v1/experiments/digits/extend", "operator"),
    ("POST", "/v1/experiments/digits/update", "operator"),
    ("GET", "/v1/experiments/digits/labels", "reader"),
    ("POST", "/v1/experiments/digits/labels", "operator"),
    ("GET", "/v1/jobs", "reader"),
    ("GET", "/v1/agents", "reader"),
    ("POST", "/v1/agents/agent-1/remove", "operator"),
    ("POST", "/v1/tokens", "operator"),
    ("GET", "/v1/tokens", "operator"),
    ("POST", "/v1/tokens/gpu01/revoke", "operator"),
    ("GET", "/results/digits/", "reader"),
    ("GET", "/results/digits/loops.csv", "reader"),
]
PROTOCOL_CALLS = [call for call in EVERY_CALL if call[1].startswith("/v1/")]
FORBIDDEN = {
    "agent": [OPERATOR_TOKEN, VIEWER_TOKEN],
    "operator": [AGENT_TOKEN, VIEWER_TOKEN],
    "reader": [AGENT_TOKEN],
    "any": [],
}


class TestEveryCall:
    async def test_the_list_above_is_complete(self, api: Api) -> None:
        served = [
            (method.upper(), path)
            for path, methods in api.app.openapi()["paths"].items()
            for method in methods
        ]
        assert len(served) == len(EVERY_CALL)

    @pytest.mark.parametrize(("method", "path", "who"), EVERY_CALL)
    async def test_nothing_happens_without_a_token(
        self, api: Api, method: str, path: str, who: str
    ) -> None:
        answer = await api.call(method, path, token=None)
        assert (answer.status, answer.problem) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert api.platform.asked == []

    @pytest.mark.parametrize(("method", "path", "who"), EVERY_CALL)
    async def test_nothing_happens_with_a_token_of_another_scope(
        self, api: Api, method: str, path: str, who: str
    ) -> None:
        for token in FORBIDDEN[who]:
            answer = await api.call(method, path, token=token)
            assert (answer.status, answer.problem) == (403, "forbidden")
        assert api.platform.asked == []

    @pytest.mark.parametrize(("method", "path", "who"), PROTOCOL_CALLS)
    @pytest.mark.parametrize("number", [None, "2", "one"])
    async def test_another_protocol_is_refused(
        self, api: Api, method: str, path: str, who: str, number: str | None
    ) -> None:
        token = {"agent": AGENT_TOKEN}.get(who, OPERATOR_TOKEN)
        answer = await api.call(method, path, token=token, alectio_protocol=number)
        assert (answer.status, answer.problem) == (426, "unsupported-protocol")
        assert (answer.json["min"], answer.json["max"]) == (1, 1)

    @pytest.mark.parametrize(
        ("method", "path"), [call[:2] for call in EVERY_CALL if call[0] in ("POST", "PUT")]
    )
    async def test_a_body_that_is_no_record_is_invalid(
        self, api: Api, method: str, path: str
    ) -> None:
        if path.endswith(("pause", "resume", "cancel", "reassign", "revoke")):
            return  # they take no body
        if "/log" in path or "/names/" in path or path.endswith("/probe"):
            return  # they take no record, and have tests of their own
        for token in (AGENT_TOKEN, OPERATOR_TOKEN):
            answer = await api.call(method, path, b"<html>", token=token)
            assert answer.problem in ("invalid", "forbidden")

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/"),
            ("GET", "/docs"),
            ("GET", "/v1/nothing"),
            ("GET", "/v1/claims"),
            ("PATCH", "/v1/agents"),
            ("GET", "/v1/agents/"),
            ("POST", "/v1/jobs/a/b/fail"),
        ],
    )
    async def test_what_is_not_served_is_not_found(self, api: Api, method: str, path: str) -> None:
        answer = await api.call(method, path)
        assert (answer.status, answer.problem) == (404, "not-found")

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/v1/jobs/a%20b/fail"),
            ("PUT", "/v1/jobs/job-1/steps/deploy"),
            ("PUT", "/v1/jobs/job-1/parts/abc"),
            ("DELETE", "/v1/agents/a%00b"),
        ],
    )
    async def test_a_path_that_breaks_its_pattern_is_invalid(
        self, api: Api, method: str, path: str
    ) -> None:
        answer = await api.call(method, path, FAILURE)
        assert (answer.status, answer.problem) == (422, "invalid")
        assert api.platform.asked == []

    @pytest.mark.parametrize("query", ["after=x", "after=1&wait_s=-1", "after=1&wait_s=1e9",
                                       "after=1&wait_s=nan"])  # fmt: skip
    async def test_a_query_that_makes_no_sense_is_invalid(self, api: Api, query: str) -> None:
        answer = await api.call("GET", f"/v1/experiments/digits?{query}", token=VIEWER_TOKEN)
        assert (answer.status, answer.problem) == (422, "invalid")

    async def test_a_bug_below_is_no_verdict(self, api: Api) -> None:
        """An agent must try again, not take it for an answer about its job."""
        api.platform.refusal = ZeroDivisionError("a secret detail")
        answer = await api.call("POST", "/v1/jobs/job-1/fail", FAILURE)
        assert (answer.status, answer.problem) == (500, "about:blank")
        assert b"secret" not in answer.body
