"""Chooses a batch: one or several strategies, each with its share of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from alectio_agent.analysis.keyed import Draw, TieBreak
from alectio_agent.analysis.strategies.detail import Ranked
from alectio_agent.analysis.strategies.pool import Between, Indices, Pool, Taken
from alectio_agent.analysis.strategies.ranking import smallest
from alectio_agent.analysis.strategies.registry import Strategy, strategy_named


@dataclass(frozen=True)
class Share:
    """One part of a mix.

    Attributes:
        name: Of a strategy.
        share: Of the batch, above 0; the shares of a mix sum to one.
    """

    name: str
    share: float = 1.0


@dataclass(frozen=True)
class Rules:
    """What holds for the whole batch.

    Attributes:
        seed: Of the experiment, zero or more.
        loop: The loop that the batch is chosen for, from 0.
        tie_break: How equal scores are ordered.
        has_dedup: Equal rows are not picked twice while there are others.
        subsample: Score only this many samples, drawn by chance; None scores all. At least as
            many as the batch are scored, and a `random` part draws from the whole pool all the
            same.
    """

    seed: int
    loop: int
    tie_break: TieBreak = "seeded"
    has_dedup: bool = True
    subsample: int | None = None


@dataclass(frozen=True)
class Choice:
    """One chosen sample.

    Attributes:
        index: Of the sample.
        score: By which it was chosen; None for chance.
        reason: Name of the strategy that chose it.
    """

    index: int
    score: float | None
    reason: str


@dataclass(frozen=True)
class Batch:
    """What to label next.

    Attributes:
        choices: By increasing index.
        equal_rows: Samples passed over because an equal row was before them.
        ranked: The first part that went by a score, with what it chose; None for chance alone
            and for an empty pool.
        picks: Pools, and the places in them that were chosen.
    """

    choices: tuple[Choice, ...]
    equal_rows: int
    ranked: Ranked | None = None
    picks: tuple[tuple[Pool, Indices], ...] = field(default=(), repr=False, compare=False)

    def between(self) -> list[Between | None]:
        """The two likeliest columns of each choice; None for each without scores."""
        found: dict[int, Between | None] = {}
        for pool, positions in self.picks:
            found |= zip(pool.index[positions].tolist(), pool.between(positions), strict=True)
        return [found[choice.index] for choice in self.choices]


@dataclass(frozen=True)
class _Part:
    """A strategy at work: how many it picks, where, and with which chance."""

    strategy: Strategy
    count: int
    pool: Pool
    draw: Draw


def choose(pool: Pool, shares: Sequence[Share], batch: int, rules: Rules) -> Batch:
    """Choose a batch.

    Each part picks its share by itself. What two parts picked is counted once, for `random` if it
    is one of them: so its samples stay a fair draw from the pool. The first part makes up for it.
    A batch of `random` alone looks at no rows, equal or not.

    Args:
        pool: What there is to choose from.
        shares: Parts whose shares sum to one.
        batch: How many, at least 1; the whole pool when it has fewer.
        rules: What holds for the whole batch.

    Returns:
        The batch.

    Raises:
        StrategyError: A strategy that does not exist.
        ScoresError: A strategy needs scores and there are none, or they are not finite.
    """
    size = min(batch, len(pool))
    parts = _parts(pool, shares, size, rules)
    needs_scores = any(part.strategy.measure for part in parts)
    taken = Taken(has_dedup=rules.has_dedup and needs_scores)
    tried = [(part, _pick(part, taken)) for part in parts]
    picks = [
        (part, picked[taken.take(part.pool, picked)])
        for part, picked in sorted(tried, key=_chance_first)
    ]
    missing = size - sum(len(picked) for _, picked in picks)
    if missing:
        picks.append((parts[0], _refill(parts[0], missing, taken)))
    chosen = [choice for part, picked in picks for choice in _choices(part, picked)]
    choices = tuple(sorted(chosen, key=lambda choice: choice.index))
    passed_over = len(taken.passed_over - {choice.index for choice in choices})
    sources = tuple((part.pool, picked) for part, picked in picks)
    return Batch(choices, passed_over, _ranked(parts, picks), sources)


def round_shares(shares: Sequence[float], size: int) -> list[int]:
    """Divide a batch by largest remainder.

    Args:
        shares: Above 0, summing to one.
        size: Of the batch, zero or more.

    Returns:
        How many each part gets, summing to `size`; equal remainders favour the earlier part.
    """
    # Rounded, so that 0.9 x 10 is 9 and not 9.000000000000002.
    exact = [round(share * size, 9) for share in shares]
    counts = [int(quota) for quota in exact]
    by_remainder = sorted(range(len(shares)), key=lambda part: counts[part] - exact[part])
    for part in by_remainder[: size - sum(counts)]:
        counts[part] += 1
    return counts


def _parts(pool: Pool, shares: Sequence[Share], size: int, rules: Rules) -> list[_Part]:
    strategies = [strategy_named(share.name) for share in shares]
    counts = round_shares([share.share for share in shares], size)
    has_scored = any(strategy.measure for strategy in strategies)
    scored = _subsampled(pool, size, rules) if has_scored else pool
    return [
        _Part(
            strategy,
            count,
            scored if strategy.measure else pool,
            Draw(rules.seed, rules.loop, number, rules.tie_break),
        )
        for number, (strategy, count) in enumerate(zip(strategies, counts, strict=True))
    ]


def _subsampled(pool: Pool, size: int, rules: Rules) -> Pool:
    if rules.subsample is None or max(rules.subsample, size) >= len(pool):
        return pool
    ranks = Draw(rules.seed, rules.loop).subsample(pool.index)
    return pool.narrowed(smallest(ranks, np.arange(len(pool)), max(rules.subsample, size)))


def _pick(part: _Part, taken: Taken) -> Indices:
    if not part.count:
        return np.empty(0, np.int64)
    return part.strategy.pick(part.pool, part.count, part.draw, taken.fork())


def _chance_first(entry: tuple[_Part, Indices]) -> bool:
    return entry[0].strategy.measure is not None


def _refill(part: _Part, missing: int, taken: Taken) -> Indices:
    """The next ones of a part, whether or not equal rows are all that is left."""
    return part.strategy.pick(part.pool, missing, part.draw, taken.fork())


def _ranked(parts: Sequence[_Part], picks: Sequence[tuple[_Part, Indices]]) -> Ranked | None:
    """The first part that measures, with all that it chose."""
    for part in parts:
        if part.strategy.measure is not None and len(part.pool):
            own = [picked for chooser, picked in picks if chooser is part]
            name, measure = part.strategy.name, part.strategy.measure
            return Ranked(name, measure, part.pool, np.concatenate(own), part.draw)
    return None


def _choices(part: _Part, positions: Indices) -> list[Choice]:
    strategy, pool = part.strategy, part.pool
    scores: list[float | None] = [None] * len(positions)
    if strategy.measure is not None:
        scores = pool.scores(strategy.measure)[positions].tolist()
    told = zip(pool.index[positions].tolist(), scores, strict=True)
    return [Choice(sample, score, strategy.name) for sample, score in told]
