"""Writes the manual: `python -m alectio_agent.cli.man_page FOLDER docs/configuration.md`."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

from alectio_agent.cli.reference import PROGRAM, cli_document
from alectio_agent.cli.roff import macros_of, page

FILES = """## Files

| file | what it is |
| --- | --- |
| `/etc/alectio-agent/agent.yaml` | the configuration of an agent that runs as a service |
| `/var/lib/alectio-agent` | its state: results that are not delivered yet, its journal, its logs |
| `./agent.yaml`, `./.alectio` | the same of an agent that somebody starts in a folder |

## See also

`agent.yaml`(5)
"""


def command_page() -> str:
    """The text of alectio-agent.1: what docs/cli.md says."""
    text = cli_document().replace(" (`make docs`)", "")
    first = f"## `{PROGRAM}`"
    text = text.replace(f"{first}\n", f"## Commands\n\n{first}\n", 1)
    text = text.replace("## Exit codes", "## Exit status").replace("nt variables\n", "nt\n")
    synopsis = f"## Synopsis\n\n`{PROGRAM}` *COMMAND* [*OPTIONS*]\n\n## Description\n\n"
    return page(
        PROGRAM, 1,
        name="run active-learning loops beside the data",
        version=installed_version(PROGRAM),
        body=macros_of(synopsis + text.partition("\n")[2] + FILES),
    )  # fmt: skip


def configuration_page(text: str) -> str:
    """The text of agent.yaml.5.

    Args:
        text: Of docs/configuration.md.
    """
    body = text.partition("\n")[2]
    return page(
        "agent.yaml", 5,
        name=f"configuration of {PROGRAM}",
        version=installed_version(PROGRAM),
        body=macros_of(f"## Description\n\n{body}\n## See also\n\n`{PROGRAM}`(1)"),
    )  # fmt: skip


if __name__ == "__main__":
    folder, configuration = Path(sys.argv[1]), Path(sys.argv[2])
    (folder / f"{PROGRAM}.1").write_text(command_page(), "utf-8")
    (folder / "agent.yaml.5").write_text(
        configuration_page(configuration.read_text("utf-8")), "utf-8"
    )
