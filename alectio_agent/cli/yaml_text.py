"""Values as they stand in a YAML file that a person will edit."""

import json
import re
from typing import Any

from alectio_agent.config.yaml_lines import read_scalar

PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9/._-]*")


def scalar(text: str) -> str:
    """A text, with quotation marks where YAML would take it for something else.

    Args:
        text: Any.
    """
    if PLAIN.fullmatch(text) and read_scalar(text) == text:
        return text
    return quoted(text)


def quoted(value: Any) -> str:
    """A value as JSON, which YAML can read as well.

    Args:
        value: Plain.

    Returns:
        One line.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
