"""Whether the arrays of a part are those that its step returns."""

from collections.abc import Sequence

from alectio_agent.core.errors import ProblemError
from alectio_agent.core.log import printable
from alectio_agent.hub.experiments.part_reading import Field

SCORES = ("logits", "pre_softmax", "softmax", "sigmoid")
"""Fields with a number for each class."""
TESTED = ("prediction", "label")
"""Fields of `test`."""
NUMBERS = "iuf"


def check_fields(where: str, fields: Sequence[Field], step: str, classes: int | None) -> None:
    """See whether a part has what its step returns.

    Args:
        where: Names the part.
        fields: Its arrays beside the index.
        step: Of the result.
        classes: Columns of a row of scores; None for tasks without.

    Raises:
        ProblemError: `invalid`: `test` without predictions or labels; scores that are no numbers,
            or of another width than there are classes.
    """
    names = {field.name for field in fields}
    if step == "test" and not names.issuperset(TESTED):
        raise ProblemError(
            "invalid", f"{where}: found {told(fields)}; expected `prediction` and `label`"
        )
    for field in fields:
        if field.name in SCORES:
            _check_scores(where, field, classes)


def told(fields: Sequence[Field]) -> str:
    """Arrays by name, type and shape of a row, for messages.

    Args:
        fields: Of a part.
    """
    each = [f"`{printable(field.name, 40)}` {field.kind} {field.row_shape}" for field in fields]
    return ", ".join(each[:8]) or "no field beside `index`"


def _check_scores(where: str, field: Field, classes: int | None) -> None:
    """Rows of scores have a column for each class; one will do for two classes."""
    if field.kind[1] not in NUMBERS:
        raise ProblemError(
            "invalid", f"{where}: `{field.name}` is of type {field.kind}; expected numbers"
        )
    if classes is None or len(field.row_shape) > 1:
        return
    width = field.row_shape[0] if field.row_shape else 1
    if width != classes and (width, classes) != (1, 2):
        raise ProblemError(
            "invalid",
            f"{where}: rows of `{field.name}` have {width} numbers; "
            f"the experiment has {classes} classes",
        )
