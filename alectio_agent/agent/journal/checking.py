"""Whether `agent.db` can be used: looked at when an agent starts, before anything is changed."""

from collections.abc import Callable
from pathlib import Path

from alectio_agent.agent.journal.rows import SCHEMA_NUMBER, TABLES
from alectio_agent.core.errors import StoreDamagedError
from alectio_agent.core.sqlite import DAMAGED, Row, reading

_TORN_TEXTS = """
SELECT job FROM jobs WHERE state != 'closed' AND NOT json_valid(claim)
UNION ALL SELECT job FROM messages JOIN jobs USING (lease)
WHERE messages.state = 'pending' AND NOT json_valid(body) LIMIT 1
"""


def check_journal(file: Path) -> None:
    """Look at every page, and at the texts that will be needed.

    It only reads: a damaged file that is closed after writing would be changed by its log.

    Args:
        file: Exists.

    Raises:
        StoreVersionError: A newer version wrote it.
        StoreDamagedError: It was torn, or is another program's.
        StoreError: It cannot be read.
    """
    with reading(file, SCHEMA_NUMBER) as run:
        found = _trouble(run)
    if found:
        raise StoreDamagedError(f"{file}: {found}", hint=DAMAGED)


def _trouble(run: Callable[..., list[Row]]) -> str:
    pages = str(run("PRAGMA quick_check(1)")[0][0])
    if pages != "ok":
        return pages.splitlines()[-1]
    version = int(run("PRAGMA user_version")[0][0])
    tables = {row["name"] for row in run("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if version == 0:
        return "another program's database" if tables else ""
    if version < SCHEMA_NUMBER:
        return ""  # its texts are looked at by whoever brings it up to date
    if missing := TABLES - tables:
        return f"its tables are gone: {', '.join(sorted(missing))}"
    torn = run(_TORN_TEXTS)
    return f"what it holds of {torn[0]['job']} is torn" if torn else ""
