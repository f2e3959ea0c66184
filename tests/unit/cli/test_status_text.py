"""A status in words, in 80 columns and fewer."""

from datetime import UTC, datetime

from alectio_agent.agent.service.control.status import (
    ContactStatus,
    OutboxStatus,
    PauseStatus,
    Status,
)
from alectio_agent.cli.status_text import status_line, status_rows

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
URL = "https://alectio.example.org"
ERROR = "Connection refused"


def status(**changes: object) -> Status:
    told: dict[str, object] = {
        "name": "gpu01", "is_running": True, "state": "idle", "version": "1.0.0",
        "installed": "1.0.0", "folder": "/state", "slots": 1, "platform": ContactStatus(url=URL),
        "outbox": OutboxStatus(),
    }  # fmt: skip
    return Status.model_validate({**told, **changes})


def silent(**changes: object) -> Status:
    platform = ContactStatus(
        url=URL,
        silent_since="2026-01-01T11:00:00Z",
        last_error=ERROR,
        last_error_at="2026-01-01T11:59:00Z",
    )
    why = f"{URL}: no answer to POST /v1/claims: {ERROR}"
    told = {"trouble": why, "failing": {"polls": why}, **changes}
    return status(platform=platform, **told)


def test_an_outage_is_told_once() -> None:
    rows = status_rows(silent(), NOW, 80)
    said = " ".join(" ".join(rows).split())
    assert f"{URL}; no answer for 1 h 0 min: {ERROR}" in said
    assert said.count(ERROR) == 1


def test_what_fails_beside_an_outage_is_told() -> None:
    rows = status_rows(silent(failing={"egress record": "No space left on device"}), NOW, 80)
    assert "  failing     egress record: No space left on device" in rows


def test_trouble_with_a_platform_that_answers_is_told() -> None:
    refused = f"the platform refuses the token: {ERROR}"
    assert f"  trouble     {refused}" in status_rows(status(trouble=refused), NOW, 80)


def test_no_command_is_torn_by_the_end_of_a_row() -> None:
    pause = PauseStatus(since="2026-01-01T11:00:00Z", until=None, note="a note of some words")
    for width in range(48, 80):
        rows = status_rows(status(paused=pause), NOW, width)
        assert max(map(len, rows)) <= width
        assert any("alectio-agent resume" in row for row in rows), width


def test_a_line_holds_what_counts_as_a_change() -> None:
    box = OutboxStatus(pending=1, pending_bytes=2048)
    assert status_line(silent(outbox=box)).startswith(
        "gpu01: idle; 1 result waits (2.0 KiB); platform unreachable"
    )
