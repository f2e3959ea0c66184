"""What is written down of a call before it leaves, and who writes it."""

from dataclasses import dataclass
from typing import Protocol

from alectio_agent.agent.journal.egress_rows import COUNTED, Call


@dataclass(frozen=True)
class About:
    """What a request is.

    Attributes:
        job_id: Of the job that it is about; empty for none.
        step: Of the job; empty for none.
        fields: Names of the fields in the body, never values.
        samples: Rows of the result that it tells of; None when it tells of none.
        sha256: Of the body, where it is known without reading: that of a whole part.
    """

    call: Call
    job_id: str = ""
    step: str = ""
    fields: tuple[str, ...] = ()
    samples: int | None = None
    sha256: str = ""

    @property
    def is_counted(self) -> bool:
        """Whether it has no row of its own."""
        return self.call in COUNTED


@dataclass(frozen=True)
class Way:
    """Where requests go.

    Attributes:
        target: `scheme://host:port`.
        via: The proxy in between, in the same form; None without.
    """

    target: str
    via: str | None = None


class Record(Protocol):
    """Takes down what leaves the site; called from any thread."""

    def begin(self, about: About, way: Way, size_bytes: int, sha256: str) -> int:
        """Write down a call that is about to leave.

        Args:
            about: What it is.
            way: Where it goes.
            size_bytes: Of its body.
            sha256: Of its body; empty for a call that is only counted.

        Returns:
            Its row, for `end`; 0 for a call that is only counted.

        Raises:
            StoreUnavailableError: It could not be written down, and must not leave.
        """

    def end(self, row: int, text: str) -> None:
        """Write down how a call ended; does not fail.

        Args:
            row: From `begin`.
            text: A status, or why there was no answer.
        """

    def know(self, job_id: str, job: str) -> None:
        """Remember what people call a job.

        Args:
            job_id: As calls name it.
            job: `experiment/loop`.
        """


class Unrecorded:
    """For calls that are no agent's, and for agents of a simulation."""

    def begin(self, about: About, way: Way, size_bytes: int, sha256: str) -> int:
        """Write down nothing."""
        del about, way, size_bytes, sha256
        return 0

    def end(self, row: int, text: str) -> None:
        """Write down nothing."""

    def know(self, job_id: str, job: str) -> None:
        """Remember nothing."""
