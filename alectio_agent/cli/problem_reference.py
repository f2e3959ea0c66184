"""The page of the problem types; `alectio_agent.cli.reference` writes it."""

import textwrap

from alectio_agent.wire.problem_notes import PROBLEM_NOTES, ProblemNote
from alectio_agent.wire.problems import PROBLEM_TYPES, ProblemType

WIDTH = 100
HEAD = """# Problem types

Every refusal is a document `application/problem+json` (RFC 9457). Its `type` is one of the names
below: a relative reference, to be resolved against the address of this page (`lease-lost` is
`problems#lease-lost`). The list is closed: a new type needs a new protocol number, since agents act
on nothing else. Any other answer that is no success, among them problem documents of the type
`about:blank` (400 no HTTP, 408 too slow, 431 too long a head, 500, 503), is no verdict, and is
tried again.

Standard members: `type`, `title`, `status`, `detail` (what was found and what was expected, for
people). All have `code`, the code of a message as in [errors.md](errors.md). Unknown members are
to be ignored. The calls that give each type: [openapi.json](openapi.json).

"""


def problems_document() -> str:
    """The text of docs/problems.md."""
    listed = "".join(
        f"| [`{kind.name}`](#{kind.name}) | {kind.status} | {kind.title} |\n"
        for kind in PROBLEM_TYPES.values()
    )
    table = f"| type | status | title |\n| --- | --- | --- |\n{listed}"
    parts = [_section(kind, PROBLEM_NOTES[kind.name]) for kind in PROBLEM_TYPES.values()]
    return HEAD + table + "".join(parts)


def _section(kind: ProblemType, note: ProblemNote) -> str:
    brought = [_entry(f"`{name}`: {meaning}") for name, meaning in note.members.items()]
    members = "".join(["\nFurther members:\n\n", *brought]) if brought else ""
    done = _entry(f"An agent: {_lower(note.agent)}") + _entry(f"A person: {_lower(note.person)}")
    return (
        f"\n## {kind.name}\n\n{kind.status}: {kind.title}.\n\n{_folded(note.when)}\n{members}\n"
        f"What is done about it:\n\n{done}"
    )


def _entry(text: str) -> str:
    folded = textwrap.indent(_folded(text, WIDTH - 2), "  ")
    return f"- {folded.strip()}\n"


def _folded(text: str, width: int = WIDTH) -> str:
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]
