"""The operator's token that a hub makes at its first start."""

from collections.abc import Callable

from sqlalchemy import Connection

from alectio_agent.core.clock import Clock
from alectio_agent.hub.access.tokens import create_token, has_tokens
from alectio_agent.hub.store.store import Store
from alectio_agent.wire.operation import TokenCreate

NAME = "operator"


def make_first_token(store: Store, clock: Clock, tell: Callable[[str], None]) -> None:
    """Make an operator's token, unless a token was ever made here.

    Args:
        store: The hub's.
        clock: For the time of making.
        tell: Hears the token; never called again for this store.
    """

    def make(tx: Connection) -> str | None:
        if has_tokens(tx):
            return None
        return create_token(tx, clock, TokenCreate(name=NAME, scope="operator")).token

    token = store.write(make).result()
    if token is not None:
        tell(token)
