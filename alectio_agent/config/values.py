"""The kinds of values in `agent.yaml`: paths, durations, names, the platform's URL."""

import ipaddress
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)

from alectio_agent.core.ids import TOKEN_PREFIX
from alectio_agent.core.setting_error import SettingError
from alectio_agent.core.units import parse_duration, parse_size, write_duration, write_size

EMBEDDED = "embedded"
FOREVER = "forever"
# The same rule as the wire's pipeline names: a name becomes a folder and a part of a URL.
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
DURATION_SCHEMA: dict[str, Any] = {
    "type": ["string", "number"],
    "minimum": 0,
    "examples": ["30s", "5m", "1h 30m", "7d"],
}
"""The kinds of what people write; the units are checked by the loader only."""
SIZE_SCHEMA: dict[str, Any] = {
    "type": ["string", "number"],
    "minimum": 0,
    "examples": ["512MiB", "10GiB", "500GB"],
}


@dataclass(frozen=True)
class Surroundings:
    """What the meaning of a value depends on besides the value; pydantic's validation context.

    Attributes:
        folder: Of the file; relative paths start here.
        environment: The process's variables.
        looks_into_files: Whether the files that values name must be there, and be right.
    """

    folder: Path = field(default_factory=Path.cwd)
    environment: Mapping[str, str] = field(default_factory=dict)
    looks_into_files: bool = False


def surroundings(info: ValidationInfo) -> Surroundings:
    """The context of a validation.

    Args:
        info: As pydantic hands it to a validator.

    Returns:
        The loader's context; the working folder and no variables when there is none.
    """
    return info.context if isinstance(info.context, Surroundings) else Surroundings()


def _absolute(value: Any, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value).strip() or "\0" in str(value):
        raise ValueError("expected a path")
    path = Path(value)
    if path.parts[:1] == ("~",):
        path = path.expanduser()
    return surroundings(info).folder / path


def _interpreter(value: Any, info: ValidationInfo) -> Path:
    if isinstance(value, str) and value.strip() and "/" not in value:
        # A bare name such as `python3.12` means the command of that name, as in a shell.
        found = shutil.which(value, path=surroundings(info).environment.get("PATH"))
        if found is not None:
            return Path(found)
    return _absolute(value, info)


def _token_path(value: Any, info: ValidationInfo) -> Path:
    if isinstance(value, str) and value.strip().startswith(TOKEN_PREFIX):
        raise ValueError("found a token, expected the path of a file of mode 0600 that holds it")
    return _absolute(value, info)


def _keep_warm(value: Any) -> float | None:
    if value == FOREVER:
        return None
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ValueError(f"{error}, or {FOREVER}") from error


def _write_keep_warm(seconds: float | None) -> str:
    return FOREVER if seconds is None else write_duration(seconds)


def _limit(parse: Callable[[Any], float], kind: str, value: Any) -> float:
    try:
        limit = parse(value)
    except ValueError as error:
        raise ValueError(f"{error}, or null for no limit") from error
    if not limit:
        raise ValueError(f"expected a {kind} above zero, or null for no limit")
    return limit


def _command_line(value: str) -> str:
    if not value.strip() or "\0" in value:
        raise ValueError("expected a command line, as for a shell")
    return value.strip()


def _group_name(value: str) -> str:
    if not value or value.isdigit() or not value.isprintable() or any(map(str.isspace, value)):
        raise ValueError("expected the name of a group of this machine")
    return value


def _env_text(value: Any) -> Any:
    """People write `OMP_NUM_THREADS: 4`; an integer has only one spelling, so it is safe."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _machine_name(value: str) -> str:
    if not 1 <= len(value) <= 128 or not value.isprintable() or value != value.strip():
        raise ValueError("expected a name of 1 to 128 printable characters")
    return value


def _tag(value: str) -> str:
    if not value or len(value) > 64 or not value.isprintable() or any(map(str.isspace, value)):
        raise ValueError("expected a tag of 1 to 64 characters without spaces, such as a100")
    return value


def _variable_name(value: str) -> str:
    if not value or "=" in value or "\0" in value:
        raise ValueError("expected the name of an environment variable")
    return value


def platform_url(value: str) -> str:
    """A URL of a platform, or `embedded`.

    Args:
        value: As written.

    Returns:
        The same without a slash at its end.

    Raises:
        ValueError: It is neither.
    """
    if value == EMBEDDED:
        return value
    parts = split_url(value)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"expected {EMBEDDED} or a URL such as https://alectio.example.org")
    if parts.username is not None or parts.password is not None:
        raise SettingError(
            "found a user or password in the URL, expected a URL without; "
            "the token belongs into a file, named by `platform.token_file`"
        )
    if parts.query or parts.fragment:
        raise ValueError("expected a URL without ? and #, such as https://alectio.example.org")
    return value.rstrip("/")


def split_url(url: str) -> SplitResult | None:
    """Take a URL apart.

    Args:
        url: As written.

    Returns:
        Its parts; None when it is no URL, or its port is none.
    """
    if not url.isprintable() or any(map(str.isspace, url)):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is no number, or too large
    except ValueError:
        return None
    return parts


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine only.

    Args:
        url: `http(s)://host[:port]`.

    Returns:
        True for `localhost` and loopback addresses.
    """
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


AbsolutePath = Annotated[Path, BeforeValidator(_absolute)]
InterpreterPath = Annotated[Path, BeforeValidator(_interpreter)]
TokenPath = Annotated[Path, BeforeValidator(_token_path)]
Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(write_duration, when_used="json"),
    WithJsonSchema(DURATION_SCHEMA),
]
KeepWarm = Annotated[
    float | None,
    BeforeValidator(_keep_warm),
    PlainSerializer(_write_keep_warm, when_used="json"),
    WithJsonSchema(DURATION_SCHEMA),
]
TimeLimit = Annotated[
    float,
    BeforeValidator(partial(_limit, parse_duration, "duration")),
    PlainSerializer(write_duration, when_used="json"),
    WithJsonSchema(DURATION_SCHEMA),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    PlainSerializer(write_size, when_used="json"),
    WithJsonSchema(SIZE_SCHEMA),
]
SizeLimit = Annotated[
    int,
    BeforeValidator(partial(_limit, parse_size, "size")),
    PlainSerializer(write_size, when_used="json"),
    WithJsonSchema(SIZE_SCHEMA),
]
CommandLine = Annotated[str, AfterValidator(_command_line)]
GroupName = Annotated[str, AfterValidator(_group_name)]
EnvText = Annotated[
    str, BeforeValidator(_env_text), WithJsonSchema({"type": ["string", "integer"]})
]
MachineName = Annotated[str, AfterValidator(_machine_name)]
Tag = Annotated[str, AfterValidator(_tag)]
VariableName = Annotated[str, AfterValidator(_variable_name)]
PlatformUrl = Annotated[
    str,
    AfterValidator(platform_url),
    Field(description=f"{EMBEDDED} or a URL such as https://alectio.example.org"),
]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
HookReference = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Za-z_]\w*(\.[A-Za-z_]\w*)*:)?[A-Za-z_]\w*$"),
    Field(description="a function such as package.module:train"),
]
