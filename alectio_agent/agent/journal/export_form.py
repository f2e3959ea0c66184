"""The file that carries results over an air gap: what stands in it, and how it is sealed.

A tar archive: `export.json`, then the parts of all results, then `SHA256`, the digest of every byte
before it. Whoever wants to look can unpack it with `tar`. The end of the file follows from that
digest, so that no bit of the file can change unnoticed.
"""

import hashlib
import io
import json
import tarfile
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from alectio_agent.wire.claims import Claim
from alectio_agent.wire.names import Digest, Id

SCHEMA: Literal[1] = 1
INDEX, SEAL = "export.json", "SHA256"
BLOCK = tarfile.BLOCKSIZE
SEAL_BYTES = 4 * BLOCK
"""Header, digest, and the two empty blocks that end an archive."""


class _Carried(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CarriedFile(_Carried):
    """A part of a result.

    Attributes:
        name: In the result's folder.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    sha256: Digest
    bytes: int = Field(ge=1)


class CarriedMessage(_Carried):
    """A result or a failure, as its agent would send it.

    Attributes:
        body: JSON text of the manifest, or of the failure.
    """

    key: Id
    kind: Literal["commit", "fail"]
    lease: Id
    job: str
    step: Literal["train", "test", "infer"] | None
    body: str
    files: list[CarriedFile]


class Export(_Carried):
    """`export.json`.

    Attributes:
        agent: Name of the agent, for people.
        platform_id: Where the results have to go, and nowhere else.
        claims: Of the attempts, without samples.
        messages: In the order in which they have to arrive.
    """

    format: Literal["alectio-agent-results"] = "alectio-agent-results"
    schema_number: Literal[1] = SCHEMA
    agent: str
    installation_id: str
    platform_id: Id
    created_at: str
    claims: list[Claim]
    messages: list[CarriedMessage]


class CarriedVerdict(_Carried):
    """What the platform said of one message."""

    key: Id
    outcome: Literal["accepted", "superseded", "refused"]
    reason: str = ""


class ReceiptBody(_Carried):
    """What a receipt says.

    Attributes:
        export_sha256: Of the whole file that was delivered.
    """

    format: Literal["alectio-agent-receipt"] = "alectio-agent-receipt"
    schema_number: Literal[1] = SCHEMA
    agent: str
    installation_id: str
    platform_id: Id
    export_sha256: Digest
    created_at: str
    verdicts: list[CarriedVerdict]


class Receipt(_Carried):
    """The file that goes back.

    Attributes:
        sha256: Of the body, as `seal_of` writes it.
    """

    body: ReceiptBody
    sha256: Digest


def seal_of(body: ReceiptBody) -> str:
    """The digest of a receipt's body.

    Args:
        body: Of the receipt.
    """
    text = json.dumps(body.model_dump(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def member_head(name: str, size_bytes: int) -> bytes:
    """What stands before a file in the archive; the same for the same file, always.

    Args:
        name: In the archive.
        size_bytes: Of the file.
    """
    member = tarfile.TarInfo(name)
    member.size, member.mode = size_bytes, 0o600
    return member.tobuf(tarfile.GNU_FORMAT)


def padding(size_bytes: int) -> bytes:
    """What stands behind a file in the archive.

    Args:
        size_bytes: Of the file.
    """
    return bytes(-size_bytes % BLOCK)


def seal(sha256: str) -> bytes:
    """The end of an archive.

    Args:
        sha256: Of everything before it.
    """
    sealed = io.BytesIO()
    content = f"{sha256}\n".encode()
    sealed.write(member_head(SEAL, len(content)) + content + padding(len(content)))
    sealed.write(bytes(2 * BLOCK))
    return sealed.getvalue()
