"""The state on disk: `sandbox.json`, which processes share, and the ledger beside it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from invsync.sandbox.columns import dumps, loads
from invsync.sandbox.results import InFolder, InMemory, Results
from invsync.sandbox.shop import Shop
from invsync.sandbox.starting import starting_shop

#: How long to wait for another process that has the shop open, in seconds.
LOCK_PATIENCE = 20.0


class UnreadableState(Exception):
    """The state file can't be read or written; `str()` is one line that says what to do."""


class Home(Protocol):
    """Where a shop lives: opened, used, and put back by one user at a time."""

    def open(self) -> AbstractContextManager[Shop]:
        """The shop, alone with it until the block ends; changes are then kept."""

    def replace(self, make: Callable[[Callable[[], float]], Shop]) -> Shop:
        """Put another shop, made with this home's clock, in its place."""

    @property
    def results(self) -> Results:
        """Where results of bulk operations are kept."""


class Held:
    """A shop that lives in this process; `ledger` collects what was applied.

    `results`: where those of bulk operations are kept, in memory unless said.
    """

    def __init__(self, shop: Shop, results: Results | None = None) -> None:
        self.shop = shop
        self.results = results or InMemory()
        self._lock = threading.RLock()

    @contextmanager
    def open(self) -> Iterator[Shop]:
        """The shop, for one thread at a time."""
        with self._lock:
            yield self.shop

    def replace(self, make: Callable[[Callable[[], float]], Shop]) -> Shop:
        """Put another shop in its place; the settings stay."""
        with self._lock:
            self.results.clear()
            settings, self.shop = self.shop.settings, make(self.shop.now)
            self.shop.settings = settings
            return self.shop


class StateFile:
    """A shop in a file: locked, read again if another process changed it, and written back.

    A file that does not exist yet begins as the starting shop. `ledger` is `sandbox.ledger.jsonl`
    beside `sandbox.json`, and results of bulk operations are files in `sandbox-bulk`. Raises
    UnreadableState.
    """

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        self.path = path
        self.ledger = path.with_name(f"{path.stem}.ledger.jsonl")
        self.results = InFolder(path.with_name(f"{path.stem}-bulk"))
        self._now = now
        self._shop: Shop | None = None
        self._seen: tuple[int, int, int] | None = None
        self._lock = threading.RLock()

    @contextmanager
    def open(self) -> Iterator[Shop]:
        """The shop, alone with it among all threads and processes.

        Saved at the end if it changed.
        """
        with self.locked():
            shop = self.current()
            revision, available = shop.trail.revision, shop.account.bucket.available
            try:
                yield shop
            finally:
                if shop.trail.ledger or shop.trail.revision != revision:
                    self.save(shop)
                elif shop.account.bucket.available != available:
                    self._save_bucket(shop)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other thread and process out."""
        with self._lock, locked_file(self.path):
            yield

    def replace(self, make: Callable[[Callable[[], float]], Shop]) -> Shop:
        """Put another shop in its place, whatever is there now.

        Settings and ledger begin anew, too.
        """
        shop = make(self._now)
        with self.locked():
            self.ledger.unlink(missing_ok=True)
            self.results.clear()
            self.save(shop)
        return shop

    def save(self, shop: Shop) -> None:
        """Write the shop and its new ledger lines."""
        self._shop = shop
        shop.forget_shadows()
        try:
            self.append_ledger(shop)
            _write(self.path, dumps(shop))
            self._save_bucket(shop)
        except OSError as error:
            raise UnreadableState(f"{self.path}: can't be written: {error.strerror}") from None
        self._seen = _identity(self.path)

    def append_ledger(self, shop: Shop) -> None:
        """Write the ledger lines that are not on disk yet."""
        if shop.trail.ledger:
            lines = "".join(
                json.dumps(entry, ensure_ascii=False) + "\n" for entry in shop.trail.ledger
            )
            descriptor = os.open(self.ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(lines)
            shop.trail.ledger.clear()

    def read_ledger(self) -> list[dict[str, Any]]:
        """Every change of an available quantity since the shop began, oldest first."""
        try:
            with self.ledger.open(encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return []

    def current(self) -> Shop:
        """The shop as it is on disk now; call it with the lock held."""
        identity = _identity(self.path)
        if self._shop is None:
            self.results.begin()
        if self._shop is None or identity != self._seen:
            if identity is None:
                self.save(starting_shop(now=self._now))
            else:
                self._shop = load(self.path, now=self._now)
                self._seen = identity
        shop = self._shop
        assert shop is not None
        with contextlib.suppress(OSError, ValueError):
            shop.account.bucket.available, shop.account.bucket.at = json.loads(
                self._bucket_path.read_bytes()
            )
        return shop

    @property
    def _bucket_path(self) -> Path:
        return self.path.with_name(f"{self.path.stem}.bucket.json")

    def _save_bucket(self, shop: Shop) -> None:
        """The bucket moves with every query, the shop does not: it has a small file of its own."""
        _write(
            self._bucket_path, json.dumps([shop.account.bucket.available, shop.account.bucket.at])
        )


def load(path: Path, *, now: Callable[[], float] = time.time) -> Shop:
    """Read a shop. Raises UnreadableState."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UnreadableState(f"{path}: can't be read: {error.strerror}") from None
    try:
        return loads(text, now=now)
    except (ValueError, KeyError, TypeError, IndexError):
        raise UnreadableState(
            f"{path}: is not a sandbox shop of this version; remove it, or run `invsync sandbox "
            "reset`"
        ) from None


def _identity(path: Path) -> tuple[int, int, int] | None:
    """What tells one version of a file from the next; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _write(path: Path, text: str) -> None:
    """Replace a file in one step: a process that is killed here leaves the old one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def locked_file(path: Path) -> Iterator[None]:
    """Keep every other process out; the lock dies with this one.

    Raises UnreadableState after some seconds.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UnreadableState(f"{lock.parent}: can't be written: {error.strerror}") from None
    try:
        _wait_for(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, path: Path) -> None:
    """Take the lock, but don't wait for ever: a large shop's server keeps it while it runs."""
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise UnreadableState(
                    f"{path}: another process keeps it open;"
                    " if it is `invsync sandbox serve`, set api_url to its address"
                ) from None
            time.sleep(0.005)
        else:
            return
