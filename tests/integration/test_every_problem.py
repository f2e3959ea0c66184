"""Each problem type of the closed list, as a real hub gives it, and as its page tells it."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from alectio_agent.wire.problem_notes import PROBLEM_NOTES
from alectio_agent.wire.problems import PROBLEM_TYPES
from tests.support.hub_agent import HubAgent, create_experiment
from tests.support.hub_process import listening_socket
from tests.support.hub_thread import ForwardClock, TalkedTo, hub_in_thread

STANDARD = {"type", "title", "status", "detail", "code"}
PART = {"sha256": hashlib.sha256(b"nothing").hexdigest(), "bytes": 7, "rows": 1}
TRAIN = {"key": "k1", "media_type": "application/json", "rows": 0, "inline": {}}


@dataclass(frozen=True)
class Scene:
    """An experiment of its own, with its own pipeline, on the hub of all."""

    hub: TalkedTo
    clock: ForwardClock
    name: str

    def agent(self, **said: Any) -> HubAgent:
        return HubAgent(self.hub, self.name, self.name, **said)

    def started(self) -> tuple[HubAgent, dict[str, Any]]:
        """An agent, and the job that it has started."""
        agent = self.agent()
        job = agent.claim()
        agent.beat(job)
        return agent, job

    def about(self, job: dict[str, Any], method: str, what: str, body: Any) -> requests.Response:
        path = f"/v1/jobs/{job['job_id']}/{what}"
        return self.hub.call(method, path, body, Alectio_Lease=job["lease"])

    def claim(self, agent_id: str, seq: int, boot: str = "boot-1") -> requests.Response:
        body = {"agent_id": agent_id, "boot": boot, "seq": seq, "wait_s": 0, "free": [self.name]}
        return self.hub.call("POST", "/v1/claims", body)

    def token(self, **said: Any) -> str:
        body = {"name": self.name, "scope": "viewer", **said}
        made: dict[str, str] = self.hub.operate("POST", "/v1/tokens", body).json()
        return made["token"]

    def platform(self, **said: Any) -> requests.Response:
        return self.hub.call("GET", "/v1/platform", **said)


def lease_lost(scene: Scene) -> requests.Response:
    _, job = scene.started()
    return scene.about({**job, "lease": "another"}, "POST", "heartbeat", {})


def job_closed(scene: Scene) -> requests.Response:
    agent, job = scene.started()
    agent.deliver(job)
    return scene.about(job, "PUT", f"parts/{PART['sha256']}", b"nothing")


def parts_missing(scene: Scene) -> requests.Response:
    _, job = scene.started()
    scene.about(job, "PUT", "steps/train", TRAIN)
    tested = {"key": "k2", "media_type": "application/x-npz", "rows": 1, "parts": [PART]}
    return scene.about(job, "PUT", "steps/test", tested)


def stale_seq(scene: Scene) -> requests.Response:
    agent = scene.agent()
    agent.seq = 1
    agent.claim()
    return scene.claim(agent.agent_id, seq=1)


def superseded_boot(scene: Scene) -> requests.Response:
    agent, _ = scene.started()
    scene.agent(boot={"count": 2, "id": "boot-2"})
    return scene.claim(agent.agent_id, seq=2)


def conflict(scene: Scene) -> requests.Response:
    settings = {
        "name": scene.name,
        "pipeline": scene.name,
        "classes": 3,
        "batch": 4,
        "loops": 5,
        "strategy": "margin",
    }
    return scene.hub.operate("POST", "/v1/experiments", {"settings": settings})


def invalid(scene: Scene) -> requests.Response:
    return scene.hub.call("POST", "/v1/claims", {"seq": "one"})


def key_reused(scene: Scene) -> requests.Response:
    _, job = scene.started()
    scene.about(job, "PUT", "steps/train", TRAIN)
    return scene.about(job, "PUT", "steps/train", {**TRAIN, "inline": {"hyperparams": {}}})


def unknown_agent(scene: Scene) -> requests.Response:
    return scene.claim("nobody", seq=1)


def not_found(scene: Scene) -> requests.Response:
    return scene.hub.operate("GET", "/v1/experiments/none")


def unauthorized(scene: Scene) -> requests.Response:
    return scene.platform(token="alt_wrong")


def expired(scene: Scene) -> requests.Response:
    token = scene.token(expires_s=60)
    scene.clock.advance(61)
    return scene.platform(token=token)


def revoked(scene: Scene) -> requests.Response:
    token = scene.token()
    scene.hub.operate("POST", f"/v1/tokens/{scene.name}/revoke")
    return scene.platform(token=token)


def forbidden(scene: Scene) -> requests.Response:
    return scene.hub.call("GET", "/v1/experiments")


def unsupported_protocol(scene: Scene) -> requests.Response:
    return scene.platform(Alectio_Protocol="2")


WAYS: dict[str, Callable[[Scene], requests.Response]] = {
    way.__name__.replace("_", "-"): way
    for way in (
        lease_lost, job_closed, parts_missing, stale_seq, superseded_boot, conflict, invalid,
        key_reused, unknown_agent, not_found, unauthorized, expired, revoked, forbidden,
        unsupported_protocol,
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TalkedTo, ForwardClock]]:
    with listening_socket() as listening:
        folder = tmp_path_factory.mktemp("problems") / "hub"
        with hub_in_thread(folder, listening) as clock:
            yield TalkedTo(f"http://127.0.0.1:{listening.getsockname()[1]}"), clock


def test_there_is_a_way_to_each_type() -> None:
    assert set(WAYS) == set(PROBLEM_TYPES)


@pytest.mark.parametrize("name", PROBLEM_TYPES)
def test_each_type_comes_as_it_is_documented(
    served: tuple[TalkedTo, ForwardClock], name: str
) -> None:
    scene = Scene(*served, name)
    create_experiment(scene.hub, name, pipeline=name)
    answer = WAYS[name](scene)
    kind, document = PROBLEM_TYPES[name], answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (document["type"], document["title"]) == (name, kind.title), document
    assert document["status"] == answer.status_code == kind.status
    assert document["detail"]
    assert document["code"].startswith("E-")
    told = set(PROBLEM_NOTES[name].members)
    assert set(document) - STANDARD <= told
    if name in ("parts-missing", "unsupported-protocol", "conflict"):
        assert set(document) - STANDARD == told
