"""Whether this user may look into the state folder of an agent."""

from pathlib import Path

from alectio_agent.core.errors import ControlDeniedError


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
