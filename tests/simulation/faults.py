"""What goes wrong, and how often: every choice comes from one generator."""

import random
from collections import Counter
from dataclasses import dataclass

SCALES = (0.0, 0.5, 1.0, 1.5, 5.0)


@dataclass(frozen=True)
class Rates:
    """How likely each fault is, at each chance that it has.

    Attributes:
        crash: At each durable step and around each call.
        cut: Part of the crashes that are power cuts.
    """

    crash: float = 0.004
    cut: float = 0.4
    lost: float = 0.05
    swallowed: float = 0.05
    late: float = 0.08
    twice: float = 0.06
    broken: float = 0.04
    hook: float = 0.03


class Faults:
    """Asked at every chance; counts what really happened."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.is_on = True
        self.counts: Counter[str] = Counter()
        # Seeds differ in what goes wrong: much of one thing finds other bugs than a little of all.
        usual = vars(Rates())
        self.rates = Rates(**{name: rate * rng.choice(SCALES) for name, rate in usual.items()})

    def happens(self, name: str, rate: float) -> bool:
        """Whether a fault happens now; it is counted."""
        if not self.is_on or self.rng.random() >= rate:
            return False
        self.counts[name] += 1
        return True

    def crash(self, place: str) -> str | None:
        """Whether a process dies here: `kill`, `power cut`, or None."""
        if not self.is_on or self.rng.random() >= self.rates.crash:
            return None
        how = "power cut" if self.rng.random() < self.rates.cut else "kill"
        self.counts[how] += 1
        self.counts[f"crash at {place}"] += 1
        return how

    def between(self, least: float, most: float) -> float:
        """A random duration."""
        return self.rng.uniform(least, most)
