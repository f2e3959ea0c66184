"""A platform that takes parts as the wire says: whole or in slices, each a growing prefix."""

import hashlib
from typing import Any

from alectio_agent.agent.client.endpoints import PartKey
from alectio_agent.agent.client.file_slice import FileSlice
from alectio_agent.core.errors import PlatformRejectedError, PlatformUnavailableError


class PartPlatform:
    """Stands in for the calls of `PlatformClient` about parts.

    Attributes:
        limit_bytes: Of one body, as a proxy on the way has it; None for none.
        takes_s: What each byte costs on the clock, if there is one.
    """

    def __init__(self, clock: Any = None, byte_s: float = 0.0) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.begun: dict[str, bytes] = {}
        self.limit_bytes: int | None = None
        self.cut_after: int | None = None
        self.refusals: list[Exception] = []
        self._clock, self._byte_s = clock, byte_s

    def have(self, sha256: str) -> int:
        return len(self.begun.get(sha256, b""))

    def ask_part(self, part: PartKey, total: int) -> int:
        sha256 = part.sha256
        self.calls.append(("ask", sha256[:4]))
        self._refuse()
        return self.have(sha256)

    def put_part(self, part: PartKey, file: FileSlice) -> None:
        sha256 = part.sha256
        self.calls.append(("whole", sha256[:4], len(file)))
        content = self._receive(file)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise PlatformRejectedError("wrong digest", problem="invalid")
        self.begun[sha256] = content

    def put_slice(self, part: PartKey, piece: FileSlice, total: int) -> int:
        sha256 = part.sha256
        self.calls.append(("slice", sha256[:4], piece.start, piece.stop))
        have = self.have(sha256)
        content = self._receive(piece)
        if piece.start > have:
            missing = [{"sha256": sha256, "have": have}]
            raise PlatformRejectedError(
                "a gap", problem="parts-missing", detail={"missing": missing}
            )
        whole = self.begun.get(sha256, b"")[: piece.start] + content
        if len(whole) == total and hashlib.sha256(whole).hexdigest() != sha256:
            self.begun.pop(sha256, None)
            raise PlatformRejectedError("wrong digest", problem="invalid")
        self.begun[sha256] = whole
        return len(whole)

    def _receive(self, body: FileSlice) -> bytes:
        self._refuse()
        if self.limit_bytes is not None and len(body) > self.limit_bytes:
            raise PlatformUnavailableError("too large for the proxy", status=413)
        if self.cut_after == 0:
            self.cut_after = None
            raise PlatformUnavailableError("cut")
        if self.cut_after is not None:
            self.cut_after -= 1
        if self._clock is not None:
            self._clock.advance(len(body) * self._byte_s)
        try:
            return b"".join(body)
        except OSError as error:
            raise PlatformUnavailableError(str(error)) from error

    def _refuse(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
