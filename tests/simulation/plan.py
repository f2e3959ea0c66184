"""What a seed lays down before anything runs."""

import random
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Plan:
    """Sizes and settings of one run.

    Attributes:
        pool: Samples.
        slots: Of each agent.
        experiments: Settings of each.
        fault_s: How long things go wrong.
    """

    pool: int
    machines: int
    slots: int
    experiments: list[dict[str, Any]]
    fault_s: float

    @classmethod
    def of(cls, rng: random.Random) -> "Plan":
        """Draw one."""
        pool = rng.randint(24, 40)
        names = ("alpha", "beta")[: rng.choice((1, 1, 2))]
        return cls(
            pool=pool,
            machines=rng.choice((1, 2, 2, 3)),
            slots=rng.choice((1, 1, 2)),
            experiments=[_settings(name, pool, rng) for name in names],
            fault_s=rng.choice((200.0, 500.0, 1000.0)),
        )


def _settings(name: str, pool: int, rng: random.Random) -> dict[str, Any]:
    return {
        "name": name,
        "pipeline": "digits",
        "classes": 2,
        "batch": rng.randint(3, 6),
        "loops": rng.randint(2, 3),
        "pool": pool,
        "seed": rng.randint(0, 99),
        "retries": rng.randint(0, 2),
        "affinity_timeout": rng.choice((5.0, 60.0, 300.0)),
        "takeover_after": rng.choice((0.0, 60.0, 300.0)),
    }
