"""Each row of the egress record as a line of systemd's journal."""

import socket
from pathlib import Path

import pytest

from alectio_agent.agent.journal.journald import JournalLine


def test_a_row_is_one_datagram_with_a_fixed_prefix(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(path))
        line = JournalLine(path)
        line.send('{"id": 1}')
        said = journal.recv(4096).decode()
        line.close()
    assert said == 'PRIORITY=6\nSYSLOG_IDENTIFIER=alectio-agent\nMESSAGE=AUDIT {"id": 1}\n'


def test_a_journal_that_is_not_there_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    line = JournalLine(tmp_path / "socket")
    line.send("1")
    line.send("2")
    line.close()
    assert len(caplog.messages) == 1
    assert "audit.journald" in caplog.messages[0]
