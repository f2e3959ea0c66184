"""How it stands with the agent of a configuration, whether it runs or not."""

from pydantic import ValidationError

from alectio_agent.agent.journal.disk import is_at_work
from alectio_agent.agent.service.control.client import call
from alectio_agent.agent.service.control.protocol import OTHER_VERSION, Request
from alectio_agent.agent.service.control.status import Status
from alectio_agent.cli.dead_agent import status_of_folder
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import ControlDeniedError, ControlError, ControlWordsError

PATIENCE_S = 3.0
"""An agent that starts answers soon; one that hangs is told from its folder."""


def find_status(settings: AgentFile, clock: Clock) -> Status:
    """Ask the agent; where none answers, look into its folder.

    Args:
        settings: The agent's, as they are now.
        clock: For waiting.

    Raises:
        UsageError: No agent has ever worked there.
        ControlDeniedError: This user may neither ask nor look.
        ControlWordsError: The agent that runs is of another version and does not understand.
    """
    folder = settings.agent.state_dir
    try:
        with call(folder, Request(verb="status"), clock, PATIENCE_S) as made:
            if made is not None:
                return Status.model_validate(made.answer)
    except ValidationError as error:
        raise ControlWordsError(
            "the answer of the agent is not understood", hint=OTHER_VERSION
        ) from error
    except (ControlDeniedError, ControlWordsError):
        raise
    except ControlError:
        return status_of_folder(settings, is_running=is_at_work(folder))
    return status_of_folder(settings, is_running=False)
