"""The root command, and how errors end the process."""

import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import click
from click.exceptions import NoArgsIsHelpError

from alectio_agent.cli.lazy import LazyGroup
from alectio_agent.cli.options import Common, root_options
from alectio_agent.cli.screen import say, say_error
from alectio_agent.cli.streams import open_missing
from alectio_agent.core.errors import AlectioAgentError, ExitCode, StoppedError, UsageError


class _Root(LazyGroup):
    """Prints errors as messages with their code; a traceback only with `--debug`."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> NoReturn:
        """Run the command line and exit."""
        open_missing()
        words = list(sys.argv[1:] if args is None else args)
        options["standalone_mode"] = False
        try:
            ended = super().main(words, *rest, **options)
        except Exception as error:  # noqa: BLE001 - the top of the process: whatever it is, say it
            if _wants_traceback(words):
                traceback.print_exception(error)
            sys.exit(_say(error))
        sys.exit(ended if isinstance(ended, int) else ExitCode.CLEAN)


def _wants_traceback(words: list[str]) -> bool:
    """Whether `--debug` was given; it need not have been read when the command line is wrong."""
    own = words[: words.index("--")] if "--" in words else words
    return "--debug" in own


def _say(error: Exception) -> int:
    """Tell a person about an error; gives the exit code."""
    if isinstance(error, NoArgsIsHelpError):
        say(error.format_message())
        return ExitCode.USAGE if _is_group_below(error.ctx) else ExitCode.CLEAN
    if isinstance(error, click.UsageError):
        if error.ctx is not None:
            say(error.ctx.get_usage())
        told: AlectioAgentError = UsageError(error.format_message(), hint=_help(error.ctx))
    elif isinstance(error, click.ClickException):
        told = UsageError(error.format_message())
    elif isinstance(error, click.Abort):
        told = StoppedError("stopped")
    elif isinstance(error, AlectioAgentError):
        told = error
    else:
        told = AlectioAgentError(f"unexpected: {type(error).__name__}: {error}")
    say_error(told)
    return told.exit_code


def _is_group_below(context: click.Context | None) -> bool:
    return context is not None and context.parent is not None


def _print_version(context: click.Context, _option: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        from alectio_agent.cli.version import print_version

        print_version(Common.of(context))
        context.exit()


def _help(context: click.Context | None) -> str:
    path = context.command_path if context is not None else "alectio-agent"
    return f"What it takes: {path} --help"


COMMANDS = {
    "init": ("alectio_agent.cli.init_project:init", "Write the files of a new project."),
    "check": ("alectio_agent.cli.check:check", "Look at everything that a job will need."),
    "doctor": ("alectio_agent.cli.check:check", "The same as check."),
    "try": ("alectio_agent.cli.try_hooks:try_hooks", "Run one small loop through your hooks."),
    "enroll": ("alectio_agent.cli.enroll:enroll", "Give this agent its token for a platform."),
    "run": ("alectio_agent.cli.run:run", "Run the agent (and, embedded, the whole experiment)."),
    "status": ("alectio_agent.cli.status:status", "Say how it stands with the agent."),
    "pause": ("alectio_agent.cli.pause:pause", "Take no new job until resume."),
    "resume": ("alectio_agent.cli.resume:resume", "End a pause."),
    "stop": ("alectio_agent.cli.stop:stop", "Let the agent finish its step and leave."),
    "restart": ("alectio_agent.cli.restart:restart", "The same, and start again."),
    "reload": ("alectio_agent.cli.reload:reload", "Let the agent read agent.yaml again."),
    "experiment": ("alectio_agent.cli.experiment:experiment", "Create, show, steer experiments."),
    "logs": ("alectio_agent.cli.logs:logs", "Print what the hooks printed."),
    "jobs": ("alectio_agent.cli.jobs:jobs", "List the jobs of this agent."),
    "service": ("alectio_agent.cli.service:service", "Run as a service of systemd."),
    "audit": ("alectio_agent.cli.audit:audit", "Print what left the site, and what may."),
    "outbox": ("alectio_agent.cli.outbox:outbox", "Results on disk; by hand over an air gap."),
    "config": ("alectio_agent.cli.config:config", "Show what is configured."),
    "explain": ("alectio_agent.cli.explain:explain", "Explain the code of a message."),
    "hub": ("alectio_agent.cli.hub:hub", "Serve a platform of your own."),
    "support-bundle": (
        "alectio_agent.cli.support_bundle:support_bundle",
        "Collect what helps others to help you.",
    ),
    "completion": ("alectio_agent.cli.completion:completion", "Let the shell complete commands."),
    "version": ("alectio_agent.cli.version:version", "Print the version."),
}


@click.group(
    cls=_Root,
    commands_at=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@root_options
@click.option(
    "--version", is_flag=True, expose_value=False, callback=_print_version,
    help="Print the version.",
)  # fmt: skip
def main() -> None:
    """Run active-learning loops beside the data, without an inbound port."""
