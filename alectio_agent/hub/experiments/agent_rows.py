"""What agents offer and hold, in the tables."""

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from alectio_agent.hub.experiments.roll import Said
from alectio_agent.hub.store.prepared import PreparedChange, PreparedQuery
from alectio_agent.hub.store.tables import checkpoints, offers
from alectio_agent.wire.agents import Registration

_DROP_OFFERS = PreparedChange(delete(offers).where(offers.c.agent_id == bindparam("of")))
_OFFER = PreparedChange(insert(offers))
_CHECKPOINTS = PreparedQuery(
    select(checkpoints.c.experiment).where(checkpoints.c.agent_id == bindparam("of"))
)
_DROP_CHECKPOINTS = PreparedChange(
    delete(checkpoints).where(checkpoints.c.agent_id == bindparam("of"))
)
_SAID = (offers.c.pipeline, offers.c.pool_size, offers.c.state_digest, offers.c.state_size)
_OFFERED = PreparedQuery(select(*_SAID).where(offers.c.agent_id == bindparam("of")))
_HOLD = PreparedChange(upsert(checkpoints).on_conflict_do_nothing())


def write_offers(tx: Connection, agent_id: str, said: Registration) -> None:
    """Write which pipelines an agent offers, in place of those that it did.

    Args:
        tx: A writing transaction.
        agent_id: Who.
        said: What it says of itself.
    """
    _DROP_OFFERS.run(tx, of=agent_id)
    rows = {
        offer.name: {
            "agent_id": agent_id,
            "pipeline": offer.name,
            "pool_size": offer.pool_size,
            "state_digest": offer.state_digest,
            "state_size": offer.state_size,
            "store": offer.store,
        }
        for offer in said.pipelines
    }
    for row in rows.values():
        _OFFER.run(tx, **row)


def write_checkpoints(tx: Connection, agent_id: str, said: Registration) -> set[str]:
    """Write which checkpoints an agent holds, in place of those that it did.

    Args:
        tx: A writing transaction.
        agent_id: Who.
        said: What it says of itself.

    Returns:
        Experiments of the checkpoints that it holds now, or held before.
    """
    names = set(_CHECKPOINTS.values(tx, of=agent_id))
    _DROP_CHECKPOINTS.run(tx, of=agent_id)
    held = {(entry.experiment, entry.name) for entry in said.checkpoints}
    for where, name in held:
        _HOLD.run(tx, agent_id=agent_id, experiment=where, name=name)
    return names | {where for where, _ in held}


def offered_by(tx: Connection, agent_id: str) -> Said:
    """What an agent offers.

    Args:
        tx: Any transaction.
        agent_id: Who.
    """
    return frozenset(tuple(row.values()) for row in _OFFERED.rows(tx, of=agent_id))


def note_checkpoint(tx: Connection, agent_id: str, experiment: str, name: str) -> None:
    """An agent committed a train: it holds that checkpoint.

    Args:
        tx: A writing transaction.
        agent_id: Who.
        experiment: Name of the experiment.
        name: Of the checkpoint.
    """
    _HOLD.run(tx, agent_id=agent_id, experiment=experiment, name=name)


def forget_checkpoint(tx: Connection, agent_id: str, experiment: str, name: str | None) -> None:
    """An agent does not hold a checkpoint that it was thought to hold.

    Args:
        tx: A writing transaction.
        agent_id: Who.
        experiment: Name of the experiment.
        name: Of the checkpoint; None forgets none.
    """
    gone = delete(checkpoints).where(
        checkpoints.c.agent_id == agent_id,
        checkpoints.c.experiment == experiment,
        checkpoints.c.name == name,
    )
    tx.execute(gone)
