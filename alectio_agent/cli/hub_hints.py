"""The mend of messages about a hub: one that does not answer, a token that it refuses."""

from pathlib import Path

from alectio_agent.core.errors import PlatformError, UsageError

NEXT = {
    "running": "It runs: alectio-agent experiment show {name}",
    "waiting": "It waits for a person. Mend it, then: alectio-agent experiment retry {name}",
    "paused": "It is paused: alectio-agent experiment resume {name}",
    "finished": (
        "It has ended. More loops: alectio-agent experiment extend {name} --loops N, the newest "
        "ones again: alectio-agent experiment rewind {name}"
    ),
    "cancelled": "It has ended for good. Another one beside it: alectio-agent run --new",
}
"""What a person may have wanted, by the state that the experiment is in."""

TOKENS_TEXT = "Those that there are: alectio-agent hub token list"
CREATE = "On the hub's machine: alectio-agent hub token create NAME"


def silence_mend(error: PlatformError) -> str:
    """What to do about a hub that gives no answer.

    Args:
        error: With the reason.

    Returns:
        One line; empty for another error.
    """
    if error.code == "E-NET-02":
        return (
            "Is that the address of an Alectio platform? A server of another kind, a proxy or a "
            "sign-in page may answer in its place: curl -i URL/v1/platform shows what it says."
        )
    if error.code != "E-NET-01":
        return ""
    return (
        "Is the hub running, and is this its address, with https:// when it has a certificate? On "
        "its machine: alectio-agent hub serve. "
        "(The hub in the box runs while alectio-agent run does.)"
    )


def token_mend(code: str, token_file: Path | None, scope: str = "") -> str:
    """What to do about a token that the hub refuses.

    Args:
        code: Of the message.
        token_file: That was read.
        scope: That the token must have; empty for an agent's.

    Returns:
        One line; empty for another code.
    """
    create = f"{CREATE} --scope {scope}" if scope else CREATE
    file = token_file or "the token file"
    if code == "E-AUTH-04":
        return f"The token was read from {file}; put one of this hub there. {create}"
    if code in ("E-AUTH-05", "E-AUTH-06"):
        return f"Put another token into {file}. {create}"
    if code == "E-AUTH-07":
        return f"Put a token of the right scope into {file}, or name another file. {create}"
    return ""


def agent_token_mend(url: str) -> str:
    """How an agent whose token is refused, or ends soon, gets another.

    Args:
        url: Of its platform.

    Returns:
        Two commands, of which the second tries the token before it writes it.
    """
    return f"{CREATE}. Here: alectio-agent enroll {url}"


def refusal_mend(error: PlatformError) -> str:
    """What to do about a request that the hub refuses.

    Args:
        error: Its verdict.
    """
    if error.message.startswith("no experiment is called"):
        return "Those that there are: alectio-agent experiment list"
    return TOKENS_TEXT if error.code == "E-HUB-04" else ""


def checked_url(url: str, named_by: str = "--hub") -> str:
    """The URL of a hub as it was typed, if it is one.

    Args:
        url: From the command line or $ALECTIO_HUB.
        named_by: The option or argument.

    Returns:
        The same without a slash at its end.

    Raises:
        UsageError: It is none; the message says what one looks like.
    """
    from alectio_agent.config.values import EMBEDDED, platform_url

    try:
        found = platform_url(url)
    except ValueError as error:
        is_bare = ("://" not in url and "." in url) or (":" in url and "//" not in url)
        hint = f"Did you mean http://{url} or https://{url}?" if is_bare else ""
        if not hint and named_by == "--hub":
            hint = "For a hub on this machine, --data FOLDER will do too."
        raise UsageError(
            f"{named_by}: found {url!r}, expected a URL such as https://alectio.example.org or "
            "http://127.0.0.1:8642",
            hint=hint,
            code="E-HUB-01",
        ) from error
    if found == EMBEDDED:
        raise UsageError(
            f"{named_by}: found 'embedded', expected a URL",
            hint="For the hub in the box leave --hub away: -c/--config names its agent.yaml."
            if named_by == "--hub"
            else "The hub in the box needs no token.",
            code="E-HUB-01",
        )
    return found
