"""Problem types: the closed list of verdicts that a platform can give (RFC 9457)."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, JsonValue


@dataclass(frozen=True)
class ProblemType:
    """One verdict.

    Attributes:
        name: The problem's `type`, a relative reference.
        status: The HTTP status it comes with.
        title: What it means, for people.
    """

    name: str
    status: int
    title: str


PROBLEM_TYPES = {
    entry.name: entry
    for entry in (
        ProblemType("lease-lost", 409, "another attempt counted, or the lease is unknown"),
        ProblemType("job-closed", 409, "the job is done or cancelled"),
        ProblemType("parts-missing", 409, "a commit names parts that have not arrived whole"),
        ProblemType("stale-seq", 409, "a claim with a lower number than the newest"),
        ProblemType("superseded-boot", 409, "another agent runs with this identity"),
        ProblemType("conflict", 409, "it exists already, or is in the wrong state for this verb"),
        ProblemType("invalid", 422, "the request breaks the protocol"),
        ProblemType("key-reused", 422, "the same key came with other content"),
        ProblemType("unknown-agent", 404, "this platform does not know the agent: register again"),
        ProblemType("not-found", 404, "no such experiment, job, agent or token"),
        ProblemType("unauthorized", 401, "the token is missing or wrong"),
        ProblemType("expired", 401, "the token has expired"),
        ProblemType("revoked", 401, "the token was revoked"),
        ProblemType("forbidden", 403, "the token's scope does not allow this"),
        ProblemType("unsupported-protocol", 426, "the two sides share no protocol number"),
    )
}  # fmt: skip


class Problem(BaseModel):
    """An `application/problem+json` document."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str = ""
    status: int = 0
    detail: str = ""

    def extra(self, name: str) -> JsonValue:
        """A further member of the document.

        Args:
            name: Such as `missing`.

        Returns:
            Its value, None when it is not there.
        """
        found: JsonValue = (self.model_extra or {}).get(name)
        return found
