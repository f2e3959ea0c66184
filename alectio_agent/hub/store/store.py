"""The store: one thread that writes, in groups, and one that reads what is committed."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from sqlalchemy import Connection

from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import StoreError
from alectio_agent.hub.store.engines import changes, check_transaction, open_engine, translated
from alectio_agent.hub.store.schema import prepare
from alectio_agent.hub.store.transactions import Action, take_actions, take_touched

log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")
LARGEST_GROUP = 256


@dataclass(frozen=True)
class _Task:
    work: Callable[[Connection], Any]
    future: Future[Any]


@dataclass(frozen=True)
class _Done:
    """A task that ran, waiting for its group to become durable."""

    future: Future[Any]
    value: Any
    actions: list[Action]
    touched: set[str]


class Store:
    """The hub's database; every method may be called from any thread."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Open the file, and make the tables when it is new.

        Args:
            path: The file; its folder exists.
            clock: For the time of making.

        Raises:
            StoreVersionError: A newer version wrote it.
            StoreBusyError: Another process holds it.
            StoreError: It cannot be read or written, or is no database.
        """
        self._path = path
        self._listeners: list[Callable[[], None]] = []
        self._followers: list[Callable[[set[str]], None]] = []
        self._is_closed = False
        self._closing = Lock()
        self._engines = [open_engine(path, is_writer=True), open_engine(path, is_writer=False)]
        try:
            with translated(path):
                with self._engines[0].begin() as tx:
                    prepare(tx, clock, path)
                writer, reader = (engine.connect() for engine in self._engines)
        except BaseException:
            self._dispose()
            raise
        self._writing: SimpleQueue[_Task | None] = SimpleQueue()
        self._reading: SimpleQueue[_Task | None] = SimpleQueue()
        self._threads = [
            Thread(target=self._write_all, args=(writer,), name="store-writer", daemon=True),
            Thread(target=self._read_all, args=(reader,), name="store-reader", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def write(self, work: Callable[[Connection], ResultT]) -> Future[ResultT]:
        """Run a piece of work in a transaction.

        Args:
            work: Changes rows; all of it becomes durable, or nothing when it raises.

        Returns:
            Resolved when the changes are durable, with what `work` returned or raised.
        """
        return self._put(self._writing, work)

    def read(self, work: Callable[[Connection], ResultT]) -> Future[ResultT]:
        """Look at what is committed.

        Args:
            work: Reads rows.

        Returns:
            Resolved with what `work` returned or raised.
        """
        return self._put(self._reading, work)

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Be told of every commit that changed something.

        Args:
            callback: Quick, raises nothing; called in the writer thread.
        """
        self._listeners.append(callback)

    def on_touch(self, callback: Callable[[set[str]], None]) -> None:
        """Be told what commits have touched, before their callers are.

        Args:
            callback: Given ids of experiments; quick, raises nothing; called in the writer thread.
        """
        self._followers.append(callback)

    def close(self) -> None:
        """Finish what was asked for, then close; later calls are refused."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
            self._writing.put(None)
            self._reading.put(None)
        for thread in self._threads:
            thread.join()
        self._dispose()

    def _put(
        self, queue: "SimpleQueue[_Task | None]", work: Callable[[Connection], ResultT]
    ) -> Future[ResultT]:
        future: Future[ResultT] = Future()
        with self._closing:
            if self._is_closed:
                raise StoreError(f"{self._path}: the store is closed")
            queue.put(_Task(work, future))
        return future

    def _write_all(self, connection: Connection) -> None:
        is_last = False
        with connection:
            while not is_last:
                group, is_last = _next_group(self._writing)
                wanted = [task for task in group if task.future.set_running_or_notify_cancel()]
                if wanted:
                    self._write_group(connection, wanted)

    def _write_group(self, connection: Connection, group: list[_Task]) -> None:
        before, done = changes(connection), list[_Done]()
        try:
            with translated(self._path), connection.begin():
                if len(group) == 1:
                    # Nobody else's work to save from an error of this one: the savepoint costs
                    # more than most of the statements.
                    done.append(_run(connection, group[0]))
                    check_transaction(connection)
                else:
                    for task in group:
                        self._write_one(connection, task, done)
                        check_transaction(connection)
        except BaseException as error:  # noqa: BLE001 - top of a thread: the callers hear of it
            _drop(connection)
            for task in group:
                if not task.future.done():
                    task.future.set_exception(error)
            return
        for entry in done:
            for action in entry.actions:
                _guarded(action)
        touched = set[str]().union(*(entry.touched for entry in done))
        for follower in self._followers if touched else ():
            _guarded(partial(follower, touched))
        for entry in done:
            entry.future.set_result(entry.value)
        if changes(connection) != before:
            for listener in self._listeners:
                _guarded(listener)

    def _write_one(self, connection: Connection, task: _Task, done: list[_Done]) -> None:
        try:
            with translated(self._path), connection.begin_nested():
                entry = _run(connection, task)
        except BaseException as error:  # noqa: BLE001 - one caller's error is not the others'
            _drop(connection)
            task.future.set_exception(error)
        else:
            done.append(entry)

    def _read_all(self, connection: Connection) -> None:
        with connection:
            while (task := self._reading.get()) is not None:
                if task.future.set_running_or_notify_cancel():
                    self._read_one(connection, task)

    def _read_one(self, connection: Connection, task: _Task) -> None:
        try:
            with translated(self._path), connection.begin():
                value = task.work(connection)
        except BaseException as error:  # noqa: BLE001 - top of a thread: the caller hears of it
            task.future.set_exception(error)
        else:
            task.future.set_result(value)

    def _dispose(self) -> None:
        for engine in self._engines:
            engine.dispose()


def _run(connection: Connection, task: _Task) -> _Done:
    value = task.work(connection)
    return _Done(task.future, value, take_actions(connection), take_touched(connection))


def _drop(connection: Connection) -> None:
    """What was undone has no consequences."""
    take_actions(connection)
    take_touched(connection)


def _next_group(queue: "SimpleQueue[_Task | None]") -> tuple[list[_Task], bool]:
    """All that is queued, at least one; and whether the end has come."""
    group: list[_Task] = []
    entry = queue.get()
    while entry is not None:
        group.append(entry)
        if len(group) == LARGEST_GROUP:
            return group, False
        try:
            entry = queue.get_nowait()
        except Empty:
            return group, False
    return group, True


def _guarded(action: Action) -> None:
    try:
        action()
    except Exception:
        log.exception("after a commit")
