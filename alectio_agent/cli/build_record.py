"""Builds the record of what leaves the site."""

import json

from alectio_agent.agent.jobs.disk_trouble import DiskTrouble
from alectio_agent.agent.journal.egress import EgressRecord
from alectio_agent.agent.journal.egress_rows import COLUMNS, EgressRow
from alectio_agent.agent.journal.identity import Identity
from alectio_agent.agent.journal.journald import JournalLine
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import Clock

RECORD = "the record of what leaves"


def open_record(settings: AgentFile, identity: Identity, clock: Clock) -> EgressRecord:
    """Open `egress.db` for this life of the agent.

    Args:
        settings: The agent's.
        identity: Which life it is.
        clock: For the times of rows.

    Raises:
        StoreVersionError: A newer version wrote it.
        StoreError: It cannot be written.
    """
    journal = JournalLine() if settings.audit.journald else None
    return EgressRecord(
        settings.agent.state_dir,
        clock,
        settings.audit.keep,
        f"boot {identity.boot.count}",
        None if journal is None else lambda row, digest: journal.send(journal_line(row, digest)),
    )


def bind_record(record: EgressRecord, trouble: DiskTrouble) -> None:
    """Let the agent know when nothing may leave, since it cannot be written down.

    Args:
        record: Opened.
        trouble: Says so, and keeps the agent from asking for jobs.
    """
    # Results wait for it, and make room once they are delivered: what is set aside may be given up.
    record.on_trouble = lambda error: trouble.met(RECORD, error, after_work=True)
    record.on_fine = lambda: trouble.over(RECORD)


def journal_line(row: EgressRow, digest: bytes) -> str:
    """A row as the journal of systemd gets it.

    Args:
        row: Just written.
        digest: Its hash.

    Returns:
        JSON without a line break.
    """
    told = dict(zip(COLUMNS, row.values, strict=True)) | {"hash": digest.hex()}
    return json.dumps({name: value for name, value in told.items() if value is not None})
