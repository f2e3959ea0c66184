"""JSON as this protocol takes it: no duplicate keys, no NaN, no depth or number without end."""

import json
import re
from collections import Counter
from typing import Any

from pydantic import JsonValue

MAX_DEPTH = 64
MAX_INTEGER_DIGITS = 20

# What a number that breaks a rule looks like once all its digits are made 0. A text that looks the
# same, such as an id, costs nothing but time.
_LONG_NUMBER = b"0" * MAX_INTEGER_DIGITS
# Of a float that was worked out, only the digits behind the point are many.
_LONG_INTEGER = re.compile(rb"(?<![0-9.])[0-9]{%d}" % MAX_INTEGER_DIGITS)
_LARGE_EXPONENTS = (b"e000", b"e+000")
_WITHOUT_DIGITS = bytes.maketrans(b"123456789E", b"000000000e")


class JsonRuleError(ValueError):
    """Text that is no JSON, or breaks one of the rules above."""


class NotJsonError(JsonRuleError):
    """Text that is no JSON at all, such as half a document."""


def loads(text: str | bytes) -> JsonValue:
    """Read one JSON document from the other side.

    Args:
        text: The document; bytes are UTF-8.

    Returns:
        Plain dicts, lists, strings, numbers, bools and None.

    Raises:
        NotJsonError: No JSON.
        JsonRuleError: A duplicate key; NaN or an infinity; an integer of more than
            20 digits; nested deeper than 64 levels.
    """
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    try:
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=_distinct_keys,
            parse_constant=_refuse_constant,
            **_number_hooks(raw),
        )
    except JsonRuleError:
        raise
    except RecursionError as error:
        raise JsonRuleError(f"nested deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise NotJsonError(f"not JSON: {error}") from error
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _check_depth(value)
    return value


def dumps(value: object) -> str:
    """Write one JSON document, without spaces.

    Args:
        value: Plain dicts, lists, strings, finite numbers, bools and None.

    Returns:
        The text.

    Raises:
        ValueError: A number that is not finite.
        TypeError: A value that JSON does not know.
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)


def canonical(value: object) -> str:
    """Write a document so that equal documents give equal texts: sorted keys, no spaces.

    Args:
        value: As for `dumps`.

    Returns:
        The text, for digests and comparisons.
    """
    return json.dumps(
        value, allow_nan=False, separators=(",", ":"), ensure_ascii=False, sort_keys=True
    )


def _number_hooks(raw: bytes) -> dict[str, Any]:
    """A call for each of a million numbers would take four times as long as all the rest."""
    shape = raw.translate(_WITHOUT_DIGITS)
    if _LONG_NUMBER in shape and _LONG_INTEGER.search(raw):
        return {"parse_int": _bounded_int, "parse_float": _finite_float}
    is_suspect = any(mark in shape for mark in _LARGE_EXPONENTS)
    return {"parse_float": _finite_float} if is_suspect else {}


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counted = Counter(key for key, _ in pairs)
        twice = next(key for key, times in counted.items() if times > 1)
        raise JsonRuleError(f"key {twice!r} stands twice in one object")
    return found


def _refuse_constant(name: str) -> float:
    raise JsonRuleError(f"{name} is not a JSON number")


def _bounded_int(digits: str) -> int:
    if len(digits) > MAX_INTEGER_DIGITS:
        raise JsonRuleError(f"an integer of {len(digits)} digits")
    return int(digits)


def _finite_float(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise JsonRuleError(f"{text[:40]} is too large for a number")
    return value


def _check_depth(value: JsonValue) -> None:
    level: list[JsonValue] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise JsonRuleError(f"nested deeper than {MAX_DEPTH} levels")
