"""The hook process goes before the agent when memory runs out."""

from pathlib import Path

import pytest

from alectio_agent.agent.hooks.child.guard import be_first_in_line


@pytest.mark.parametrize(
    ("agents", "own"), [("0", "500"), ("-900", "500"), ("200", "700"), ("900", "1000")]
)
def test_its_score_is_above_the_agents_and_at_least_500(
    tmp_path: Path, agents: str, own: str
) -> None:
    """A container or a unit may have given the agent a score of its own."""
    file = tmp_path / "oom_score_adj"
    file.write_text(f"{agents}\n")
    be_first_in_line(file)
    assert file.read_text() == own
