"""Command groups that import a command only when it is called, so that `--help` answers at once."""

from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """A group whose commands are named, not imported."""

    def __init__(self, *args: Any, commands_at: dict[str, tuple[str, str]], **options: Any) -> None:
        """Name the commands.

        Args:
            *args: For click.
            commands_at: Name to where it lives (`module:attribute`) and its one line of help;
                a command with an empty line is hidden.
            **options: For click.
        """
        super().__init__(*args, **options)
        self._commands_at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names that help shows."""
        return [name for name, (_, line) in self._commands_at.items() if line]

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self._commands_at:
            return None
        module, attribute = self._commands_at[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, line) for name, (_, line) in self._commands_at.items() if line]
            )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands and options that begin like this, without importing any command."""
        found = [
            CompletionItem(name, help=line)
            for name, (_, line) in self._commands_at.items()
            if line and name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; name the nearest one when there is none."""
        name = args[0]
        if name not in self._commands_at and not name.startswith("-"):
            ctx.fail(f"No such command {name!r}.{_nearest(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


def _nearest(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    found = get_close_matches(name, known, n=1)
    return f" Did you mean {found[0]!r}?" if found else f" Known: {', '.join(known)}."
