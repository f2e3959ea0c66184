"""An agent in plain HTTP calls: registers, claims, beats, delivers what a model would."""

from typing import Any

from requests import Response

from tests.support.hub_process import Hub


class HubAgent:
    """Works for a hub process, one call at a time."""

    def __init__(
        self, hub: Hub, name: str = "gpu01", pipeline: str = "digits", **said: Any
    ) -> None:
        self.hub = hub
        self.seq = 0
        self.boot_count = 1
        self.pipeline = pipeline
        self._said = {
            "installation_id": f"installation-of-{abs(hash(name))}",
            "name": name,
            "version": "1",
            "pipelines": [{"name": pipeline, "pool_size": 40}],
            **said,
        }
        self.register()

    def register(self, *checkpoints: str, holding: tuple[str, ...] = ()) -> None:
        """Say who this is, and what it holds of the experiment `digits`."""
        body = {
            "boot": {"count": self.boot_count, "id": self.boot},
            "holding": holding,
            "checkpoints": [{"experiment": "digits", "name": name} for name in checkpoints],
        }
        answer = self.hub.call("POST", "/v1/agents", {**body, **self._said})
        assert answer.status_code == 200, answer.text
        self.agent_id = answer.json()["agent_id"]

    @property
    def boot(self) -> str:
        return f"boot-{self.boot_count}"

    def claim(self) -> dict[str, Any]:
        """The next job; waits for it."""
        answer = self.poll(wait_s=20)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        job: dict[str, Any] = answer.json()
        return job

    def poll(self, wait_s: float = 0) -> Response:
        """Ask for a job once; what comes is counted as claimed."""
        body = {"agent_id": self.agent_id, "boot": self.boot, "seq": self.seq + 1}
        asked = {**body, "wait_s": wait_s, "free": [self.pipeline]}
        answer = self.hub.call("POST", "/v1/claims", asked)
        self.seq += answer.status_code == 200
        return answer

    def beat(self, job: dict[str, Any], step: str = "train", **progress: Any) -> None:
        body = {"step": step, "progress": progress or None}
        self._settle(job, "POST", "heartbeat", body)

    def log(self, job: dict[str, Any], offset: int, text: bytes) -> None:
        """What the hooks printed."""
        path = f"log?attempt={job['attempt']}&offset={offset}"
        self._settle(job, "PUT", path, text)

    def deliver(self, job: dict[str, Any], *, upto: str = "infer") -> None:
        """The steps of a job, with classes that are told apart a little better each loop."""
        for order in job["steps"]:
            step, payload = order["step"], order["payload"]
            inline: dict[str, Any] = {"labels": None, "hyperparams": {"lr": 0.1}}
            indices: list[int] = []
            if step == "test":
                indices = list(range(20))
                right = 8 + 2 * int(job["job"].rsplit("/", 1)[1])
                inline = {"rows": [
                    [at, [at % 2 if at < right else (at + 1) % 2, at % 2]] for at in indices
                ]}  # fmt: skip
            elif step == "infer":
                indices = payload["unlabeled"]
                inline = {"rows": [[at, [at % 7 / 7, 0.5]] for at in indices]}
            body = {
                "key": f"{step}-{job['lease']}",
                "media_type": "application/json",
                "rows": len(indices),
                "inline": inline,
                "duration_s": 1.5,
                "started_at": "2026-01-01T00:00:00.000Z",
                "finished_at": "2026-01-01T00:00:05.000Z",
            }
            self._settle(job, "PUT", f"steps/{step}", body)
            if step == upto:
                return

    def fail(self, job: dict[str, Any], message: str, step: str = "train") -> None:
        body = {
            "key": f"fail-{job['lease']}", "step": step, "class": "user_code",
            "message": message, "traceback": "",
        }  # fmt: skip
        self._settle(job, "POST", "fail", body)

    def run_loop(self) -> None:
        job = self.claim()
        self.beat(job)
        self.deliver(job)

    def about(self, job: dict[str, Any], method: str, what: str, body: Any) -> Response:
        """One call about a job, with its lease."""
        path = f"/v1/jobs/{job['job_id']}/{what}"
        return self.hub.call(method, path, body, Alectio_Lease=job["lease"])

    def _settle(self, job: dict[str, Any], method: str, what: str, body: Any) -> None:
        answer = self.about(job, method, what, body)
        assert answer.status_code == 200, (answer.status_code, answer.text)


def create_experiment(hub: Hub, name: str = "digits", **changed: Any) -> None:
    """Make an experiment of two classes as the operator."""
    settings = {
        "name": name, "pipeline": "digits", "classes": 2, "batch": 4, "loops": 5, "pool": 40,
        "strategy": "random", **changed,
    }  # fmt: skip
    answer = hub.operate("POST", "/v1/experiments", {"settings": settings})
    assert answer.status_code == 200, answer.text
