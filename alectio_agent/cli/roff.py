"""Markdown as the pages in docs/ use it, as the macros of a manual page."""

import re
from collections.abc import Iterator

SPECIAL = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
SPECIAL["|"] = r"|\:"  # a line may break between choices
BLOCK = re.compile(r"^(```.*?\n```$|#+ [^\n]*$|.+?)(?=\n\n|\n#|\n```|\Z)", re.DOTALL | re.MULTILINE)
CELL_END = re.compile(r"(?<!\\)\|")
LINK = re.compile(r"!?\[((?:`[^`]*`|[^]`])*)\]\([^)]*\)")
SPAN = re.compile(r"(`[^`]*`|\*\*[^*]+\*\*|(?<!\w)\*[^*\s][^*]*\*(?!\w))")


def page(title: str, section: int, *, name: str, version: str, body: str) -> str:
    """A whole manual page.

    Args:
        title: Such as `agent.yaml`.
        section: Of the manual: 1 for commands, 5 for files.
        name: What it is, in half a line.
        version: Of the package.
        body: Macros, from `macros_of`.
    """
    head = f'.TH {escaped(title.upper())} {section} "" "alectio\\-agent {escaped(version)}"'
    # Words are neither broken nor spread: names of options would be hard to find.
    return "\n".join(
        [head, ".nh", ".ad l", ".SH NAME", f"{escaped(title)} \\- {escaped(name)}", body, ""]
    )


def macros_of(text: str) -> str:
    """All of a Markdown text but its title."""
    blocks = (found[1] for found in BLOCK.finditer(text))
    return "\n".join(line for block in blocks for line in _block(block.strip("\n")))


def _block(block: str) -> Iterator[str]:
    if block.startswith("#"):
        yield from _heading(block)
    elif block.startswith("|"):
        yield from _table(block.splitlines())
    elif block.startswith("```"):
        yield from _kept(block.splitlines()[1:-1])
    elif block.startswith("    "):
        yield from _kept([line.removeprefix("    ") for line in block.splitlines()])
    elif block.startswith("- "):
        for item in re.split(r"^- ", block, flags=re.MULTILINE)[1:]:
            yield from (r".IP \(bu 2", _text(item))
    elif block.strip():
        yield from (".PP", _text(block))


def _heading(line: str) -> Iterator[str]:
    marks, _, words = line.partition(" ")
    if len(marks) > 1:
        plain = escaped(words.replace("`", ""))
        yield f'.SH "{plain.upper()}"' if len(marks) == 2 and "`" not in words else f'.SS "{plain}"'


def _table(lines: list[str]) -> Iterator[str]:
    titles = _cells(lines[0])
    for line in lines[2:]:
        first, *middle, last = _cells(line)
        yield from (".TP", _text(first))
        named = zip(titles[1:-1], middle, strict=True)
        told = (f"{title.capitalize()}: {cell}." for title, cell in named)
        yield _text(" ".join([f"{last.removesuffix('.')}.", *told]))


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in CELL_END.split(line)[1:-1]]


def _kept(lines: list[str]) -> Iterator[str]:
    yield from (".PP", ".in +4n", ".EX")
    yield from (_protected(escaped(line)) for line in lines)
    yield from (".EE", ".in")


def _text(text: str) -> str:
    words = LINK.sub(r"\1", " ".join(text.split()))
    return _protected("".join(_span(part) for part in SPAN.split(words)))


def _span(part: str) -> str:
    if len(part) > 2 and part[0] == part[-1] == "`":
        return f"\\fB{escaped(part[1:-1])}\\fR"
    if part.startswith("*") and part.endswith("*") and len(part) > 2:
        return f"\\fI{escaped(part.strip('*'))}\\fR"
    return escaped(part)


def _protected(line: str) -> str:
    """A line that begins with a dot would be a macro."""
    return rf"\&{line}" if line.startswith(".") else line


def escaped(text: str) -> str:
    """Text in which nothing means anything to the formatter.

    Args:
        text: One line.
    """
    return "".join(SPECIAL.get(letter, letter) for letter in text)
