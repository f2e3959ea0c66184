"""Help fits a terminal of 80 columns and has no colours."""

import pytest
from click.testing import CliRunner

from alectio_agent.cli.main import main
from alectio_agent.cli.reference import all_commands

PATHS = [path for path, _ in all_commands()]


@pytest.mark.parametrize("path", PATHS)
def test_help_fits_80_columns_without_colour(path: str) -> None:
    shown = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"}).invoke(
        main, [*path.split()[1:], "--help"]
    )
    assert shown.exit_code == 0
    assert [line for line in shown.output.splitlines() if len(line) > 80] == []
    assert "\x1b" not in shown.output
