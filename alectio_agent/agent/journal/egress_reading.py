"""Reads `egress.db` beside an agent, or of a dead one, and checks its chain."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.agent.journal.egress_rows import (
    ALL_COLUMNS,
    FILE,
    GENESIS,
    SCHEMA_NUMBER,
    EgressRow,
)
from alectio_agent.core.errors import StoreDamagedError
from alectio_agent.core.sqlite import Row, reading

PAGE = 2000
DAMAGED = (
    f"The next start keeps it as {FILE}.damaged-TIME, and begins another whose first row says so. "
    "Look at the disk: dmesg"
)
_ENTRIES = f"""
SELECT {ALL_COLUMNS}, hash,
    (SELECT text FROM rows AS o WHERE o.kind = 'outcome' AND o.of = rows.id) AS outcome
FROM rows WHERE id > :after AND kind != 'outcome' AND at >= :since
AND (:job = '' OR job = :job OR job LIKE :pattern ESCAPE '!')
ORDER BY id LIMIT {PAGE}
"""  # noqa: S608 - made of constants
_CHAIN = f"SELECT {ALL_COLUMNS}, hash FROM rows WHERE id > ? ORDER BY id LIMIT {PAGE}"  # noqa: S608


@dataclass(frozen=True)
class Entry:
    """Something that the record tells.

    Attributes:
        row: Of any kind but `outcome`.
        outcome: How a call ended; None when nobody wrote that down.
        digest: Hash of the row.
    """

    row: EgressRow
    outcome: str | None
    digest: bytes


@dataclass(frozen=True)
class Verdict:
    """What a look at the whole chain found.

    Attributes:
        rows: How many there are.
        broken: The first row that is not as it was written; None when all are.
        why: What is wrong with it.
        newest: The last row.
        digest: Its hash: who noted it somewhere else can tell whether rows were cut off since.
    """

    rows: int
    broken: int | None = None
    why: str = ""
    newest: int = 0
    digest: str = ""


class EgressReader:
    """One look at the record, as it was at one moment."""

    def __init__(self, run: Callable[..., list[Row]]) -> None:
        """Bind it.

        Args:
            run: Reads rows.
        """
        self._run = run
        run("BEGIN")  # what is pruned or written meanwhile is not seen

    def entries(self, since: str = "", job: str = "") -> Iterator[Entry]:
        """What was written down, oldest first.

        Args:
            since: From this moment on, as rows have it.
            job: Only calls about this job, or about jobs of this experiment.
        """
        escaped = job.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        asked = {"since": since, "job": job, "pattern": f"{escaped}/%", "after": 0}
        while page := self._run(_ENTRIES, asked):
            for row in page:
                yield Entry(EgressRow.of_row(row), row["outcome"], bytes(row["hash"]))
            asked["after"] = page[-1]["id"]

    def counting(self) -> list[Row]:
        """What was counted and has no row yet."""
        return self._run("SELECT * FROM counting ORDER BY hour")

    def newest(self) -> str:
        """When the last row was written; empty without any."""
        found = self._run("SELECT at FROM rows ORDER BY id DESC LIMIT 1")
        return str(found[0]["at"]) if found else ""

    def verify(self) -> Verdict:
        """Go through the whole chain."""
        first = self._run(_CHAIN, (0,))[:1]
        if not first:
            return Verdict(0, 1, "there is no row, and an agent begins with one")
        number = int(first[0]["id"])
        before = GENESIS if number == 1 else self._pruned_before(number)
        if before is None:
            return Verdict(0, number, "rows before it are gone, and no row says that they may be")
        seen, expected = 0, number
        while page := self._run(_CHAIN, (expected - 1,)):
            for raw in page:
                row, digest = EgressRow.of_row(raw), bytes(raw["hash"])
                if row.id != expected:
                    return Verdict(seen, expected, "it is gone")
                if row.digest(before) != digest:
                    return Verdict(seen, expected, "it is not what was written")
                before, seen, expected = digest, seen + 1, expected + 1
        return Verdict(seen, newest=expected - 1, digest=before.hex())

    def _pruned_before(self, number: int) -> bytes | None:
        """The hash of the row that was pruned last, when it is the one before this one."""
        found = self._run("SELECT sha256 FROM rows WHERE kind = 'pruned' AND of = ?", (number - 1,))
        try:
            return bytes.fromhex(found[-1]["sha256"]) if found else None
        except (TypeError, ValueError):
            return None


@contextmanager
def reading_egress(state_dir: Path) -> Iterator[EgressReader]:
    """Look into the record of an agent, and change nothing.

    Args:
        state_dir: The agent's; it has a record.

    Raises:
        StoreVersionError: A newer version wrote it.
        StoreDamagedError: It is torn, or no database.
        StoreError: It cannot be read.
    """
    file = state_dir / FILE
    try:
        with reading(file, SCHEMA_NUMBER) as run:
            yield EgressReader(run)
    except StoreDamagedError as error:
        raise StoreDamagedError(error.message, hint=DAMAGED) from error
