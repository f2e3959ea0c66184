"""What labels may look like in a file that people filled in."""

from typing import Any

import pytest

from alectio_agent.hub.experiments.label_values import LabelReader, LabelValueError
from alectio_agent.wire.experiment import ExperimentSettings


def read(said: Any, classes: int | list[str]) -> Any:
    settings = ExperimentSettings(name="toy", classes=classes, batch=5, loops=4)
    return LabelReader(settings).read(said)


@pytest.mark.parametrize("said", ["2", "2.0", "2.00", 2, 2.0])
def test_a_column_may_be_a_whole_float_as_pandas_writes_it(said: Any) -> None:
    found = read(said, 3)
    assert (found, type(found)) == (2, int)
    assert read(said, ["cat", "dog", "cow"]) == "cow"


@pytest.mark.parametrize("said", ["1.5", "3.0", "-1.0", "1.", "1e0", 1.5, 3.0, True])
def test_what_is_no_column_is_refused(said: Any) -> None:
    with pytest.raises(LabelValueError, match="expected a column number from 0 to 2"):
        read(said, 3)


def test_where_classes_are_called_by_numbers_a_float_is_such_a_name() -> None:
    """As the column 1 it would be the class `2`, and nobody would notice."""
    assert read("1.0", ["1", "2", "3"]) == "1"
    assert read("1.0", ["1", "1.0"]) == "1.0"
