"""The same numbers by chance for the same (seed, loop, step), in whatever process it runs."""

from __future__ import annotations

import hashlib
import random
import sys
from contextlib import suppress


def derive_seed(seed: int, loop: int, step: str) -> int:
    """A seed for one step.

    Args:
        seed: Of the experiment.
        loop: From 0.
        step: Name of the step.

    Returns:
        A whole number of 63 bits: the same in every version of Python.
    """
    text = "{}/{}/{}".format(seed, loop, step)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def seed_all(seed: int) -> None:
    """Seed `random`, and numpy and torch when they are loaded.

    Args:
        seed: 63 bits; numpy gets the lower 32.
    """
    random.seed(seed)
    # Half-loaded or stubbed modules may lack the functions: then nothing can be seeded.
    with suppress(KeyError, AttributeError):
        sys.modules["numpy"].random.seed(seed % 2**32)
    with suppress(KeyError, AttributeError):
        sys.modules["torch"].manual_seed(seed)
