"""Whether there is a state folder of an agent that this user may look into."""

from pathlib import Path

from alectio_agent.core.errors import ControlDeniedError, UsageError


def check_sight(folder: Path) -> None:
    """Refuse a user who may not look; members of a control group may pass, and see nothing.

    Args:
        folder: A state folder; may be missing.

    Raises:
        ControlDeniedError: It belongs to another user.
    """
    try:
        if folder.is_dir():
            next(folder.iterdir(), None)
    except PermissionError as error:
        raise ControlDeniedError(
            f"{folder}: this user may not look into the state folder",
            hint="Run the command as the user that the agent runs as: sudo -u USER alectio-agent "
            "...",
        ) from error


def never_worked(
    folder: Path, hint: str = "Is it the right configuration? Name it: --config PATH"
) -> UsageError:
    """What to say where no agent has worked.

    Args:
        folder: That was looked into.
        hint: The mend.
    """
    return UsageError(
        f"{folder}: no agent has worked in this state folder", hint=hint, code="E-USE-02"
    )
