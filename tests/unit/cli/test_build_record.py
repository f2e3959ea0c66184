"""The record of what leaves, as the agent has it: who waits for it, and what the journal gets."""

import json
from pathlib import Path

from alectio_agent.agent.jobs.disk_trouble import DiskTrouble, Storage
from alectio_agent.agent.journal.egress import EgressRecord
from alectio_agent.agent.journal.egress_rows import EgressRow
from alectio_agent.agent.journal.reserve import Reserve
from alectio_agent.cli.build_record import RECORD, bind_record, journal_line
from alectio_agent.core.errors import StoreFullError
from tests.support.clocks import FakeClock


def test_while_nothing_can_be_written_down_no_job_is_asked_for(tmp_path: Path) -> None:
    """And what is set aside goes: delivered results are what makes room."""
    record = EgressRecord(tmp_path, FakeClock(), 1e6, "boot 1")
    reserve = Reserve(tmp_path)
    reserve.keep()
    trouble = DiskTrouble(Storage(tmp_path, reserve, lambda: None))
    bind_record(record, trouble)
    record.on_trouble(StoreFullError("egress.db: no room"))
    assert trouble.is_met_by(RECORD)
    assert "egress.db" in trouble.reason()
    assert not (tmp_path / "reserve").exists()
    record.on_fine()
    assert trouble.reason() == ""
    record.close()


def test_the_journal_gets_a_row_with_its_hash_as_one_line() -> None:
    row = EgressRow(3, "2026-01-01T00:00:00.000Z", "outcome", of=2, text="200\n")
    line = journal_line(row, b"\xab" * 32)
    assert "\n" not in line
    assert json.loads(line) == {
        "id": 3, "at": "2026-01-01T00:00:00.000Z", "kind": "outcome", "of": 2, "text": "200\n",
        "hash": "ab" * 32,
    }  # fmt: skip
