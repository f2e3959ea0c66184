"""Which of the Pipelines that a script makes is meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Optional

from alectio_agent.agent.hooks.child.failures import LoadError
from alectio_agent.agent.hooks.child.standins import Pipeline

LONGEST = 64


@dataclass(frozen=True)
class Start:
    """How a script was started by itself.

    Attributes:
        module: Name that `python -m` was given; None for a file.
        line: Where the Pipeline was made that was called; None when no import meets it.
        nth: Which of those that this line makes, from 0 on.
    """

    module: Optional[str] = None
    line: Optional[int] = None
    nth: int = 0


def called(registered: Sequence[Pipeline], home: ModuleType, start: Start) -> Optional[Pipeline]:
    """The Pipeline that the started script called.

    Args:
        registered: Those that the import made.
        home: The script, imported.
        start: How it was started.

    Returns:
        None when the functions were named one by one.

    Raises:
        LoadError: The import did not make it: others must not take its place.
    """
    if start.line is None:
        return None
    place = (home.__name__, start.line)
    found = [each for each in registered if each.place == place]
    if start.nth < len(found):
        return found[start.nth]
    raise LoadError(
        "{}:{}: the Pipeline(...) of this line was called, but an import of the script does not "
        "make it: there `__name__` is {!r}. Expected a Pipeline at the top level, which every "
        'import makes, or one right under `if __name__ == "__main__":`'.format(
            home.__file__, start.line, home.__name__
        )
    )


def meant(registered: Sequence[Pipeline], source: str, name: str) -> Optional[Pipeline]:
    """The Pipeline that a pipeline of the configuration means.

    Args:
        registered: Those that the import made.
        source: What was imported, for messages.
        name: Of the pipeline in the configuration.

    Returns:
        The only one, or the one of that name; None when there is none at all.

    Raises:
        LoadError: There are several, and not one of that name.
    """
    if len(registered) <= 1:
        return registered[0] if registered else None
    found = [each for each in registered if _slug(each.name) == name]
    if len(found) == 1:
        return found[0]
    listed = ", ".join("{!r} (line {})".format(each.name, each.place[1]) for each in registered)
    raise LoadError(
        "{}: makes {} Pipelines, {}; expected one with the name of the pipeline, `{}`. Call the "
        "pipeline in agent.yaml like the one that is meant, or name the functions: hooks: "
        "{{script: main.py, train: fit, test: ...}}".format(source, len(registered), listed, name)
    )


def args_beside(
    registered: Sequence[Pipeline], functions: dict[str, Any], name: str
) -> dict[str, Any]:
    """The `args` of a script whose functions the configuration names one by one.

    Args:
        registered: The Pipelines that the import made.
        functions: By step.
        name: Of the pipeline in the configuration.

    Returns:
        Those of its only Pipeline, or of the one with that name or these functions; else none.
    """
    alike = [
        each for each in registered
        if all(each.functions.get(step) == found for step, found in functions.items())
    ]  # fmt: skip
    for found in (registered, [each for each in registered if _slug(each.name) == name], alike):
        if len(found) == 1:
            return found[0].args
    return {}


def _slug(text: Any) -> str:
    """As `alectio_agent.core.slug`, which this process does not have."""
    plain = unicodedata.normalize("NFKD", str(text or "")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9._]+", "-", plain.lower()).strip("-._")[:LONGEST].rstrip("-._")
