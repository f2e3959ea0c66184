"""The hook process may import nothing of the wire, so it repeats what both must agree on."""

import pytest

from alectio_agent.agent.hooks.child import constants
from alectio_agent.wire import protocol

NAMES = [name for name in vars(constants) if name.isupper()]


@pytest.mark.parametrize("name", NAMES)
def test_the_child_says_what_the_wire_says(name: str) -> None:
    assert getattr(constants, name) == getattr(protocol, name)


def test_everything_is_compared() -> None:
    assert {"INLINE_BYTES", "PART_BYTES", "NPZ_MEDIA_TYPE", "NDJSON_MEDIA_TYPE"} <= set(NAMES)
