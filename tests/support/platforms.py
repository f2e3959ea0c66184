"""A platform in memory, as the agent's loops see it through their client."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alectio_agent.agent.client.endpoints import PartKey
from alectio_agent.agent.client.file_slice import FileSlice
from alectio_agent.core.errors import PlatformUnavailableError
from alectio_agent.wire.agents import Registered, Registration
from alectio_agent.wire.claims import Claim, ClaimRequest
from alectio_agent.wire.results import Heartbeat, HeartbeatAnswer, JobFailure, StepCommit
from tests.support.claims import PLATFORM


class FakePlatform:
    """Stands in for `PlatformClient`; `say` makes the next calls raise or answer otherwise."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.registrations: list[Registration] = []
        self.claims: list[Claim] = []
        self._said: dict[str, list[Any]] = {}

    def say(self, call: str, *answers: Any) -> None:
        """Answers of the next calls of that name; an exception is raised, a callable called."""
        self._said.setdefault(call, []).extend(answers)

    def go_away(self, *calls: str) -> None:
        """Do not answer the next call of each name."""
        for call in calls:
            self.say(call, PlatformUnavailableError("no answer"))

    def register(self, registration: Registration) -> Registered:
        self.registrations.append(registration)
        return self._answer(
            "register",
            Registered.model_validate(
                {
                    "agent_id": "agent-1",
                    "platform_id": PLATFORM,
                    "lease_s": 90,
                    "poll_wait_s": 20,
                    "max_part_bytes": 2**26,
                    "protocol": {"min": 1, "max": 1},
                }
            ),
        )

    def leave(self, agent_id: str) -> None:
        self._answer("leave", None, agent_id)

    def claim(self, request: ClaimRequest) -> Claim | float | None:
        usual = self.claims.pop(0) if self.claims and "claim" not in self._said else None
        return self._answer("claim", usual, request)

    def beat(self, job_id: str, lease: str, heartbeat: Heartbeat) -> HeartbeatAnswer:
        return self._answer("beat", HeartbeatAnswer(cancel=None), lease, heartbeat.state)

    def put_part(self, part: PartKey, file: FileSlice) -> None:
        self._answer("put_part", None, part.sha256)

    def put_slice(self, part: PartKey, piece: FileSlice, total: int) -> int:
        return self._answer("put_slice", piece.stop, part.sha256, piece.start, piece.stop, total)

    def ask_part(self, part: PartKey, total: int) -> int:
        return self._answer("ask_part", 0, part.sha256)

    def commit(self, job_id: str, step: str, lease: str, commit: StepCommit) -> None:
        self._answer("commit", None, step, commit.key)

    def fail(self, job_id: str, lease: str, failure: JobFailure) -> None:
        self._answer("fail", None, failure.failure_class, failure.message)

    def put_log(self, job_id: str, lease: str, attempt: int, offset: int, text: bytes) -> int:
        return self._answer("put_log", offset + len(text), lease, attempt, offset, text)

    def put_names(self, agent_id: str, digest: str, packed: Path) -> None:
        self._answer("put_names", None, agent_id, digest, gzip.decompress(packed.read_bytes()))

    def _answer(self, call: str, usual: Any, *told: Any) -> Any:
        self.calls.append((call, *told))
        queue = self._said.get(call)
        answer = queue.pop(0) if queue else usual
        if not queue:
            self._said.pop(call, None)
        if isinstance(answer, Exception):
            raise answer
        return answer() if isinstance(answer, Callable) else answer  # type: ignore[arg-type]
