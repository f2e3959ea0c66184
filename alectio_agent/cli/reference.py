"""Writes the generated pages: `python -m alectio_agent.cli.reference docs`."""

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from alectio_agent.cli import hub_options, options
from alectio_agent.cli.main import main
from alectio_agent.cli.problem_reference import problems_document
from alectio_agent.cli.schemas import write_schemas
from alectio_agent.core.codes import explained
from alectio_agent.core.errors import ExitCode

PROGRAM = "alectio-agent"
Shared = tuple[Callable[[click.Command], click.Command], ...]
EXIT_CODES = {
    ExitCode.CLEAN: "done, or stopped cleanly",
    ExitCode.UNEXPECTED: "unexpected: a defect, or a platform that refuses what it should not",
    ExitCode.USAGE: "wrong command line, an unknown name, or the wrong state for a verb",
    ExitCode.FAILED: "it ran, and something failed: a job waits for a person, or a check found a "
    "problem",
    ExitCode.TRY_AGAIN: "stopped before the end, no answer from the platform, or somebody else "
    "works there: try again",
    ExitCode.NOT_ALLOWED: "the token is missing a right, revoked, or unknown; or this user may not "
    "steer the agent, or install a service",
    ExitCode.CONFIG: "a configuration that must be mended, or a state that this version cannot use",
}
ERRORS_HEAD = """# Messages and their codes

Every message that tells of a mistake begins with a code, such as `E-CONF-02`. A code stays the same
when the wording changes: search for it, and match on it in scripts. `alectio-agent explain CODE`
prints what stands here, without a network; `alectio-agent explain` lists all codes. `--debug` adds
a traceback to any message.

"""
CLI_HEAD = """# Commands

This page is made from the commands themselves (`make docs`); `--help` after any of them says the
same.

Results are printed on stdout, everything else on stderr. `experiment/loop`, such as `digits/3`,
names a job everywhere. Every mistake is told in a message with a code: [errors.md](errors.md).
What each command prints with `--json`: [schemas](schemas/README.md).

"""
CLI_TAIL = """
## Which configuration is used

The first of these that is there, and it alone: `-c/--config`, `$ALECTIO_AGENT_CONFIG`,
`./agent.yaml`, `/etc/alectio-agent/agent.yaml`. A file that was named must exist: another is never
taken in its place. `alectio-agent config show --origin` prints which file won, and where each value
comes from: a flag beats the environment, the environment the file, the file the default. All keys:
[configuration.md](configuration.md).

Which hub a command is about: `--hub` (or `$ALECTIO_HUB`), `--data FOLDER` where the command has it,
else the hub of the configuration: the one in the box, or that of `platform.url`. `-c` and `--data`
beat `$ALECTIO_HUB`.

## Environment variables

| variable | what it does |
| --- | --- |
| `ALECTIO_AGENT_CONFIG` | the agent.yaml to use |
| `ALECTIO_AGENT_SECTION__KEY` | a value of agent.yaml, such as `ALECTIO_AGENT_LOGGING__LEVEL` |
| `ALECTIO_AGENT_TOKEN_FILE` | file with the agent's token, when `platform.token_file` is not set |
| `ALECTIO_HUB` | URL of the hub that commands about experiments and tokens are about |
| `ALECTIO_HUB_TOKEN_FILE` | file with a token for that hub |
| `CREDENTIALS_DIRECTORY` | set by systemd: holds the credential `token`, the agent's |
| `NOTIFY_SOCKET`, `WATCHDOG_USEC` | set by systemd: it is told how `run` and `hub serve` stand |
| `ALECTIO_UNIT` | set by our units to their own name: no hub in the box, no token in the journal |
| `STATE_DIRECTORY` | set by systemd: the default of `agent.state_dir` |
| `NO_COLOR` | no colours, whatever its value, unless it is empty |
| `TERM=dumb` | no colours either |
| `COLUMNS` | the width that text is folded to |
| `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` | the way to a platform elsewhere; capitals or not |

## Signals

| signal | `run` |
| --- | --- |
| TERM, INT (Ctrl-C) | once: as `agent.when_stopped` says; twice: cancels; three times: kills |
| QUIT | cancels the running step at once |
| HUP | reads agent.yaml again: level and format of the log change, what needs a restart is named |

`hub serve` stops gracefully on TERM and INT. Other commands end at once; `logs -f` ends with exit
code 0.
"""


