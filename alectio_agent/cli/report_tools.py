"""What `experiment report` and `experiment compare` share: documents, and pages on disk."""

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alectio_agent.core.errors import ConfigError, PlatformRejectedError, StoreError, UsageError
from alectio_agent.core.hub_packages import hub_wish

if TYPE_CHECKING:
    from alectio_agent.agent.client.operation import OperationClient
    from alectio_agent.report.page import Told
    from alectio_agent.report.siblings import Run
    from alectio_agent.wire.operation import ExperimentView

NEEDED = ("jinja2", "plotly")
LOOKED_AT = 1000
"""Characters at the start of a file that tell whether it is one of our pages."""


def check_extra() -> None:
    """Make sure that pages can be made here.

    Raises:
        ConfigError: Something is missing that the extra `hub` brings.
    """
    missing = [module for module in NEEDED if find_spec(module) is None]
    if missing:
        raise ConfigError(
            f"pages are made with {' and '.join(missing)}, which the agent alone comes without",
            hint=hub_wish(),
            code="E-USE-03",
        )


def known_experiment(operator: "OperationClient", name: str) -> "ExperimentView":
    """An experiment of the hub.

    Args:
        operator: Client of the hub.
        name: As it was typed.

    Returns:
        Its view.

    Raises:
        UsageError: There is none; the nearest name is told.
    """
    from alectio_agent.core.nearest import nearest

    try:
        return operator.experiment(name)
    except PlatformRejectedError as error:
        if error.problem != "not-found":
            raise
        near = nearest(name, [view.name for view in operator.experiments().experiments])
        meant = f"Did you mean `{near}`? " if near else ""
        raise UsageError(
            error.message,
            hint=f"{meant}Those that there are: alectio-agent experiment list",
            code="E-EXP-01",
        ) from error


def told_by_hub(
    operator: "OperationClient", view: "ExperimentView", *, has_siblings: bool = False
) -> "Told":
    """All that a hub keeps of an experiment, and of those that it is shown with.

    Args:
        operator: Client of the hub.
        view: Of the experiment.
        has_siblings: Ask for the same with other seeds too.
    """
    from alectio_agent.report.page import Told
    from alectio_agent.report.siblings import sibling_names

    control = operator.history(view.control) if view.control else None
    siblings: list[dict[str, Any]] = []
    if has_siblings:
        known = reversed(operator.experiments().experiments)
        names = sibling_names(view.name, map(_run, known))
        siblings = [dict(operator.history(name)) for name in names]
    return Told(dict(operator.history(view.name)), control, siblings)


def _run(view: "ExperimentView") -> "Run":
    from alectio_agent.report.siblings import Run

    return Run(
        name=view.name,
        settings=view.settings.model_dump(mode="json"),
        is_control=view.control_of is not None,
        is_cancelled=view.state == "cancelled",
    )


def check_writable(file: Path) -> None:
    """Refuse to overwrite what is no page of ours.

    Args:
        file: Will be written.

    Raises:
        UsageError: Something else has this name.
        StoreError: It cannot be looked at.
    """
    try:
        if file.is_dir():
            raise UsageError(f"{file}: a folder; expected a file", code="E-EXP-11")
        if not file.exists():
            return
        with file.open(encoding="utf-8", errors="replace") as opened:
            start = opened.read(LOOKED_AT)
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror or error}") from error
    if start.strip() and '<meta name="generator" content="alectio-agent">' not in start:
        raise UsageError(
            f"{file}: there already, and no page of alectio-agent. Nothing was written",
            hint="Write elsewhere: --output FILE.",
            code="E-EXP-11",
        )


def write_page(file: Path, content: bytes) -> None:
    """Write a page, whole or not at all.

    Args:
        file: Where; folders that are missing are made.
        content: HTML.

    Raises:
        StoreError: It cannot be written.
    """
    temporary = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(file)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        named = file if error.filename == str(temporary) else error.filename or file
        raise StoreError(f"{named}: {error.strerror or error}") from error


def show_page(file: Path) -> None:
    """Open a page in the browser of this machine, if there is one.

    Args:
        file: The page.
    """
    import webbrowser

    from alectio_agent.cli.screen import say

    if not webbrowser.open(file.resolve().as_uri()):
        say(f"no browser was found here; open it yourself: {file}")
