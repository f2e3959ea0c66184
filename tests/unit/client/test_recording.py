"""Each call is written down before it leaves; what cannot be is not sent."""

import hashlib
from pathlib import Path

import pytest
import responses

from alectio_agent.agent.client.endpoints import PartKey, PlatformClient
from alectio_agent.agent.client.field_names import field_names
from alectio_agent.agent.client.file_slice import FileSlice
from alectio_agent.agent.client.network import Network, Proxy
from alectio_agent.agent.client.reach import Reach
from alectio_agent.agent.client.recording import way_to
from alectio_agent.agent.client.traffic import Traffic
from alectio_agent.agent.client.transport import HttpTransport
from alectio_agent.agent.journal.outgoing import About, Way
from alectio_agent.core.errors import PlatformUnavailableError, StoreFullError
from alectio_agent.wire.claims import ClaimRequest, Refusal
from alectio_agent.wire.results import Heartbeat, JobFailure, Progress, StepCommit
from tests.support.claims import make_claim
from tests.support.clocks import FakeClock

URL = "https://platform.example.org"
PART = PartKey("job-1", "lease-1", hashlib.sha256(b"0123456789").hexdigest(), "infer")
CLAIM = ClaimRequest(agent_id="agent-1", boot="boot-1", seq=1, wait_s=20, free=["digits"])
FAILURE = JobFailure.of("oom", "m", "", step="train")


class FakeRecord:
    """Keeps what it is told; refuses when its disk is full."""

    def __init__(self) -> None:
        self.calls: list[tuple[About, Way, int, str]] = []
        self.outcomes: list[str] = []
        self.known: dict[str, str] = {}
        self.is_full = False

    def begin(self, about: About, way: Way, size_bytes: int, sha256: str) -> int:
        if self.is_full:
            raise StoreFullError("egress.db: no room")
        self.calls.append((about, way, size_bytes, sha256))
        return len(self.calls)

    def end(self, row: int, text: str) -> None:
        self.outcomes.append(text)

    def know(self, job_id: str, job: str) -> None:
        self.known[job_id] = job


class Bench:
    def __init__(self) -> None:
        clock = FakeClock()
        self.record, self.traffic, self.reach = FakeRecord(), Traffic(clock), Reach(clock)
        transport = HttpTransport(URL, {}, clock, self.traffic)
        self.client = PlatformClient(transport, lambda: "secret", clock, self.reach)
        transport.record = self.client.record = self.record


@pytest.fixture
def wire():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_call_is_on_record_with_size_and_digest_of_what_arrived(wire, bench: Bench) -> None:
    def arrived(_request):
        assert len(bench.record.calls) == 1, "written down before it leaves"
        return 200, {}, '{"status": "accepted"}'

    where = f"{URL}/v1/jobs/job-1/fail"
    wire.add_callback("POST", where, arrived, content_type="application/json")
    bench.client.fail("job-1", "lease-1", FAILURE)
    body = wire.calls[0].request.body
    about, way, size, digest = bench.record.calls[0]
    assert (about.call, about.job_id, about.step) == ("fail", "job-1", "train")
    assert (way.target, way.via) == (f"{URL}:443", None)
    assert (size, digest) == (len(body), hashlib.sha256(body).hexdigest())
    assert bench.record.outcomes == ["200"]


def test_what_cannot_be_written_down_does_not_leave(wire, bench: Bench) -> None:
    bench.record.is_full = True
    with pytest.raises(PlatformUnavailableError) as caught:
        bench.client.fail("job-1", "lease-1", FAILURE)
    assert (caught.value.code, caught.value.silence) == ("E-DISK-06", "unrecorded")
    assert not wire.calls
    assert bench.traffic.contact.reason == "", "the platform was not even asked"
    assert bench.reach.outage is None


@pytest.mark.parametrize(("status", "outcome"), [(409, "409"), (500, "500")])
def test_a_refusal_is_an_outcome(wire, bench: Bench, status: int, outcome: str) -> None:
    wire.post(f"{URL}/v1/jobs/job-1/fail", status=status, body="no")
    with pytest.raises(PlatformUnavailableError):
        bench.client.fail("job-1", "lease-1", FAILURE)
    assert bench.record.outcomes == [outcome]


def test_a_call_without_an_answer_says_of_which_kind(wire, bench: Bench) -> None:
    import requests

    wire.post(f"{URL}/v1/jobs/job-1/fail", body=requests.ConnectionError("nobody"))
    with pytest.raises(PlatformUnavailableError) as caught:
        bench.client.fail("job-1", "lease-1", FAILURE)
    assert bench.record.outcomes == [f"no answer: {caught.value.silence}"]


def test_pieces_of_files_have_the_digest_of_what_leaves(wire, bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "part"
    file.write_bytes(b"0123456789")
    where = f"{URL}/v1/jobs/job-1/parts/{PART.sha256}"
    wire.put(where, json={"status": "accepted"})
    wire.put(where, json={"status": "accepted", "have": 7})
    wire.put(f"{URL}/v1/agents/a/names/{PART.sha256}", json={"status": "accepted"})
    bench.client.put_part(PART, FileSlice(file, 0, 10))
    bench.client.put_slice(PART, FileSlice(file, 4, 7), 10)
    bench.client.put_names("a", PART.sha256, file)
    told = [(about.call, about.step, size, digest)
            for about, _, size, digest in bench.record.calls]  # fmt: skip
    assert told == [
        ("part", "infer", 10, PART.sha256),
        ("part", "infer", 3, hashlib.sha256(b"456").hexdigest()),
        ("names", "", 10, PART.sha256),
    ]


def test_a_poll_is_counted_and_a_refusal_has_a_row(wire, bench: Bench) -> None:
    wire.post(f"{URL}/v1/claims", json=make_claim().model_dump())
    bench.client.claim(CLAIM)
    bench.client.claim(CLAIM.model_copy(update={"refused": Refusal(seq=1, reason="no")}))
    poll, refusal = (about for about, *_ in bench.record.calls)
    assert (poll.call, poll.is_counted) == ("poll", True)
    assert (refusal.call, refusal.is_counted) == ("refuse", False)
    assert "refused.reason" in refusal.fields
    claim = make_claim()
    assert bench.record.known == {claim.job_id: claim.job}


def test_a_proxy_is_named_without_its_password() -> None:
    proxy = Proxy("http://proxy.example:3128", "proxy.url", "Basic secret")
    assert Network(proxy).proxy is proxy
    assert way_to("http://[::1]", proxy) == Way("http://[::1]:80", "http://proxy.example:3128")


class TestFieldNames:
    def test_names_are_those_of_the_wire_and_empty_ones_are_left_out(self) -> None:
        assert field_names(FAILURE) == ("key", "step", "class", "message")

    def test_keys_that_users_choose_are_no_names(self) -> None:
        beat = Heartbeat(step="train", progress=Progress(done=1, numbers={"patient Smith": 2}))
        assert field_names(beat) == ("step", "state", "progress.done", "progress.numbers")
        commit = StepCommit(key="k", media_type="m", rows=0)
        commit = commit.model_copy(update={"inline": {"labels": {"Smith": 1}, "Smith": 2}})
        assert [name for name in field_names(commit) if "inline" in name] == [
            "inline.labels", "inline.other",
        ]  # fmt: skip
