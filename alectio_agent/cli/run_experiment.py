"""Which experiment a file is about, and how it begins, is changed, or goes on."""

import logging
import re

from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.core.errors import PlatformRejectedError, UsageError
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.operation import ExperimentView

log = logging.getLogger(__name__)

OVER = ("finished", "cancelled")
LONGEST_NAME = 64


def pick_experiment(
    operator: OperationClient, settings: ExperimentSettings, *, is_new: bool
) -> ExperimentSettings:
    """Find out which of NAME, NAME-2, NAME-3, ... is meant.

    Args:
        operator: Client of the hub.
        settings: From `experiment.yaml`.
        is_new: A new one is wanted.

    Returns:
        The settings under that name: a free one when a new experiment is wanted; else the newest
        that has these settings; else the newest.

    Raises:
        UsageError: No further name fits into 64 letters.
    """
    family = _family(operator, settings.name)
    if is_new and family:
        return _renamed(settings, f"{settings.name}-{max(family) + 1}")
    alike = [at for at in family if _renamed(settings, family[at].name) == family[at].settings]
    newest = max(alike or family, default=1)
    return settings if newest == 1 else _renamed(settings, family[newest].name)


def finished_already(
    operator: OperationClient, settings: ExperimentSettings
) -> ExperimentView | None:
    """The experiment, when it has ended with just these settings, and its control with it.

    Args:
        operator: Client of the hub.
        settings: Under the name that is meant.
    """
    known = {found.name: found for found in operator.experiments().experiments}
    view = known.get(settings.name)
    if view is None or view.state not in OVER or view.settings != settings:
        return None
    return view if view.control is None or known[view.control].state in OVER else None


def make_experiment(
    operator: OperationClient, settings: ExperimentSettings, *, may_update: bool, command: str
) -> ExperimentView:
    """Make the experiment, or find it as it is.

    Args:
        operator: Client of the hub.
        settings: Under the name that is meant.
        may_update: Settings that changed take effect.
        command: That takes `--update` and `--new`, for the mend.

    Returns:
        The experiment.

    Raises:
        UsageError: The hub refuses: the settings changed, or cannot change like this.
    """
    try:
        if may_update and _exists(operator, settings.name):
            return operator.update_experiment(settings)
        return operator.create_experiment(settings)
    except PlatformRejectedError as error:
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


def _family(operator: OperationClient, name: str) -> dict[int, ExperimentView]:
    """Number to the experiment of that number; the first one has no number in its name."""
    pattern = re.compile(rf"{re.escape(name)}(?:-([2-9]|[1-9]\d+))?")
    found = {}
    for view in operator.experiments().experiments:
        match = pattern.fullmatch(view.name)
        if match and view.control_of is None:
            found[int(match[1] or 1)] = view
    return found


def _renamed(settings: ExperimentSettings, name: str) -> ExperimentSettings:
    if len(name) > LONGEST_NAME:
        raise UsageError(
            f"`{name}` has {len(name)} letters; expected at most {LONGEST_NAME}",
            hint="Give experiment.yaml a shorter name.",
            code="E-EXP-05",
        )
    return settings.model_copy(update={"name": name})


def _exists(operator: OperationClient, name: str) -> bool:
    return any(found.name == name for found in operator.experiments().experiments)


def _hint(error: PlatformRejectedError, settings: ExperimentSettings, command: str) -> str:
    afresh = f"Start afresh beside it: {command} --new"
    if error.code == "E-EXP-06" or error.detail.get("fixed"):
        return afresh
    if error.code != "E-EXP-03":
        return ""
    loop = error.detail.get("next_loop")
    if isinstance(loop, int) and loop >= settings.loops:
        return f"All its loops have run: raise `loops` to go on with the new values. {afresh}"
    at = f"from loop {loop}" if loop is not None else "from the next loop"
    return f"Go on with the new values {at}: {command} --update. {afresh}"
