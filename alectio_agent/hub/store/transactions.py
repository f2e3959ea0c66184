"""What a transaction wants done once it is durable, such as to change what lies in memory."""

from collections.abc import Callable

from sqlalchemy import Connection

Action = Callable[[], object]
_KEY = "alectio_after_commit"
_TOUCHED = "alectio_touched"


def after_commit(tx: Connection, action: Action) -> None:
    """Do something once the transaction is durable; never, if it is undone.

    Args:
        tx: A writing transaction.
        action: Quick, raises nothing; called in the writer thread.
    """
    tx.info.setdefault(_KEY, []).append(action)


def take_actions(tx: Connection) -> list[Action]:
    """What was asked for since the last call.

    Args:
        tx: Of the same connection.

    Returns:
        The actions, oldest first; they are forgotten here.
    """
    actions: list[Action] = tx.info.pop(_KEY, [])
    return actions


def touch(tx: Connection, changed: str) -> None:
    """Say what a transaction changes, for those who keep it in memory.

    Args:
        tx: A writing transaction.
        changed: Id of an experiment.
    """
    tx.info.setdefault(_TOUCHED, set()).add(changed)


def touched_so_far(tx: Connection) -> frozenset[str]:
    """What a transaction that is not at its end has changed itself.

    Args:
        tx: A writing transaction.
    """
    return frozenset(tx.info.get(_TOUCHED, ()))


def take_touched(tx: Connection) -> set[str]:
    """What was touched since the last call.

    Args:
        tx: Of the same connection.

    Returns:
        Ids; they are forgotten here.
    """
    touched: set[str] = tx.info.pop(_TOUCHED, set())
    return touched
