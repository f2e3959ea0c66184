"""What an unquoted word in a file means: YAML 1.2's rules, which hold fewer surprises.

YAML 1.1, which the library follows, reads `no` as false, `1:30` as 90, `0123` as 83 and a date
as an object; a class called `no` or a duration of `1:30` would change without a word.
"""

import math
import re
from typing import Any

import yaml

_PREFIX = "tag:yaml.org,2002:"
NULL_TAG, BOOL_TAG = _PREFIX + "null", _PREFIX + "bool"
INT_TAG, FLOAT_TAG = _PREFIX + "int", _PREFIX + "float"
TEXT_TAG = _PREFIX + "str"
SCALAR_TAGS = frozenset({NULL_TAG, BOOL_TAG, INT_TAG, FLOAT_TAG, TEXT_TAG})

_WORDS: dict[str, Any] = {
    NULL_TAG: re.compile(r"~|null|Null|NULL|"),
    BOOL_TAG: re.compile(r"true|True|TRUE|false|False|FALSE"),
    # At most 30 digits: a longer one is no count of anything, and stays text.
    INT_TAG: re.compile(r"[-+]?(0|[1-9][0-9]{0,29})"),
    FLOAT_TAG: re.compile(
        r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)"
    ),
}


class ScalarLoader(yaml.SafeLoader):
    """Composes nodes whose plain scalars are resolved by the rules above."""

    yaml_implicit_resolvers = {
        None: [(tag, re.compile(f"^(?:{word.pattern})$")) for tag, word in _WORDS.items()],
        "<": [(_PREFIX + "merge", re.compile("^<<$"))],
    }


def scalar_value(node: yaml.ScalarNode) -> Any:
    """The value of a scalar.

    Args:
        node: Its tag is one of `SCALAR_TAGS`.

    Returns:
        Text, a number, a bool or None. An explicit tag that does not fit its text gives text.
    """
    text = str(node.value)
    if node.tag not in _WORDS or not _WORDS[node.tag].fullmatch(text):
        return text
    if node.tag == NULL_TAG:
        return None
    if node.tag == BOOL_TAG:
        return text.lower() == "true"
    if node.tag == INT_TAG:
        return int(text)
    # `1e999` is no number that anybody could use; as text it is refused where a number is due.
    return float(text) if math.isfinite(float(text)) else text
