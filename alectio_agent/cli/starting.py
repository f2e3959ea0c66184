"""A start of the agent in its own place: whether it would succeed, and the start itself."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from alectio_agent.agent.service.control.access import group_number
from alectio_agent.cli.options import Common
from alectio_agent.cli.run_wish import Wish
from alectio_agent.cli.settings import load_experiment_file
from alectio_agent.config.settings import AgentFile
from alectio_agent.config.token_file import read_token
from alectio_agent.core.errors import ControlError

ARGS_FD = "--args-fd"


def check_start(
    load: Callable[[Path | None], tuple[AgentFile, Path]], common: Common, wish: Wish
) -> None:
    """Read all files that a start reads, before a working agent is ended for it.

    Args:
        load: Reads the configuration.
        common: The options of this process, which the next one is given as well.
        wish: The same, of `run`.

    Raises:
        AlectioAgentError: What the start would end with.
    """
    settings, file = load(common.config)
    is_embedded = settings.platform.is_embedded
    wish.check(is_embedded=is_embedded)
    group_number(settings.agent.control_group)
    if settings.experiment is not None:
        load_experiment_file(settings.experiment, file)
    if not is_embedded:
        read_token(settings, os.environ)


def start_again(args: Mapping[str, Any]) -> NoReturn:
    """Become a new process of the same command line, with the same number and environment.

    Whatever started this process need not know: a service manager sees no end, and a new version
    that was installed meanwhile is taken.

    Args:
        args: What a script of the old SDK was given, in a file that has been read already.

    Raises:
        ControlError: The program is not there any more.
    """
    words = own_command(sys.orig_argv, args)
    # Until the new program has a handler, a hang-up would end it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execv(words[0], words)  # noqa: S606 - no shell is the point
    except OSError as error:
        raise ControlError(
            f"{words[0]}: could not start again: {error.strerror}",
            hint="The agent has ended. Start it: alectio-agent run",
        ) from error


def own_command(argv: list[str], args: Mapping[str, Any]) -> list[str]:
    """The command line of this process, for once more.

    Args:
        argv: As it was started, with the interpreter's own options.
        args: Handed over anew, when they came in a file.
    """
    words = argv[1:] if _names_interpreter(argv) else [sys.executable, *argv[1:]]
    end = words.index("--") if "--" in words else len(words)
    if ARGS_FD in words[:end]:
        from alectio_agent.cli.handover import inherited

        words[words.index(ARGS_FD) + 1] = str(inherited(args))
    return words


def _names_interpreter(argv: list[str]) -> bool:
    """Whether the kernel chose the interpreter, by the first line of a script.

    It is asked again then: an update may have given the command an environment of its own, beside
    the one that this process still runs from.
    """
    if len(argv) < 2 or not Path(argv[0]).is_absolute() or not os.access(argv[1], os.X_OK):
        return False
    try:
        with Path(argv[1]).open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False
