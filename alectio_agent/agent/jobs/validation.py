"""The agent trusts no claim: whatever it has not registered, or cannot be meant, is refused."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice, pairwise
from operator import lt

from alectio_agent.wire.agents import PipelineOffer
from alectio_agent.wire.claims import Claim, InferOrder, TrainOrder, TrainPayload
from alectio_agent.wire.protocol import STEPS


def refusal(
    claim: Claim,
    offers: Mapping[str, PipelineOffer],
    digest: Callable[[int], str | None] = lambda _: None,
) -> str | None:
    """Say why a claim must not be run.

    Args:
        claim: It parsed already.
        offers: The pipelines that this agent registered, by name.
        digest: SHA-256 over so many of the agent's own first record names; None when its pipeline
            has no `state` hook.

    Returns:
        The reason, None when the claim is fine.
    """
    offer = offers.get(claim.pipeline)
    if offer is None:
        return f"pipeline {claim.pipeline!r} is not registered here; known: {', '.join(offers)}"
    order = [STEPS.index(entry.step) for entry in claim.steps]
    if any(later <= earlier for earlier, later in pairwise(order)):
        return "steps are repeated or out of order"
    return _wrong_checkpoints(claim) or _wrong_pool(claim, offer, digest) or _wrong_indices(claim)


def _wrong_checkpoints(claim: Claim) -> str | None:
    names = {entry.payload.ckpt_file for entry in claim.steps}
    if len(names) > 1:
        return f"the steps name different checkpoints: {', '.join(sorted(names))}"
    first = claim.steps[0]
    if isinstance(first, TrainOrder) and first.payload.resume_from == first.payload.ckpt_file:
        return f"resume_from and ckpt_file are the same: {first.payload.ckpt_file}"
    return None


def _wrong_pool(
    claim: Claim, offer: PipelineOffer, digest: Callable[[int], str | None]
) -> str | None:
    if offer.pool_size is not None and claim.pool.size > offer.pool_size:
        return f"the pool has {claim.pool.size} samples there and {offer.pool_size} here"
    for pin in (*claim.pool.earlier, claim.pool):
        if pin.digest is not None and digest(pin.size) != pin.digest:
            return (
                f"the first {pin.size} record names of state() are not those that the experiment "
                "was begun or extended with, so the indices no longer mean the same samples. Bring "
                "back the old order of records, new ones after them, or start a new experiment"
            )
    return None


def _wrong_indices(claim: Claim) -> str | None:
    for entry in claim.steps:
        if isinstance(entry, TrainOrder):
            reason = _wrong_list("labeled", entry.payload.labeled, claim.pool.size)
            reason = reason or _wrong_labels(entry.payload)
        elif isinstance(entry, InferOrder):
            reason = _wrong_list("unlabeled", entry.payload.unlabeled, claim.pool.size)
        else:
            reason = None
        if reason:
            return reason
    return None


def _wrong_list(name: str, indices: Sequence[int], pool_size: int) -> str | None:
    is_increasing = all(map(lt, indices, islice(indices, 1, None)))
    if not is_increasing and len(set(indices)) != len(indices):
        return f"{name} holds an index twice"
    highest = max(indices[-1:] if is_increasing else indices, default=-1)
    if highest >= pool_size:
        return f"{name} holds index {highest}; the pool has {pool_size} samples"
    return None


def _wrong_labels(payload: TrainPayload) -> str | None:
    """Labels by people are of samples to train on, each under its index as JSON writes it."""
    known = {str(index) for index in payload.labeled}
    foreign = [key for key in payload.labels or {} if key not in known]
    if foreign:
        return f"labels holds {foreign[0][:40]!r}, which is no index of labeled"
    return None
