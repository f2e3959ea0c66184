"""The configuration in force, as YAML that says where each value comes from."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from alectio_agent.config.layers import Layers
from alectio_agent.config.problems import MASK, KeyPath, dotted, without_secrets
from alectio_agent.config.settings import TOKEN_FILE_VARIABLE, AgentFile
from alectio_agent.config.yaml_lines import read_scalar
from alectio_agent.core.secret_keys import hide_secret_words, hide_secrets

DEFAULT = "default"
_PLAIN = re.compile(r"[A-Za-z0-9_./$][\w./:@%+$ -]*")


def effective_values(settings: AgentFile) -> dict[str, Any]:
    """All values in force, as people write them, without secrets.

    Args:
        settings: As loaded.

    Returns:
        Nested mappings of plain values. Values of `env` are masked, since they are often passwords;
        of `args` and `argv` those whose name says that they are secret.
    """
    values: dict[str, Any] = settings.model_dump(mode="json")
    for pipeline in values["pipelines"].values():
        pipeline["env"] = dict.fromkeys(pipeline["env"], MASK)
        pipeline["args"] = hide_secrets(pipeline["args"], MASK)
        pipeline["argv"] = hide_secret_words(pipeline["argv"], MASK)
    shown: dict[str, Any] = _without_secrets(values)
    return shown


def origins(
    values: Mapping[str, Any], layers: Layers, environment: Mapping[str, str]
) -> dict[str, str]:
    """Where each value comes from.

    Args:
        values: From `effective_values`.
        layers: What they were made of.
        environment: The process's variables, which give some of the defaults.

    Returns:
        Dotted key to `agent.yaml:14`, a variable, a flag or `default`.
    """
    return {dotted(path): _origin(path, layers, environment) for path in _leaves(values)}


def as_yaml(values: Mapping[str, Any], comments: Mapping[str, str] | None = None) -> str:
    """Values as a file that loads again.

    Args:
        values: From `effective_values`.
        comments: Dotted key to what is said behind its value; None says nothing.

    Returns:
        YAML, a line per value.
    """
    return "".join(f"{line}\n" for line in _lines(values, (), comments or {}))


def _lines(value: Mapping[str, Any], above: KeyPath, comments: Mapping[str, str]) -> Iterator[str]:
    for key, below in value.items():
        path = (*above, key)
        head = f"{'  ' * len(above)}{_scalar(key)}:"
        if isinstance(below, dict) and below:
            yield head
            yield from _lines(below, path, comments)
        else:
            comment = comments.get(dotted(path))
            yield f"{head} {_flow(below)}{f'  # {comment}' if comment else ''}"


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)}: {_flow(below)}" for key, below in value.items())
        return f"{{{', '.join(pairs)}}}"
    # Inside brackets a plain word may hold neither comma nor bracket; none that is plain does.
    return _scalar(value)


def _scalar(value: Any) -> str:
    """Without quotes where it reads as the same text; else as JSON, which YAML contains."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and read_scalar(value) == value:
        return value
    return json.dumps(value, ensure_ascii=not str(value).isprintable())


def _leaves(value: Mapping[str, Any], above: KeyPath = ()) -> Iterator[KeyPath]:
    for key, below in value.items():
        if isinstance(below, dict) and below:
            yield from _leaves(below, (*above, key))
        else:
            yield (*above, key)


def _origin(path: KeyPath, layers: Layers, environment: Mapping[str, str]) -> str:
    written = layers.origin(path)
    if written is not None:
        return written
    if path == ("agent", "state_dir") and environment.get("STATE_DIRECTORY"):
        return "$STATE_DIRECTORY"
    if path == ("platform", "token_file"):
        for variable in ("CREDENTIALS_DIRECTORY", TOKEN_FILE_VARIABLE):
            if environment.get(variable):
                return f"${variable}"
    return DEFAULT


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_without_secrets(below) for below in value]
    return without_secrets(value) if isinstance(value, str) else value
