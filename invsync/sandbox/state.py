"""The state on disk: `sandbox.json`, which processes share, and the ledger beside it."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, fields
from operator import attrgetter
from pathlib import Path
from typing import Any, Protocol

from invsync.sandbox.results import InFolder, InMemory, Results
from invsync.sandbox.shop import (
    BulkJob,
    Item,
    Level,
    Location,
    Product,
    Remembered,
    Settings,
    Shop,
    Stored,
    Variant,
)
from invsync.sandbox.starting import starting_shop

#: Number of the file's format; a file of another number is refused.
FORMAT = 1

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
            revision, available = shop.revision, shop.bucket.available
            try:
                yield shop
            finally:
                if shop.ledger or shop.revision != revision:
                    self.save(shop)
                elif shop.bucket.available != available:
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
        if shop.ledger:
            lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in shop.ledger)
            descriptor = os.open(self.ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(lines)
            shop.ledger.clear()

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
            shop.bucket.available, shop.bucket.at = json.loads(self._bucket_path.read_bytes())
        return shop

    @property
    def _bucket_path(self) -> Path:
        return self.path.with_name(f"{self.path.stem}.bucket.json")

    def _save_bucket(self, shop: Shop) -> None:
        """The bucket moves with every query, the shop does not: it has a small file of its own."""
        _write(self._bucket_path, json.dumps([shop.bucket.available, shop.bucket.at]))


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


def dumps(shop: Shop) -> str:
    """The shop as JSON, in columns: one list per attribute, which loads and saves quickly."""
    shadows = [
        [kind, number, [[at, None if before is None else _row(before)] for at, before in trail]]
        for (kind, number), trail in shop.shadows.items()
        if shop.has(kind, number)
    ]
    return json.dumps(
        {
            "format": FORMAT,
            "domain": shop.domain,
            "name": shop.name,
            "time_zone": shop.time_zone,
            "settings": asdict(shop.settings),
            "last_id": shop.last_id,
            "locations": _columns(Location, shop.locations.values()),
            "products": _columns(Product, shop.products.values()),
            "items": _columns(Item, shop.items.values()),
            "variants": _columns(Variant, shop.variants.values()),
            "levels": _columns(Level, shop.levels.values()),
            "shadows": shadows,
            "bucket": [shop.bucket.available, shop.bucket.at],
            "keys": {
                key: [used.fingerprint, used.at, used.outcome]
                for key, used in shop.keys.items()
                if used.at + shop.settings.key_retention > shop.now()
            },
            "jobs": [asdict(job) for job in shop.jobs.values()],
            "tokens": shop.tokens,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def loads(text: str | bytes, *, now: Callable[[], float] = time.time) -> Shop:
    """A shop from `dumps`.

    Raises ValueError, KeyError, TypeError or IndexError for anything else.
    """
    collecting = gc.isenabled()
    gc.disable()  # half a million new objects, none of them garbage
    try:
        return _from_columns(json.loads(text), now)
    finally:
        if collecting:
            gc.enable()


#: The attributes of each kind that are written; references are written as numbers.
_WRITTEN: dict[type[Stored], tuple[str, ...]] = {
    Location: (
        "id",
        "name",
        "active",
        "fulfillment_service",
        "primary",
        "created_at",
        "updated_at",
    ),
    Product: (
        *("id", "title", "handle", "product_type", "tags", "status"),
        *("gift_card", "vendor", "created_at", "updated_at"),
    ),
    Item: ("id", "sku", "tracked", "created_at", "updated_at"),
    Variant: (
        *("id", "product.id", "item.id", "title", "sku", "options", "position"),
        *("requires_components", "created_at", "updated_at"),
    ),
    Level: (
        *("id", "item.id", "location.id", "available", "committed"),
        *("active", "created_at", "updated_at", "others"),
    ),
}


def _columns(kind: type[Stored], things: Iterable[Stored]) -> list[list[Any]]:
    held = list(things)
    return [list(map(attrgetter(name), held)) for name in _WRITTEN[kind]]


def _row(thing: Stored) -> list[Any]:
    return [attrgetter(name)(thing) for name in _WRITTEN[type(thing)]]


def _from_columns(document: dict[str, Any], now: Callable[[], float]) -> Shop:
    if document["format"] != FORMAT:
        raise ValueError("another format")
    shop = Shop(document["domain"], now=now)
    shop.name, shop.time_zone = document["name"], document["time_zone"]
    known = {setting.name for setting in fields(Settings)}
    shop.settings = Settings(
        **{name: value for name, value in document["settings"].items() if name in known}
    )
    shop.settings.scopes = tuple(shop.settings.scopes)
    shop.last_id = document["last_id"]
    shop.locations = {place.id: place for place in map(Location, *document["locations"])}
    shop.products = {product.id: product for product in map(_product, *document["products"])}
    shop.items = {item.id: item for item in map(Item, *document["items"])}
    read = _Reader(shop)
    for variant in map(read.variant, *document["variants"]):
        shop.variants[variant.id] = variant
        variant.product.variants.append(variant)
        variant.item.variants.append(variant)
    for level in map(read.level, *document["levels"]):
        shop.levels[level.id] = level
        level.item.levels[level.location.id] = level
    for product in shop.products.values():
        if len(product.variants) > 1:
            product.variants.sort(key=attrgetter("position"))
    for kind, number, trail in document["shadows"]:
        shop.shadows[kind, number] = [
            (at, None if row is None else read.shadow(kind, row)) for at, row in trail
        ]
    shop.bucket.available, shop.bucket.at = document["bucket"]
    shop.keys = {key: Remembered(*used) for key, used in document["keys"].items()}
    shop.jobs = {job["id"]: BulkJob(**job) for job in document["jobs"]}
    shop.tokens = document["tokens"]
    return shop


def _product(
    number: int, title: str, handle: str, kind: str, tags: list[str], *rest: Any
) -> Product:
    return Product(number, title, handle, kind, tuple(tags), *rest)


class _Reader:
    """Turns rows into objects that refer to each other."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def variant(
        self,
        number: int,
        product: int,
        item: int,
        title: str,
        sku: str,
        options: list[list[str]],
        *rest: Any,
    ) -> Variant:
        pairs = tuple((name, value) for name, value in options)
        return Variant(
            number, self._shop.products[product], self._shop.items[item], title, sku, pairs, *rest
        )

    def level(self, number: int, item: int, location: int, *rest: Any) -> Level:
        return Level(number, self._shop.items[item], self._shop.locations[location], *rest)

    def shadow(self, kind: str, row: list[Any]) -> Stored | None:
        """An object as it was; None if what it belonged to is gone: nothing can find it then."""
        try:
            match kind:
                case "Location":
                    return Location(*row)
                case "Product":
                    return _product(*row)
                case "Item":
                    return Item(*row)
                case "Variant":
                    return self.variant(*row)
                case _:
                    return self.level(*row)
        except KeyError:
            return None


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
