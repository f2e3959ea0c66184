"""The hub's store without threads: work is done at once, and is there when the hub comes back."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from alectio_agent.core.clock import SystemClock
from alectio_agent.hub.store.engines import changes, open_engine
from alectio_agent.hub.store.schema import prepare
from alectio_agent.hub.store.transactions import take_actions, take_touched

ResultT = TypeVar("ResultT")


def new_database() -> Engine:
    """A database in memory with all tables, empty; the one before is gone."""
    engine, empty = made()
    with engine.connect() as tx:
        driver(tx).deserialize(empty)
    return engine


def driver(tx: Connection) -> sqlite3.Connection:
    """The connection below; quick for what is asked all the time."""
    found = tx.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


@lru_cache(maxsize=1)
def made() -> tuple[Engine, bytes]:
    """One engine for all seeds: it keeps the statements that it has compiled."""
    engine = open_engine(None, is_writer=True)
    with engine.begin() as tx:
        prepare(tx, SystemClock(), Path("hub.db"))
    with engine.connect() as tx:
        return engine, driver(tx).serialize()


class SimStore:
    """As `hub.store.store.Store`, one piece of work after the other, in the caller."""

    def __init__(self, engine: Engine) -> None:
        self._connection = engine.connect()
        self._listeners: list[Callable[[], None]] = []
        self._followers: list[Callable[[set[str]], None]] = []

    def write(self, work: Callable[[Connection], ResultT]) -> "Future[ResultT]":
        done: Future[ResultT] = Future()
        before = changes(self._connection)
        try:
            with self._connection.begin():
                value = work(self._connection)
        except BaseException as error:  # noqa: BLE001 - the caller hears of it
            take_actions(self._connection)
            take_touched(self._connection)
            done.set_exception(error)
            return done
        touched = take_touched(self._connection)
        for action in take_actions(self._connection):
            action()
        for follower in self._followers if touched else ():
            follower(touched)
        done.set_result(value)
        if changes(self._connection) != before:
            for listener in self._listeners:
                listener()
        return done

    def read(self, work: Callable[[Connection], ResultT]) -> "Future[ResultT]":
        done: Future[Any] = Future()
        try:
            with self._connection.begin():
                done.set_result(work(self._connection))
        except BaseException as error:  # noqa: BLE001 - the caller hears of it
            done.set_exception(error)
        return done

    def on_commit(self, callback: Callable[[], None]) -> None:
        self._listeners.append(callback)

    def on_touch(self, callback: Callable[[set[str]], None]) -> None:
        self._followers.append(callback)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Look at the tables without anything in between."""
        return driver(self._connection).execute(sql).fetchall()

    def close(self) -> None:
        """The process is gone; the tables stay."""
        self._connection.close()
