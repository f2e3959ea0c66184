"""Whether both sides share a protocol number, and which of them must be updated when not."""

from alectio_agent.core.errors import PlatformError, ProtocolMismatchError
from alectio_agent.wire.agents import ProtocolRange
from alectio_agent.wire.protocol import PROTOCOL

UPDATE_AGENT = "pip install -U alectio-agent"
UPDATE_HUB = "pip install -U 'alectio-agent[hub]'"


def mismatch(lowest: object, highest: object, said: str = "") -> ProtocolMismatchError:
    """Name the older side.

    Args:
        lowest: Smallest number that the platform speaks, as it came.
        highest: The largest.
        said: The platform's own words, for one that names no numbers.

    Returns:
        The error to raise.
    """
    ours = f"this agent speaks {PROTOCOL}"
    if not (isinstance(lowest, int) and isinstance(highest, int)):
        found = f": {said}" if said else ""
        return ProtocolMismatchError(
            f"the platform does not speak protocol {PROTOCOL}{found}",
            hint=f"Update the older one of the two. This agent: {UPDATE_AGENT}",
        )
    theirs = f"protocol {lowest}" if lowest == highest else f"protocols {lowest} to {highest}"
    message = f"the platform speaks {theirs}, {ours}"
    if lowest > PROTOCOL:
        return ProtocolMismatchError(message, hint=f"Update the agent: {UPDATE_AGENT}")
    return ProtocolMismatchError(
        message,
        hint=f"Update the hub, on its machine: {UPDATE_HUB}, and start it again; its experiments "
        "and results stay",
    )


def check_shared(protocol: ProtocolRange) -> None:
    """Look whether a platform that registered this agent means to go on with its protocol.

    Args:
        protocol: From the answer to the registration.

    Raises:
        ProtocolMismatchError: It does not.
    """
    if not protocol.min <= PROTOCOL <= protocol.max:
        raise mismatch(protocol.min, protocol.max)


def foreign_doubt(error: PlatformError) -> str:
    """What may be wrong when something answers that is no Alectio platform.

    Args:
        error: Why there was no answer.

    Returns:
        To put behind its message; empty for another error.
    """
    if error.code != "E-NET-02":
        return ""
    return ". Is that the address of an Alectio platform, or does a proxy answer in its place?"
