"""docs/configuration.md names every key of both files, and no other."""

import re

import pytest
from pydantic import BaseModel

from alectio_agent.config.kinds import Kind
from alectio_agent.config.settings import AgentFile
from alectio_agent.wire.experiment import ExperimentSettings
from tests.support.config_files import keys_of
from tests.support.pages import DOCS

PAGE = (DOCS / "configuration.md").read_text("utf-8")
ROW = re.compile(r"^\| `([^`]+)` \|(.*)\|$", re.M)


def rows_below(title: str) -> dict[str, str]:
    """The first table of a chapter: keys as models have them, and the rest of each row."""
    (chapter,) = re.findall(rf"^## `{title}`\n(.*?)(?=^#|\Z)", PAGE, re.M | re.S)
    return {re.sub(r"\.<\w+>", "", key): told for key, told in ROW.findall(chapter)}


@pytest.mark.parametrize(
    ("title", "model"), [("agent.yaml", AgentFile), ("experiment.yaml", ExperimentSettings)]
)
def test_every_key_has_a_row_or_stands_in_the_row_above_it(
    title: str, model: type[BaseModel]
) -> None:
    rows, keys = rows_below(title), keys_of(Kind.of(model))
    assert len(rows) > 20
    assert set(rows) - keys == set()
    for key in keys:
        is_section = any(row.startswith(f"{key}.") for row in rows)
        assert key in rows or is_section or is_named_above(key, rows), key


def is_named_above(key: str, rows: dict[str, str]) -> bool:
    """Whether the row of a part of the key speaks of its last word."""
    above, _, word = key.rpartition(".")
    while above and above not in rows:
        above = above.rpartition(".")[0]
    return re.search(rf"\b{word}\b", rows.get(above, "")) is not None