def errors_document() -> str:
    """The text of docs/errors.md."""
    return f"{ERRORS_HEAD}{_exit_codes()}\n{explained()}"


def cli_document() -> str:
    """The text of docs/cli.md; the same on every machine."""
    parts = [CLI_HEAD, _options_of("Options of every command", options.OPTIONS)]
    parts.append(_options_of("Options of the commands about a hub", hub_options.OPTIONS))
    parts += [_section(path, command) for path, command in all_commands()]
    return "\n".join([*parts, f"## Exit codes\n\n{_exit_codes()}{CLI_TAIL}"])


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that help shows, with the words that call it; groups before their members."""
    yield from _below(PROGRAM, main)


def own_options(command: click.Command) -> list[click.Option]:
    """The options of a command that not every other has.

    Args:
        command: Any.
    """
    shared = [set(option.opts) for option in (*_made(options.OPTIONS), *_made(hub_options.OPTIONS))]
    return [
        option
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden and set(option.opts) not in shared
    ]


def takes(command: click.Command, names: tuple[str, ...]) -> bool:
    """Whether a command takes all of these options.

    Args:
        command: Any.
        names: Such as `--json`.
    """
    known = {name for option in command.params for name in option.opts}
    return known.issuperset(names)


def _below(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _below(f"{path} {name}", found)


def _section(path: str, command: click.Command) -> str:
    text = _plain(command.help or "")
    if isinstance(command, click.Group):
        return f"## `{path}`\n\n{text}\n"
    lines = [f"## `{_usage(path, command)}`", "", text, ""]
    own = own_options(command)
    if takes(command, ("--hub", "--token-file")):
        lines += ["Takes the options of the commands about a hub.", ""]
    if own:
        lines += [*_table(own), ""]
    return "\n".join(lines)


def _usage(path: str, command: click.Command) -> str:
    words = [path]
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            word = _metavar(parameter)
            word = f"{word}..." if parameter.nargs == -1 else word
            words.append(word if parameter.required else f"[{word}]")
    return " ".join([*words, "[OPTIONS]"])


def _options_of(title: str, shared: Shared) -> str:
    return "\n".join([f"## {title}", "", *_table(_made(shared)), ""])


def _made(shared: Shared) -> list[click.Option]:
    """The options behind decorators."""
    command = click.Command("made", callback=lambda: None)
    for decorate in shared:
        decorate(command)
    return [option for option in command.params if isinstance(option, click.Option)]


def _table(shown: list[click.Option]) -> list[str]:
    rows = [f"| `{_cell(_spelled(option))}` | {_cell(_help(option))} |" for option in shown]
    return ["| option | meaning |", "| --- | --- |", *rows]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _spelled(option: click.Option) -> str:
    names = ", ".join(option.opts)
    if option.secondary_opts:
        names = f"{names} / {', '.join(option.secondary_opts)}"
    if option.is_flag or option.count:
        return names
    return f"{names} {_metavar(option)}"


def _metavar(parameter: click.Parameter) -> str:
    if parameter.metavar:
        return parameter.metavar
    if isinstance(parameter.type, click.Choice):
        return "|".join(str(choice) for choice in parameter.type.choices)
    if isinstance(parameter, click.Argument):
        return (parameter.name or "").upper()
    return parameter.type.name.upper().replace(" RANGE", "")


def _help(option: click.Option) -> str:
    said = [_plain(option.help or "").replace("\n", " ")]
    if option.show_default and option.default is not None and not option.is_flag:
        said.append(f"Default: `{option.default}`.")
    if option.show_envvar and option.envvar:
        said.append(f"Else `${option.envvar}`.")
    return " ".join(said)


def _plain(text: str) -> str:
    """Help as Markdown; click's mark begins a paragraph that keeps its lines."""
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if paragraph.startswith("\b"):
            kept = paragraph.partition("\n")[2]
            paragraphs.append("\n".join(f"    {line}" for line in kept.splitlines()))
        else:
            paragraphs.append(" ".join(paragraph.split()))
    return "\n\n".join(paragraphs)


def _exit_codes() -> str:
    rows = [f"| {int(code)} | {meaning} |\n" for code, meaning in EXIT_CODES.items()]
    return "".join(["| exit code | meaning |\n| --- | --- |\n", *rows])


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "errors.md").write_text(errors_document(), "utf-8")
    (folder / "cli.md").write_text(cli_document(), "utf-8")
    (folder / "problems.md").write_text(problems_document(), "utf-8")
    write_schemas(folder / "schemas")
