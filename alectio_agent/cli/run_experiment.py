"""Which experiment a file is about, and how it begins, is changed, or goes on."""

import logging
from collections.abc import Sequence
from itertools import count

from pydantic import ValidationError

from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.core.errors import PlatformRejectedError, UsageError
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.operation import ExperimentView

log = logging.getLogger(__name__)

OVER = ("finished", "cancelled")


def pick_experiment(
    known: Sequence[ExperimentView], settings: ExperimentSettings, *, is_new: bool
) -> ExperimentSettings:
    """Find out which of NAME and what was made anew from it (NAME-2, NAME-3, ...) is meant.

    Args:
        known: All experiments of the hub, in the order in which they were made.
        settings: From `experiment.yaml`.
        is_new: A new one is wanted.

    Returns:
        The settings under that name: a free one when a new experiment is wanted; else the newest
        that has these settings; else the newest.

    Raises:
        UsageError: No further name fits.
    """
    series = [view for view in known if settings.name in (view.name, view.series)]
    if is_new and series:
        return _renamed(settings, _free_name(settings.name, {view.name for view in known}))
    alike = [view for view in series if _renamed(settings, view.name) == view.settings]
    newest = (alike or series)[-1:]
    return _renamed(settings, newest[0].name) if newest else settings


def finished_already(
    known: Sequence[ExperimentView], settings: ExperimentSettings
) -> ExperimentView | None:
    """The experiment, when it has ended with just these settings, and its control with it.

    Args:
        known: All experiments of the hub.
        settings: Under the name that is meant.
    """
    named = {found.name: found for found in known}
    view = named.get(settings.name)
    if view is None or view.state not in OVER or view.settings != settings:
        return None
    return view if view.control is None or named[view.control].state in OVER else None


def make_experiment(
    operator: OperationClient,
    settings: ExperimentSettings,
    series: str,
    *,
    is_update: bool,
    command: str,
) -> ExperimentView:
    """Make the experiment, or find it as it is.

    Args:
        operator: Client of the hub.
        settings: Under the name that is meant.
        series: The name in the file.
        is_update: It exists, and settings that changed take effect.
        command: That takes `--update` and `--new`, for the mend.

    Returns:
        The experiment.

    Raises:
        UsageError: The hub refuses: the settings changed, or cannot change like this.
    """
    try:
        if is_update:
            return operator.update_experiment(settings)
        return operator.create_experiment(settings, series if series != settings.name else None)
    except PlatformRejectedError as error:
        if error.problem == "unsupported-protocol":
            raise
        raise UsageError(
            error.message, hint=_hint(error, settings, command), code=error.code
        ) from error


def retry_waiting(operator: OperationClient, view: ExperimentView) -> None:
    """Try again what waits for a person: whoever types `run` says so.

    Args:
        operator: Client of the hub.
        view: The experiment; its control is looked at too.
    """
    for name in filter(None, (view.name, view.control)):
        if operator.experiment(name).state == "waiting":
            log.info("%s waited for a person: trying its last step again", name)
            operator.retry_experiment(name)


def _free_name(name: str, taken: set[str]) -> str:
    return next(again for n in count(2) if (again := f"{name}-{n}") not in taken)


def _renamed(settings: ExperimentSettings, name: str) -> ExperimentSettings:
    if name == settings.name:
        return settings
    try:
        return ExperimentSettings.model_validate({**settings.model_dump(), "name": name})
    except ValidationError as error:
        raise UsageError(
            f"`{name}` is too long for an experiment (and its control)",
            hint="Give experiment.yaml a shorter name.",
            code="E-EXP-05",
        ) from error


def _hint(error: PlatformRejectedError, settings: ExperimentSettings, command: str) -> str:
    afresh = f"Start afresh beside it: {command} --new"
    if error.code == "E-EXP-06" or error.detail.get("fixed"):
        return afresh
    if error.code != "E-EXP-03":
        return ""
    loop = error.detail.get("next_loop")
    has = error.detail.get("loops")
    if isinstance(loop, int) and loop >= settings.loops:
        if isinstance(has, int) and has > loop:  # somebody extended it
            return f"Go on with all its loops: write `loops: {has}` into experiment.yaml. {afresh}"
        return f"All its loops have run: raise `loops` to go on with the new values. {afresh}"
    at = f"from loop {loop}" if loop is not None else "from the next loop"
    return f"Go on with the new values {at}: {command} --update. {afresh}"
