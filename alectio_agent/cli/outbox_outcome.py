"""What `outbox export` and `outbox import` print for programs."""

from pydantic import BaseModel, ConfigDict


class Exported(BaseModel):
    """What was written.

    Attributes:
        file: Null when there was nothing to write.
        sha256: Of the file; empty without one.
        messages: Results and failures in it.
        size_bytes: Of the file; 0 without one.
        left_out: Results that are not in it since their files are broken, and why.
    """

    model_config = ConfigDict(frozen=True)

    file: str | None
    sha256: str
    messages: int
    size_bytes: int
    left_out: list[str]


class Imported(BaseModel):
    """What was delivered, or taken from a receipt.

    Attributes:
        receipt: The file that was written, or read.
        platform_id: Of the platform that gave the verdicts.
        sha256: Of the results that they are about.
        accepted: Messages that the platform has.
        superseded: Of those another attempt counted.
        refused: For good.
        noted: From a receipt: how many were news here; null when results were delivered.
    """

    model_config = ConfigDict(frozen=True)

    receipt: str
    platform_id: str
    sha256: str
    accepted: int
    superseded: int
    refused: int
    noted: int | None
