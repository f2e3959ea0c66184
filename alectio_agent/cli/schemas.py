"""The published schema of what each command prints with `--json`: written into docs/schemas.

A new command that prints JSON gets a line in `OUTPUTS`, one that prints none a line in `SILENT`.
"""

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

FORMS = "alectio_agent.cli.output_forms"
STATUS = "alectio_agent.agent.service.control.status"
OUTBOX = "alectio_agent.cli.outbox_view"
OUTCOME = "alectio_agent.cli.outbox_outcome"
OPERATION = "alectio_agent.wire.operation"
LABELS = "alectio_agent.wire.labels"
AUDIT = "alectio_agent.cli.audit_rows"
INSTALLING = "alectio_agent.cli.units.installing"
UNTOLD = ("default", "properties")
MEMBER = re.compile(r"([a-z_0-9]+): (.+)")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Output:
    """What some commands print.

    Attributes:
        of: `module:type`; imported only when schemas are made.
        commands: Their words.
        are_lines: An object a line, as many as there are.
        without: Members of the type that are not printed.
    """

    of: str
    commands: tuple[str, ...]
    are_lines: bool = False
    without: tuple[str, ...] = ()


OUTPUTS: Mapping[str, Output] = {
    "status": Output(f"{STATUS}:Status", ("status",)),
    "outbox": Output(f"{OUTBOX}:OutboxView", ("outbox list",)),
    "outbox-export": Output(f"{OUTCOME}:Exported", ("outbox export",)),
    "outbox-import": Output(f"{OUTCOME}:Imported", ("outbox import",)),
    "steered": Output(
        f"{FORMS}:Steered", ("pause", "resume", "stop", "restart", "reload", "outbox retry")
    ),
    "jobs": Output(f"{FORMS}:JobRows", ("jobs",)),
    "hub-jobs": Output(f"{OPERATION}:JobList", ("jobs --hub",)),
    "logs": Output(f"{FORMS}:LogLine", ("logs",), are_lines=True),
    "checks": Output(f"{FORMS}:CheckRows", ("check", "doctor", "try")),
    "version": Output(f"{FORMS}:Version", ("version",)),
    "explain": Output(f"{FORMS}:Explanations", ("explain",)),
    "completion": Output(f"{FORMS}:Script", ("completion",)),
    "init": Output(f"{FORMS}:Project", ("init",)),
    "config": Output(f"{FORMS}:Values", ("config show",)),
    "experiment": Output(
        f"{OPERATION}:ExperimentView",
        (
            "run", "experiment create", "experiment show", "experiment pause",
            "experiment resume", "experiment cancel", "experiment retry", "experiment rewind",
            "experiment reassign", "experiment extend",
        ),
    ),
    "experiments": Output(f"{OPERATION}:ExperimentList", ("experiment list",)),
    "labels": Output(f"{LABELS}:LabelQueue", ("experiment labels export",)),
    "labels-status": Output(
        f"{LABELS}:LabelQueue", ("experiment labels status",), without=("samples",)
    ),
    "labels-import": Output(f"{LABELS}:LabelsImported", ("experiment labels import",)),
    "report": Output(f"{FORMS}:ReportFile", ("experiment report",)),
    "export": Output(f"{FORMS}:ResultFiles", ("experiment export",)),
    "comparison": Output(f"{FORMS}:ComparedRuns", ("experiment compare",)),
    "difference": Output(f"{FORMS}:LoopDifference", ("experiment diff",)),
    "token-created": Output(f"{OPERATION}:TokenCreated", ("hub token create",)),
    "tokens": Output(f"{OPERATION}:TokenList", ("hub token list",)),
    "token": Output(f"{OPERATION}:TokenView", ("hub token revoke",)),
    "agents": Output(f"{OPERATION}:AgentList", ("hub agents list",)),
    "agent": Output(f"{OPERATION}:AgentView", ("hub agents remove",)),
    "backup": Output(f"{FORMS}:BackupFile", ("hub backup",)),
    "enrolled": Output(f"{FORMS}:Enrolled", ("enroll",)),
    "audit": Output(f"{FORMS}:AuditRows", ("audit",)),
    "audit-verify": Output(f"{AUDIT}:AuditVerdict", ("audit --verify",)),
    "audit-explain": Output(f"{FORMS}:LeavingFields", ("audit --explain",)),
    "unit": Output(f"{FORMS}:UnitFiles", ("service print-unit",)),
    "service": Output(f"{INSTALLING}:Outcome", ("service install", "service uninstall")),
    "bundle": Output(f"{FORMS}:Bundle", ("support-bundle",)),
}  # fmt: skip
"""File name to what it describes."""
SILENT: Mapping[str, str] = {
    "hub serve": "it serves until it is stopped",
    "config schema": "what it prints is a schema itself",
}
"""Commands without a schema, and why."""
HEAD = """# Schemas of `--json`

What each command prints with `--json`, as JSON Schema (2020-12). This folder is made from the
commands themselves (`make docs`), and tests hold real output against it. Later versions may add
members: pass over those that you do not know. Moments are RFC 3339 in UTC.

| command | schema |
| --- | --- |
"""
TAIL = """
`status --watch` and `logs` print an object a line. `run` prints the experiment once it is over,
with the hub in the box; for a platform elsewhere it prints nothing.
"""


