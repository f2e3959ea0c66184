"""Names of jobs on the command line."""

import re
from dataclasses import dataclass

import click
from click.shell_completion import CompletionItem

from alectio_agent.cli.experiment_name import known_names


@dataclass(frozen=True)
class NamedJob:
    """What was named.

    Attributes:
        loop: None for the whole experiment.
    """

    experiment: str
    loop: int | None

    def __str__(self) -> str:
        return self.experiment if self.loop is None else f"{self.experiment}/{self.loop}"


class JobName(click.ParamType[NamedJob]):
    """`experiment/loop`, or an experiment alone."""

    name = "job"

    def convert(
        self, value: str | NamedJob, param: click.Parameter | None, ctx: click.Context | None
    ) -> NamedJob:
        """Read a job's name."""
        from alectio_agent.core.log import printable
        from alectio_agent.wire.names import EXPERIMENT_PATTERN

        if isinstance(value, NamedJob):
            return value
        name, slash, loop = value.partition("/")
        is_right = re.fullmatch(EXPERIMENT_PATTERN, name)
        if not is_right or (slash and not re.fullmatch(r"[0-9]{1,9}", loop)):
            self.fail(
                f"found '{printable(value, 80)}', expected experiment/loop such as digits/3, or an "
                "experiment alone",
                param,
                ctx,
            )
        return NamedJob(name, int(loop) if slash else None)

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """The experiments that have results beside the configuration."""
        return [CompletionItem(name) for name in known_names(ctx) if name.startswith(incomplete)]
