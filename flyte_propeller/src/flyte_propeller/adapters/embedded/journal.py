"""One SQLite file that keeps objects over restarts. Transactions that wait together share one commit."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from flyte_core.errors import SystemFault, Unavailable

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    api_version TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    metadata BLOB NOT NULL, status BLOB, rest BLOB NOT NULL,
    PRIMARY KEY (api_version, kind, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS versions (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL);
"""
LARGEST_BATCH = 500
"""Transactions of one commit."""


class ObjectKey(NamedTuple):
    """What names an object."""

    api_version: str
    kind: str
    namespace: str
    name: str


class Write(NamedTuple):
    """One change: the parts that changed as JSON, None for those that did not; all None deletes the object."""

    key: ObjectKey
    version: int
    metadata: bytes | None
    status: bytes | None
    rest: bytes | None


class Transaction(NamedTuple):
    """Changes that are made all or none.

    :ivar synced: whether they must outlive a power cut; if not, they outlive the death of this process only
    :ivar done: resolved once they are durable
    """

    writes: Sequence[Write]
    synced: bool
    done: asyncio.Future[None]


class Journal:
    """The file and the thread that writes it. After a write that failed nothing more is written.

    :raises flyte_core.errors.Unavailable: if the file cannot be opened
    """

    def __init__(self, path: Path) -> None:
        try:
            with os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR, 0o600)):
                self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"the cluster's file {path} cannot be opened: {error}") from error
        self._synced = True
        self._fault: SystemFault | None = None
        self._queue: queue.SimpleQueue[Transaction | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_loop, name="cluster-write", daemon=True)
        self._thread.start()

    def load(self) -> Iterator[tuple[ObjectKey, dict[str, Any]]]:
        """Yield every object."""
        query = "SELECT api_version, kind, namespace, name, metadata, status, rest FROM objects"
        for *key, metadata, status, rest in self._connection.execute(query):
            manifest = json.loads(rest)
            manifest["metadata"] = json.loads(metadata)
            if status is not None:
                manifest["status"] = json.loads(status)
            yield ObjectKey(*key), manifest

    def last_version(self) -> int:
        """Return the last resourceVersion given out."""
        row = self._connection.execute("SELECT last FROM versions").fetchone()
        return int(row[0]) if row else 0

    def put(self, transaction: Transaction) -> None:
        """Queue changes."""
        self._queue.put(transaction)

    def close(self) -> None:
        """Write what is queued and close the file."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _write_loop(self) -> None:
        while True:
            batch = [self._queue.get()]
            while len(batch) < LARGEST_BATCH:
                try:
                    batch.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            transactions = [transaction for transaction in batch if transaction is not None]
            if transactions:
                self._commit(transactions)
            if len(transactions) < len(batch):
                return

    def _commit(self, transactions: Sequence[Transaction]) -> None:
        if self._fault is None:
            try:
                self._write(transactions)
            except sqlite3.Error as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                # What comes later was made on top of what is lost now.
                self._fault = Unavailable(f"the cluster's file cannot be written: {error}")
        loop = transactions[0].done.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, transactions, self._fault)

    def _write(self, transactions: Sequence[Transaction]) -> None:
        synced = any(transaction.synced for transaction in transactions)
        if synced != self._synced:
            # In WAL mode NORMAL leaves the fsync out; the next FULL commit makes up for all before it.
            self._connection.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
            self._synced = synced
        self._connection.execute("BEGIN IMMEDIATE")
        for transaction in transactions:
            for write in transaction.writes:
                self._apply(write)
        self._connection.execute(
            "INSERT INTO versions (id, last) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET last = excluded.last",
            (transactions[-1].writes[-1].version,),
        )
        self._connection.execute("COMMIT")

    def _apply(self, write: Write) -> None:
        if write.metadata is None:
            self._connection.execute(
                "DELETE FROM objects WHERE api_version = ? AND kind = ? AND namespace = ? AND name = ?", write.key
            )
        elif write.rest is not None:
            self._connection.execute(
                "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*write.key, write.metadata, write.status, write.rest),
            )
        else:
            self._connection.execute(
                "UPDATE objects SET metadata = ?, status = ?"
                " WHERE api_version = ? AND kind = ? AND namespace = ? AND name = ?",
                (write.metadata, write.status, *write.key),
            )


def _resolve(transactions: Sequence[Transaction], fault: SystemFault | None) -> None:
    for transaction in transactions:
        if transaction.done.done():
            continue
        if fault is None:
            transaction.done.set_result(None)
        else:
            transaction.done.set_exception(fault)
