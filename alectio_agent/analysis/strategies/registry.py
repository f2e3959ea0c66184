"""All strategies by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType

from alectio_agent.analysis.strategies.picks import Pick, by_chance, by_score, by_spread
from alectio_agent.core.errors import StrategyError

CLUSTERING = "alectio_agent.analysis.strategies.clustering"


@dataclass(frozen=True)
class Strategy:
    """One way to choose.

    Attributes:
        name: As `experiment.yaml` writes it.
        pick: Chooses positions in a pool.
        measure: Name of the score that it goes by; None when it needs no scores.
        module: Of what it imports when it picks, since that takes a second or two; None when that
            is nothing.
    """

    name: str
    pick: Pick
    measure: str | None
    module: str | None = None


STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        strategy.name: strategy
        for strategy in (
            Strategy("random", by_chance, None),
            Strategy("least_confidence", by_score("least_confidence"), "least_confidence"),
            Strategy("margin", by_score("margin"), "margin"),
            Strategy("ratio", by_score("ratio"), "ratio"),
            Strategy("entropy", by_score("entropy"), "entropy"),
            Strategy("diverse_margin", by_spread, "margin", CLUSTERING),
        )
    }
)


def strategy_named(name: str) -> Strategy:
    """Look a strategy up.

    Args:
        name: As `experiment.yaml` writes it.

    Returns:
        The strategy.

    Raises:
        StrategyError: No strategy has that name.
    """
    if name not in STRATEGIES:
        raise StrategyError(
            f"strategy {name!r} is unknown; expected one of {', '.join(STRATEGIES)}"
        )
    return STRATEGIES[name]


def load(name: str) -> None:
    """Import what a strategy imports when it picks.

    Args:
        name: Of the strategy; one that is not known is passed over.
    """
    strategy = STRATEGIES.get(name)
    if strategy is not None and strategy.module is not None:
        import_module(strategy.module)
