"""Calls of an agent, as they stand on the wire."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
import responses

from alectio_agent.agent.client.endpoints import PartKey, PlatformClient
from alectio_agent.agent.client.file_slice import FileSlice
from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.agent.client.transport import HttpTransport, Request
from alectio_agent.core.errors import (
    NotAuthorizedError,
    PlatformError,
    PlatformUnavailableError,
    ProtocolMismatchError,
)
from alectio_agent.wire.agents import Boot, Registration
from alectio_agent.wire.claims import ClaimRequest
from alectio_agent.wire.logs import LogText
from alectio_agent.wire.results import Heartbeat, JobFailure, StepCommit
from tests.support.claims import make_claim
from tests.support.clocks import FakeClock

PART = PartKey("job-1", "lease-1", "a" * 64)
URL = "https://platform.example.org"


@pytest.fixture
def wire():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client() -> PlatformClient:
    clock = FakeClock()
    return PlatformClient(HttpTransport(URL, {}, clock), lambda: "secret", clock)


CLAIM = ClaimRequest(agent_id="agent-1", boot="boot-1", seq=1, wait_s=20, free=["digits"])


def test_every_call_names_protocol_and_token(wire, client: PlatformClient) -> None:
    wire.post(f"{URL}/v1/claims", status=204)
    assert client.claim(CLAIM) is None
    headers = wire.calls[0].request.headers
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Alectio-Protocol"] == "1"


def test_calls_about_a_job_carry_the_lease_in_a_header_only(wire, client: PlatformClient) -> None:
    wire.post(f"{URL}/v1/jobs/job-1/heartbeat", json={"cancel": None})
    client.beat("job-1", "lease-1", Heartbeat(step="train"))
    request = wire.calls[0].request
    assert request.headers["Alectio-Lease"] == "lease-1"
    assert "lease-1" not in request.url + request.body.decode()


def test_a_claim_is_read(wire, client: PlatformClient) -> None:
    wire.post(f"{URL}/v1/claims", json=make_claim().model_dump())
    assert client.claim(CLAIM) == make_claim()


def test_an_empty_claim_may_ask_to_wait(wire, client: PlatformClient) -> None:
    wire.post(f"{URL}/v1/claims", status=204, headers={"Retry-After": "9"})
    assert client.claim(CLAIM) == 9


def test_a_failure_names_its_class_as_the_protocol_does(wire, client: PlatformClient) -> None:
    wire.post(f"{URL}/v1/jobs/job-1/fail", json={"status": "accepted"})
    raw = {"key": "k", "step": "train", "class": "oom", "message": "m"}
    client.fail("job-1", "lease-1", JobFailure.model_validate(raw))
    assert json.loads(wire.calls[0].request.body)["class"] == "oom"


def test_a_commit_is_settled_by_our_acceptance_only(wire, client: PlatformClient) -> None:
    wire.put(f"{URL}/v1/jobs/job-1/steps/train", body="<html>Welcome to our Wi-Fi</html>")
    commit = StepCommit(key="k", media_type="application/json", rows=0, inline={})
    with pytest.raises(PlatformUnavailableError):
        client.commit("job-1", "train", "lease-1", commit)


def test_a_part_is_streamed_from_its_file(wire, client: PlatformClient, tmp_path: Path) -> None:
    file = tmp_path / "part-0.npz"
    file.write_bytes(b"0123456789")
    wire.put(f"{URL}/v1/jobs/job-1/parts/{'a' * 64}", json={"status": "accepted"})
    client.put_part(PART, FileSlice(file, 0, 10))
    request = wire.calls[0].request
    assert request.headers["Content-Length"] == "10"
    assert "Content-Range" not in request.headers
    assert b"".join(request.body) == b"0123456789"


def test_a_slice_says_where_it_belongs(wire, client: PlatformClient, tmp_path: Path) -> None:
    file = tmp_path / "part-0.npz"
    file.write_bytes(b"0123456789")
    wire.put(f"{URL}/v1/jobs/job-1/parts/{'a' * 64}", json={"status": "accepted", "have": 7})
    assert client.put_slice(PART, FileSlice(file, 4, 7), 10) == 7
    request = wire.calls[0].request
    assert request.headers["Content-Range"] == "bytes 4-6/10"
    assert request.headers["Content-Length"] == "3"
    assert b"".join(request.body) == b"456"


def test_what_is_there_of_a_part_is_asked_with_an_empty_body(wire, client: PlatformClient) -> None:
    wire.put(f"{URL}/v1/jobs/job-1/parts/{'a' * 64}", json={"status": "accepted", "have": 3})
    assert client.ask_part(PART, 10) == 3
    request = wire.calls[0].request
    assert request.headers["Content-Range"] == "bytes */10"
    assert request.headers["Content-Length"] == "0"


def test_a_file_that_became_shorter_is_no_whole_body(tmp_path: Path) -> None:
    """The platform would wait for the rest."""
    file = tmp_path / "part-0.npz"
    file.write_bytes(b"0123")
    with pytest.raises(OSError, match="ends 6 bytes early"):
        list(FileSlice(file, 0, 10))


class TestReach:
    """What is told of an outage is about the platform, not about whatever answers in its place."""

    CALL = f"{URL}/v1/claims"

    def claim(self, client: PlatformClient) -> None:
        with suppress(PlatformError):
            client.claim(CLAIM)

    def test_a_page_of_a_proxy_is_no_answer(self, wire, client: PlatformClient) -> None:
        wire.post(self.CALL, status=502, body="<html>Bad gateway</html>")
        self.claim(client)
        assert client._reach.outage is not None

    @pytest.mark.parametrize("status", [204, 401])
    def test_an_answer_of_the_platform_ends_the_outage_be_it_a_refusal(
        self, wire, client: PlatformClient, status: int
    ) -> None:
        wire.post(self.CALL, status=502, body="<html>Bad gateway</html>")
        problem = {"type": "expired", "title": "t", "status": 401, "detail": "d"}
        wire.post(self.CALL, status=status, json=problem if status == 401 else None,
                  content_type="application/problem+json")  # fmt: skip
        self.claim(client)
        self.claim(client)
        assert client._reach.outage is None


def test_redirects_are_never_followed(wire, client: PlatformClient) -> None:
    """A redirect would carry the results to a host that nobody configured."""
    wire.post(f"{URL}/v1/claims", status=307, headers={"Location": "https://evil.example.org/"})
    with pytest.raises(PlatformUnavailableError, match="307"):
        client.claim(CLAIM)
    assert len(wire.calls) == 1


def test_an_answer_above_the_limit_is_no_answer(wire) -> None:
    wire.get(f"{URL}/big", body=b"x" * 2000)
    transport = HttpTransport(URL, {}, FakeClock())
    with pytest.raises(PlatformUnavailableError, match="larger than 1000 bytes"):
        transport.send(Request("GET", "/big", limit_bytes=1000))


def test_a_renewed_token_is_used_without_a_restart(wire) -> None:
    tokens = iter(["old", "new"])
    clock = FakeClock()
    client = PlatformClient(HttpTransport(URL, {}, clock), lambda: next(tokens), clock)
    for _ in range(2):
        wire.post(f"{URL}/v1/claims", status=204)
        client.claim(CLAIM)
    used = [call.request.headers["Authorization"] for call in wire.calls]
    assert used == ["Bearer old", "Bearer new"]


def test_a_refused_token_that_was_replaced_meanwhile_is_no_verdict(wire) -> None:
    """A poll is held with the old token: replacing it and revoking it must not end the agent."""
    tokens = iter(["old", "new", "new", "new"])
    clock = FakeClock()
    client = PlatformClient(HttpTransport(URL, {}, clock), lambda: next(tokens), clock)
    problem = {"type": "revoked", "title": "t", "status": 401}
    for expected in (PlatformUnavailableError, NotAuthorizedError):
        wire.post(
            f"{URL}/v1/claims", status=401, json=problem, content_type="application/problem+json"
        )
        with pytest.raises(expected):
            client.claim(CLAIM)


def test_an_operator_can_hold_the_view_of_an_experiment(wire) -> None:
    clock = FakeClock()
    operator = OperationClient(HttpTransport(URL, {}, clock), lambda: "t", clock)
    wire.get(f"{URL}/v1/experiments/digits", status=503)
    with pytest.raises(PlatformUnavailableError):
        operator.experiment("digits", after=4, wait_s=20)
    assert wire.calls[0].request.url.endswith("?after=4&wait_s=20")


def test_text_of_a_log_is_sent_with_its_position(wire, client: PlatformClient) -> None:
    wire.put(f"{URL}/v1/jobs/j1/log?attempt=2&offset=8", json={"have": 16})
    assert client.put_log("j1", "lease-1", 2, 8, b"epoch \xff\n") == 16
    request = wire.calls[0].request
    assert request.body == b"epoch \xff\n"
    assert request.headers["Alectio-Lease"] == "lease-1"


LOG_HEADERS = {"Alectio-Log-Attempt": "2", "Alectio-Log-Offset": "8", "Alectio-Log-Size": "30"}


def operator() -> OperationClient:
    return OperationClient(HttpTransport(URL, {}, FakeClock()), lambda: "t", FakeClock())


def test_a_log_is_read_with_its_place(wire) -> None:
    wire.get(
        f"{URL}/v1/experiments/digits/loops/3/log?offset=5&attempt=2",
        body=b"\xff text",
        headers=LOG_HEADERS,
        content_type="text/plain; charset=utf-8",
    )
    assert operator().loop_log("digits", 3, 2, 5) == LogText(2, 8, 30, b"\xff text")


@pytest.mark.parametrize("name", LOG_HEADERS)
@pytest.mark.parametrize("place", ["", "-1", "1e3", "9" * 30])
def test_a_text_without_its_place_is_no_answer_of_a_platform(wire, name: str, place: str) -> None:
    wire.get(
        f"{URL}/v1/experiments/digits/loops/3/log?offset=0",
        body=b"<html>",
        headers=LOG_HEADERS | {name: place},
        content_type="text/plain",
    )
    with pytest.raises(PlatformUnavailableError, match="not the platform's"):
        operator().loop_log("digits", 3)


def test_record_names_are_streamed_packed(wire, client: PlatformClient, tmp_path: Path) -> None:
    wire.put(f"{URL}/v1/agents/a1/names/{'d' * 64}", json={"status": "accepted"})
    (tmp_path / "packed").write_bytes(b"packed")
    client.put_names("a1", "d" * 64, tmp_path / "packed")
    request = wire.calls[0].request
    assert request.headers["Content-Encoding"] == "gzip"
    assert request.headers["Content-Length"] == "6"


REGISTRATION = Registration(
    installation_id="i1",
    boot=Boot(count=1, id="b1"),
    name="gpu01",
    version="1",
    pipelines=[],
)


def registered(lowest: int, highest: int) -> dict[str, object]:
    return {
        "agent_id": "agent-1",
        "platform_id": "platform-1",
        "lease_s": 90,
        "poll_wait_s": 20,
        "max_part_bytes": 100,
        "protocol": {"min": lowest, "max": highest},
    }


def test_a_platform_of_more_protocols_than_ours_is_fine(wire, client: PlatformClient) -> None:
    wire.post(f"{URL}/v1/agents", json=registered(1, 3))
    assert client.register(REGISTRATION).agent_id == "agent-1"


def test_a_platform_that_registers_whom_it_will_not_understand_is_named(
    wire, client: PlatformClient
) -> None:
    wire.post(f"{URL}/v1/agents", json=registered(2, 3))
    with pytest.raises(ProtocolMismatchError, match="protocols 2 to 3, this agent speaks 1"):
        client.register(REGISTRATION)
