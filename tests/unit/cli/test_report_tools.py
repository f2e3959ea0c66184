"""Pages on disk."""

from pathlib import Path

import pytest

from alectio_agent.cli.report_tools import write_page
from alectio_agent.core.errors import StoreError


def test_a_page_that_cannot_be_written_is_named_as_it_was_typed() -> None:
    """Nobody has heard of the temporary file."""
    with pytest.raises(StoreError) as caught:
        write_page(Path("/proc/x.html"), b"page")
    assert caught.value.message.startswith("/proc/x.html: ")
