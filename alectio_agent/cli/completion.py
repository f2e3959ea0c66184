"""`completion`: what makes a shell complete commands, options and values."""

import click

from alectio_agent.cli.options import Common, common_options

PROGRAM = "alectio-agent"
VARIABLE = "_ALECTIO_AGENT_COMPLETE"


@click.command
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common_options
def completion(*, shell: str, common: Common) -> None:
    """Print the script with which SHELL completes commands, options, codes and experiments.

    \b
    bash: add this line to ~/.bashrc
        eval "$(alectio-agent completion bash)"
    zsh: add this line to ~/.zshrc, below compinit
        eval "$(alectio-agent completion zsh)"
    fish: type this once, in ~/.config/fish/completions
        alectio-agent completion fish > alectio-agent.fish
    """  # noqa: D301 - \b is click's mark: what follows is not folded
    import json

    script = script_for(shell)
    click.echo(json.dumps({"shell": shell, "script": script}) if common.as_json else script)


def script_for(shell: str) -> str:
    """The script for a shell.

    Args:
        shell: `bash`, `zsh` or `fish`.
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise AssertionError(f"unreachable: click completes {shell}")
    made = found(click.Group(PROGRAM), {}, PROGRAM, VARIABLE)
    # Not `source()`: it starts a bash to ask for its version, and refuses to print without one.
    return made.source_template % made.source_vars()
