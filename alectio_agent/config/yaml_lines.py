"""Reads a YAML file into plain values, and puts what YAML says into words a person can act on."""

from pathlib import Path
from typing import Any

import yaml

from alectio_agent.config.document import Document
from alectio_agent.config.problems import shown_path
from alectio_agent.config.yaml_build import NodeBuilder, mark_of
from alectio_agent.config.yaml_scalars import ScalarLoader
from alectio_agent.core.errors import ConfigError
from alectio_agent.core.log import printable

MAX_BYTES = 2**20

# What the scanner says, and what a person has to look for.
_SYNTAX = {
    "found character '\\t'": "a tab stands where only spaces may; indent with spaces",
    "mapping values are not allowed": "a second `key:` in one line, or wrong indentation; put "
    "each key on a line of its own, and quotes around text that holds `: `",
    "could not find expected ':'": "a line without `key: value`; add the colon",
    "expected <block end>": "the indentation does not fit the lines above, or text follows a "
    "closing quotation mark; line up the keys, quote the whole value",
    "expected ',' or ']'": "a list that is not closed; add `]`",
    "expected ',' or '}'": "a mapping that is not closed; add `}`",
    "unexpected end of stream": "a quotation mark that is not closed; add it",
    "undefined alias": "an alias `*name` without its anchor; write `&name` where it is defined",
    "second occurrence": "an anchor `&name` that is defined twice; use another name",
    "unknown escape character": "a backslash between double quotation marks; use single ones",
    "found another document": "a second document begins; keep one and delete `---`",
    "cannot start any token": "a character that YAML reserves; put quotes around the value",
    "special characters are not allowed": "a control character; delete it",
    "sequence entries are not allowed": "a list that begins in the line of its key; put `- ` on "
    "the next line",
}
# For these the mistake lies where the thing began, not where the reader gave up.
_MISTAKE_AT_START = ("could not find expected ':'", "expected ',' or", "end of stream")


def read_document(file: Path) -> Document:
    """Read a configuration file.

    Args:
        file: Its path.

    Returns:
        Its values with their lines. Of a key that stands twice the first counts, and
        `problems` names the other.

    Raises:
        ConfigError: It cannot be read, is no UTF-8, no YAML, larger than 1 MiB, or its aliases
            expand without measure.
    """
    document = Document(shown_path(file))
    text = _decode(_read(file, document), document)
    try:
        root = yaml.compose(text, Loader=ScalarLoader)
        if root is not None:
            document.value = NodeBuilder(document, root).build(root, ())
            document.marks[()] = mark_of(root)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, document) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise document.refuse(_translate(str(error)), line) from error
    except RecursionError as error:
        raise document.refuse("nested too deeply; write fewer levels", 1) from error
    return document


def read_scalar(text: str) -> Any:
    """Read the value of a variable as YAML: a text, number, bool, or a flow list or mapping.

    Args:
        text: One value; what is no YAML stays text.

    Returns:
        The plain value.
    """
    document = Document("")
    try:
        root = yaml.compose(text, Loader=ScalarLoader)
        return None if root is None else NodeBuilder(document, root).build(root, ())
    except (yaml.YAMLError, RecursionError, ConfigError):
        return text


def _read(file: Path, document: Document) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise document.refuse(f"cannot be read ({reason}); expected a YAML file") from error
    if len(content) > MAX_BYTES:
        raise document.refuse("larger than 1 MiB; expected a configuration, not data")
    return content


def _decode(content: bytes, document: Document) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise document.refuse(
            f"found the byte 0x{content[error.start]:02x}, expected UTF-8 text; "
            "save the file as UTF-8",
            line,
        ) from error


def _syntax_error(error: yaml.MarkedYAMLError, document: Document) -> ConfigError:
    said = error.problem or error.context or ""
    mark = error.problem_mark or error.context_mark
    if any(words in said for words in _MISTAKE_AT_START):
        mark = error.context_mark or mark
    return document.refuse(_translate(said), 1 if mark is None else mark.line + 1)


def _translate(said: str) -> str:
    for words, ours in _SYNTAX.items():
        if words in said:
            return f"not YAML: {ours}"
    return f"not YAML: {printable(said)}"
