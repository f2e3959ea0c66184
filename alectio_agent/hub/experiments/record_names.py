"""Names that people know the samples by: asked from agents, found for experiments."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.name_files import NameFiles
from alectio_agent.hub.experiments.progress import mark_changed
from alectio_agent.hub.experiments.records import Experiment, pool_pins
from alectio_agent.hub.store.tables import agents, experiments, offers
from alectio_agent.wire.agents import Registration

_AGENT = select(agents.c.agent_id).where(agents.c.agent_id == bindparam("of"))
_SIZE = select(offers.c.state_size).where(
    offers.c.agent_id == bindparam("of"), offers.c.state_digest == bindparam("digest")
)
_OFFERED = (
    select(offers.c.state_digest)
    .where(offers.c.pipeline == bindparam("of"), offers.c.state_digest.is_not(None))
    .distinct()
)
_CONCERNED = select(experiments.c.name).where(
    experiments.c.pipeline.in_(
        select(offers.c.pipeline).where(offers.c.state_digest == bindparam("digest"))
    )
)


def wanted_names(context: Context, said: Registration) -> list[str]:
    """The digests of names that a registering agent may send, and that are not here.

    Args:
        context: Knows the files.
        said: By the agent.
    """
    offered = {
        offer.state_digest
        for offer in said.pipelines
        if offer.shares_names and offer.state_digest is not None and offer.state_size
    }
    return sorted(digest for digest in offered if not context.names.holds(digest))


def offered_count(tx: Connection, agent_id: str, digest: str) -> int:
    """How many names of that digest an agent has.

    Args:
        tx: Any transaction.
        agent_id: Who wants to send them.
        digest: SHA-256 over their lines.

    Raises:
        ProblemError: `unknown-agent`; `invalid`: it did not register such names.
    """
    if tx.execute(_AGENT, {"of": agent_id}).first() is None:
        raise ProblemError("unknown-agent", "this platform does not know the agent; register again")
    sizes = tx.execute(_SIZE, {"of": agent_id, "digest": digest}).scalars()
    size: int | None = next((size for size in sizes if size is not None), None)
    if size is None:
        raise ProblemError("invalid", "the agent did not register names with this digest")
    return size


def names_arrived(tx: Connection, context: Context, digest: str) -> None:
    """Have the results files of all experiments that may know their samples now written anew.

    Args:
        tx: A writing transaction.
        context: For the worker that writes them.
        digest: Of the names.
    """
    for name in tx.execute(_CONCERNED, {"digest": digest}).scalars():
        mark_changed(tx, context, name)


def names_of(
    tx: Connection, files: NameFiles, experiment: Experiment, indices: Sequence[int]
) -> list[str] | None:
    """The names of some samples of an experiment.

    Args:
        tx: Any transaction.
        files: Of the hub.
        experiment: Any.
        indices: Of samples in its pool, in any order.

    Returns:
        The name of each; None when they are not known here: `state` names none, they did not
        leave the site or have not come yet, or agents disagree.
    """
    size = experiment.pool_size
    if size is None or not all(0 <= index < size for index in indices):
        return None
    digest = _source(tx, files, experiment, size)
    return None if digest is None else files.read(digest, indices)


def _source(tx: Connection, names: NameFiles, experiment: Experiment, size: int) -> str | None:
    """The file with the names of the pool; it may go on behind them."""
    pinned = experiment.pool_digest
    if pinned is not None and names.holds(pinned):
        return pinned
    if pinned is not None:
        return next((at for at in names.digests() if names.prefix_digest(at, size) == pinned), None)
    # Nothing is pinned when agents name more than the pool: whatever they all say is meant.
    offered = tx.execute(_OFFERED, {"of": experiment.pipeline}).scalars()
    pins = [(pin.size, pin.digest) for pin in pool_pins(experiment) if pin.digest is not None]
    fitting = {
        names.prefix_digest(at, size): at
        for at in sorted(offered)
        if names.holds(at) and all(names.prefix_digest(at, n) == digest for n, digest in pins)
    }
    fitting.pop(None, None)
    return fitting.popitem()[1] if len(fitting) == 1 else None