def schema(name: str) -> dict[str, Any]:
    """One schema.

    Args:
        name: A key of `OUTPUTS`.
    """
    output = OUTPUTS[name]
    module, attribute = output.of.split(":")
    adapter: TypeAdapter[Any] = TypeAdapter(getattr(import_module(module), attribute))
    made = adapter.json_schema(mode="serialization", by_alias=False)
    for member in output.without:
        del made["properties"][member]
        made["required"].remove(member)
    return {"$schema": DIALECT, "$id": f"{name}.json", **_told(made)}


def _told(made: Any) -> Any:
    """Without defaults: here everything is written; each member with what its type says of it."""
    if isinstance(made, list):
        return [_told(each) for each in made]
    if not isinstance(made, dict):
        return made
    rest = {name: _told(each) for name, each in made.items() if name not in UNTOLD}
    if "properties" not in made:
        return rest
    said, _, attributes = str(made.get("description", "")).partition("\n\nAttributes:\n")
    notes = _notes(attributes)
    members = {
        name: {**_told(each), **({"description": notes[name]} if name in notes else {})}
        for name, each in made["properties"].items()
    }
    return {**rest, **({"description": said} if said else {}), "properties": members}


def _notes(attributes: str) -> dict[str, str]:
    """What a docstring says of each attribute."""
    found = dict[str, str]()
    name = ""
    for line in inspect.cleandoc(attributes).splitlines():
        if match := MEMBER.fullmatch(line.strip()) if not line.startswith("    " * 2) else None:
            name = match[1]
            found[name] = match[2]
        elif name:
            found[name] += f" {line.strip()}"
    return found


def write_schemas(folder: Path) -> None:
    """Write all of them, and the page that lists them.

    Args:
        folder: `docs/schemas`.
    """
    folder.mkdir(exist_ok=True)
    for file in folder.glob("*.json"):
        if file.stem not in OUTPUTS:
            file.unlink()
    for name in OUTPUTS:
        (folder / f"{name}.json").write_text(schema_text(name), "utf-8")
    (folder / "README.md").write_text(schemas_page(), "utf-8")


def schema_text(name: str) -> str:
    """One schema as it is published.

    Args:
        name: A key of `OUTPUTS`.
    """
    return f"{json.dumps(schema(name), indent=1, ensure_ascii=False)}\n"


def schemas_page() -> str:
    """The text of docs/schemas/README.md."""
    rows = [
        f"| `{command}` | [{name}.json]({name}.json){', one a line' if output.are_lines else ''} |"
        for name, output in OUTPUTS.items()
        for command in output.commands
    ]
    rows += [f"| `{command}` | none: {why} |" for command, why in SILENT.items()]
    return HEAD + "\n".join(sorted(rows)) + "\n" + TAIL


def schema_of(command: str) -> str | None:
    """The schema of a command's output.

    Args:
        command: Its words, without the program's name.

    Returns:
        A key of `OUTPUTS`; None when it has none.
    """
    found = (name for name, output in OUTPUTS.items() if command in output.commands)
    return next(found, None)
