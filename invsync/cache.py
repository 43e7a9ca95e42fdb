"""State on disk: the cache, the journal, the lock, the history, and the record of the last run.

Per command (`variants`, `locations`) the state folder holds

    variants.json      the cache: every pool's quantity and accounted levels, as JSON that a person
    can read variants.journal   the batches that were sent, or about to be, since the cache was last
    written variants.lock      flock'ed while a run is at work; says who holds it variants.last
    how the last run ended, for `invsync status`

and, shared by both, `history.jsonl`. Files are 0600, the folder 0700. Whatever can't be read or
written is a `StateError` (or `LockHeld`), one line with the file and the way on; nothing on disk
was changed by then.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import json
import os
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from invsync.errors import LockHeld, StateError
from invsync.sync import FellAlike, LevelId, Pool

Command = Literal["variants", "locations"]

FORMAT = 1
#: A history file is set aside as `history.jsonl.1` once it is larger than this, and the one before
#: it goes.
HISTORY_BYTES = 20_000_000
#: Room that must be free before anything is sent, beside what the cache takes now.
SPARE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Files:
    """Where one command keeps its state."""

    folder: Path
    command: Command

    @property
    def cache(self) -> Path:
        """The cache."""
        return self.folder / f"{self.command}.json"

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.folder / f"{self.command}.journal"

    @property
    def lock(self) -> Path:
        """The lock."""
        return self.folder / f"{self.command}.lock"

    @property
    def last(self) -> Path:
        """How the last run ended."""
        return self.folder / f"{self.command}.last"

    @property
    def history(self) -> Path:
        """Every applied adjustment."""
        return self.folder / "history.jsonl"

    @property
    def start_over(self) -> str:
        """The command that forgets everything and adopts afresh."""
        return f"`invsync {self.command} --init --reset`"


@dataclass(slots=True)
class Cache:
    """Every pool's quantity and accounted levels. Pools stay as parsed JSON until they are asked for.

    `locations`: the ids of the locations whose levels it holds. `run`: the run that wrote it, empty
    for one that was never written; `finished`: the run whose journal it has taken in, or forgotten.
    `matches`: what the filter was. `scanned_at`: when the last complete scan was done,
    `scan_points`: what it cost by pages. `watermark`: the moment up to which changes are known;
    `fed`: whether the last run relied on the feed of changes for that; `feed_trusted`: whether the
    feed showed what it should have, as far as is known. Moments are by the server's clock, as UTC
    text.
    """

    command: Command
    shop: str
    locations: tuple[str, ...]
    matches: list[str] = field(default_factory=list)
    run: str = ""
    finished: str = ""
    scanned_at: str | None = None
    scan_points: int = 0
    watermark: str | None = None
    fed: bool = False
    feed_trusted: bool = True
    pools: dict[str, dict[str, Any]] = field(default_factory=dict)
    changed: bool = False

    def get(self, pool_id: str) -> Pool | None:
        """What is remembered of a pool; raises `StateError` for an entry that can't be one."""
        entry = self.pools.get(pool_id)
        return None if entry is None else self.decode(pool_id, entry)

    def put(self, pool_id: str, entry: dict[str, Any]) -> None:
        """Remember a pool by its entry, as `encode` gives it."""
        self.pools[pool_id] = entry
        self.changed = True

    def remove(self, pool_id: str) -> None:
        """Forget a pool, so that it is judged afresh if it ever returns."""
        if self.pools.pop(pool_id, None) is not None:
            self.changed = True

    def title(self, pool_id: str) -> str:
        """What people call the pool, or its id."""
        return str(self.pools.get(pool_id, {}).get("title") or pool_id)

    def level(self, pool_id: str, key: str) -> LevelId:
        """The level that the entry of a pool names by `key`: an item (variants) or a location (locations)."""
        return (
            LevelId(key, self.locations[0]) if self.command == "variants" else LevelId(pool_id, key)
        )

    def key(self, level: LevelId) -> str:
        """How the entry of a pool names a level."""
        return level.item if self.command == "variants" else level.location

    def encode(
        self, title: str, pool: Pool, problem: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The entry of a pool. `problem`: what a person is asked to look at (kind, since, message)."""
        entry: dict[str, Any] = {
            "title": title,
            "quantity": pool.quantity,
            "levels": {self.key(level): accounted for level, accounted in pool.accounted.items()},
        }
        if pool.held:
            entry["held"] = {self.key(level): units for level, units in pool.held.items()}
        if pool.braked:
            entry["braked"] = {self.key(level): units for level, units in pool.braked.items()}
            entry["pending"] = pool.pending
        if pool.fell_alike:
            entry["fell_alike"] = [pool.fell_alike.fall, pool.fell_alike.runs]
        if pool.left_alone:
            entry["left_alone"] = True
        if problem:
            entry["problem"] = dict(problem)
        return entry

    def decode(self, pool_id: str, entry: Mapping[str, Any]) -> Pool:
        """The pool of an entry; raises `StateError` for one that can't be."""
        try:
            alike = entry.get("fell_alike")
            return Pool(
                None if entry["quantity"] is None else _whole(entry["quantity"]),
                self._units(pool_id, entry["levels"]),
                self._units(pool_id, entry.get("held", {})),
                self._units(pool_id, entry.get("braked", {})),
                _whole(entry.get("pending", 0)),
                FellAlike(_whole(alike[0]), _whole(alike[1])) if alike else None,
                bool(entry.get("left_alone")),
            )
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise StateError(
                f"{self.command}.json: pool {pool_id} can't be read ({error}); the file was kept. "
                f"Mend it, or start over with `invsync {self.command} --init --reset`"
            ) from error

    def _units(self, pool_id: str, entry: Mapping[str, Any]) -> dict[LevelId, int]:
        return {self.level(pool_id, key): _whole(units) for key, units in entry.items()}


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def take_up(cache: Cache, files: Files, shop: str, locations: tuple[str, ...]) -> Cache:
    """The cache that was read, if it is of this shop; raises `StateError` otherwise.

    `locations`: for `variants` the one location whose levels count; a cache of another one is
    refused.
    """
    if cache.shop != shop:
        raise StateError(
            f"{files.cache}: belongs to the shop {cache.shop}, not to {shop}; nothing was changed. "
            "Give each shop a `state_dir` of its own in the configuration"
        )
    if files.command == "variants" and cache.locations != locations:
        raise StateError(
            f"{files.cache}: was made for location {', '.join(cache.locations)}, not for "
            f"{', '.join(locations)}; "
            "nothing was changed. Set variants.location back, or start over with "
            f"{files.start_over}"
        )
    if set(cache.locations) != set(locations):
        cache.watermark = (
            None  # the levels of a location that opened are old, so no feed shows them
        )
    cache.locations = locations
    return cache


def read_cache(files: Files) -> Cache | None:
    """The cache as it is on disk, of whichever shop; None if there is none."""
    way_on = (
        f"the file was kept. Start over with {files.start_over}, which takes the levels as they are"
    )
    collecting = gc.isenabled()
    gc.disable()  # nothing of a cache is garbage yet, and looking for it takes a fifth of the time
    try:
        text = _read_text(files.cache)
        if text is None:
            return None
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StateError(f"{files.cache}: is not JSON ({error}); {way_on}") from error
    finally:
        gc.freeze()  # and nothing will be, up to the end of the process
        if collecting:
            gc.enable()
    if not isinstance(document, dict) or "format" not in document:
        raise StateError(f"{files.cache}: is not a cache of invsync; {way_on}")
    if document["format"] is not FORMAT:
        raise StateError(
            f"{files.cache}: has format {document['format']!r}, this invsync knows {FORMAT}; the "
            "file was kept. "
            f"Install the invsync that wrote it, or start over with {files.start_over}"
        )
    try:
        cache = Cache(
            command=files.command,
            shop=_text(document["shop"]),
            locations=tuple(_text(location) for location in document["locations"]),
            matches=[_text(term) for term in document["matches"]],
            run=_text(document["run"]),
            finished=_text(document["finished"]),
            scanned_at=_moment(document["scanned_at"]),
            scan_points=_whole(document["scan_points"]),
            watermark=_moment(document["watermark"]),
            fed=_flag(document["fed"]),
            feed_trusted=_flag(document["feed_trusted"]),
            pools=_object(document["pools"]),
        )
        if document["command"] != files.command:
            raise TypeError(f"it is one of {document['command']!r}")
        damaged = [pool_id for pool_id, entry in cache.pools.items() if not _is_entry(entry)]
        if damaged:
            raise TypeError(f"pool {damaged[0]}")
    except KeyError as error:
        raise StateError(
            f"{files.cache}: is damaged (the key {error} is missing); {way_on}"
        ) from error
    except (TypeError, ValueError) as error:
        raise StateError(f"{files.cache}: is damaged ({error}); {way_on}") from error
    return cache


def utc_text(moment: datetime) -> str:
    """A UTC moment as the state files and Shopify's search write it, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_entry(entry: Any) -> bool:
    """Whether the parts are there that are looked at without decoding the pool."""
    return (
        type(entry) is dict
        and "quantity" in entry
        and type(entry.get("levels")) is dict
        and type(entry.get("problem", entry)) is dict
    )


def _moment(value: Any) -> str | None:
    if value is None:
        return None
    if datetime.fromisoformat(_text(value)).tzinfo is None:
        raise ValueError(f"the moment {value!r} has no zone")
    return str(value)


def write_cache(files: Files, cache: Cache, run: str) -> None:
    """Put the cache on disk as `run` leaves it: whole, or not at all."""
    cache.run = run
    document = {
        "format": FORMAT,
        "command": cache.command,
        "shop": cache.shop,
        "locations": cache.locations,
        "matches": cache.matches,
        "run": run,
        "finished": cache.finished,
        "scanned_at": cache.scanned_at,
        "scan_points": cache.scan_points,
        "watermark": cache.watermark,
        "fed": cache.fed,
        "feed_trusted": cache.feed_trusted,
        "pools": cache.pools,
    }
    # A line an entry, for people; the separators keep json's fast encoder, which `indent` would
    # not.
    replace_file(
        files.cache,
        json.dumps(document, ensure_ascii=False, separators=(",\n", ": ")).encode() + b"\n",
    )
    cache.changed = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch as the journal tells it.

    `pools`: pool id → title, why, quantity from and to, `levels` (key → sku, observed), and
    `after`, its cache entry once the batch is applied. `applied` is None while nothing is known of
    the outcome.
    """

    key: str
    sent_at: str
    variables: dict[str, Any]
    pools: dict[str, dict[str, Any]]
    applied: bool | None


@dataclass(frozen=True, slots=True)
class JournalContent:
    """An unfinished journal: the run that wrote it, the run whose cache it goes on from, and its batches."""

    run: str
    continues: str
    batches: tuple[Sent, ...]

    @property
    def open(self) -> tuple[Sent, ...]:
        """The batches of whose outcome nothing is known."""
        return tuple(batch for batch in self.batches if batch.applied is None)


class Journal:
    """The file of batches that were sent, or about to be. A line is on disk before its call returns."""

    def __init__(self, files: Files, *, run: str, shop: str, continues: str) -> None:
        """Write nothing yet: a run that sends nothing leaves no journal."""
        self._files = files
        self._header = {
            "journal": FORMAT,
            "command": files.command,
            "shop": shop,
            "run": run,
            "cache": continues,
        }
        self._begun = False
        #: Whether a batch was sent (or was about to be) of whose outcome nothing is known.
        self.open = False

    @property
    def begun(self) -> bool:
        """Whether anything was written."""
        return self._begun

    def sending(
        self, key: str, sent_at: str, variables: Mapping[str, Any], pools: Mapping[str, Any]
    ) -> None:
        """Write down a batch, before its request leaves."""
        line = {"batch": key, "sent_at": sent_at, "variables": variables, "pools": pools}
        self.open = True
        append_lines(self._files.journal, [line] if self._begun else [self._header, line])
        self._begun = True

    def outcome(self, key: str, applied: bool) -> None:
        """Write down what became of a batch."""
        append_lines(self._files.journal, [{"outcome": key, "applied": applied}])
        self.open = False


def read_journal(files: Files, shop: str) -> JournalContent | None:
    """What an earlier run left; None if it left nothing that was ever sent.

    A torn last line was never acted on: a request only leaves once its line is on disk. Raises
    `StateError` for a journal of another shop or command, and for one that is damaged anywhere
    else.
    """
    content = _read(files.journal)
    if content is None:
        return None
    lines = content.split(b"\n")
    torn = lines.pop()
    way_on = (
        f"nothing was sent, the file was kept. Start over with {files.start_over}, which "
        "takes the levels as they are"
    )
    documents: list[dict[str, Any]] = []
    for at, line in enumerate(lines, 1):
        try:
            documents.append(_object(json.loads(line)))
        except (ValueError, TypeError) as error:
            if at == len(lines) and not torn:
                break  # the disk kept the line's length but not its text
            raise StateError(
                f"{files.journal}: line {at} is not what invsync writes ({error}); {way_on}"
            ) from error
    if not documents:
        return None
    try:
        header, *told = documents
        if header["journal"] is not FORMAT or header["command"] != files.command:
            raise ValueError("no journal of this command")
        if header["shop"] != shop:
            raise StateError(
                f"{files.journal}: belongs to the shop {header['shop']}, not to {shop}; {way_on}"
            )
        outcomes = {
            _text(line["outcome"]): _flag(line["applied"]) for line in told if "outcome" in line
        }
        batches = tuple(_sent(line, outcomes) for line in told if "outcome" not in line)
        if not outcomes.keys() <= {batch.key for batch in batches}:
            raise ValueError("an outcome of a batch that it does not hold")
        return (
            JournalContent(_text(header["run"]), _text(header["cache"]), batches)
            if batches
            else None
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateError(
            f"{files.journal}: is not a journal of invsync {files.command} ({error}); {way_on}"
        ) from error


def _sent(line: dict[str, Any], outcomes: Mapping[str, bool]) -> Sent:
    """A batch from its line; raises `KeyError`, `TypeError` or `ValueError` for one that invsync did not write."""
    sent_at = _text(_moment(line["sent_at"]))
    variables = _object(line["variables"])
    for change in variables["input"]["changes"]:
        _text(change["inventoryItemId"]), _text(change["locationId"]), _whole(change["delta"])
    pools = {pool_id: _object(record) for pool_id, record in _object(line["pools"]).items()}
    for record in pools.values():
        _text(record["title"]), _text(record["why"]), _object(record["quantity"])
        _object(record["after"])["levels"].items()
        for level in _object(record["levels"]).values():
            _text(level["sku"]), _text(level["name"]), _whole(level["observed"])
        for movement in record["moved"]:
            _object(movement)
        for note in record["notes"]:
            _text(note["kind"]), _text(note["message"]), _flag(note["problem"])
    key = _text(line["batch"])
    return Sent(key, sent_at, variables, pools, outcomes.get(key))


def journal_run(files: Files) -> str:
    """The run that wrote the journal; empty where there is none, or none that can be read."""
    try:
        return str(_object(json.loads((_read(files.journal) or b"").partition(b"\n")[0]))["run"])
    except (ValueError, TypeError, KeyError):
        return ""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("no JSON object")
    return value


def belongs(journal: JournalContent, cache: Cache | None, files: Files) -> bool:
    """Whether the journal goes on from this cache; False if the cache already holds all that it tells.

    Raises `StateError` when neither is so: one of the two files is not the other's.
    """
    run = cache.run if cache else ""
    if run == journal.continues:
        return True
    if cache and journal.run in (cache.run, cache.finished):
        return False
    what = (
        f"{files.cache} was written after it"
        if cache
        else f"its cache {files.cache.name} is missing"
    )
    raise StateError(
        f"{files.journal}: holds batches of an unfinished run, but {what}; nothing was sent or "
        "deleted. Put back the "
        f"cache that goes with it, or start over with {files.start_over}, which takes the levels "
        "as they are"
    )


def remove_journal(files: Files) -> None:
    """Forget the batches: the cache holds all that became of them."""
    with _said(files.journal):
        files.journal.unlink(missing_ok=True)
        _sync_folder(files.folder)


def prepare(files: Files) -> None:
    """Make the state folder, and see that there is room: raises `StateError` before anything is sent."""
    with _said(files.folder):
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    probe = files.folder / f".{files.command}.room"
    with _said(files.folder):
        room = SPARE_BYTES + 2 * (files.cache.stat().st_size if files.cache.exists() else 0)
        try:
            descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(descriptor, 0, room)
                elif os.fstatvfs(descriptor).f_bavail * os.fstatvfs(descriptor).f_frsize < room:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            finally:
                os.close(descriptor)
        finally:
            probe.unlink(missing_ok=True)


@contextlib.contextmanager
def lock(files: Files, started_at: str) -> Iterator[None]:
    """Hold the lock; raises `LockHeld`, saying who has it. The kernel lets go of it when the process ends."""
    with _said(files.lock):
        descriptor = os.open(files.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise StateError(
                    f"{files.lock}: can't be locked ({error.strerror}); use a local disk"
                ) from error
            holder = os.read(descriptor, 500).decode(errors="replace").strip() or "somebody"
            raise LockHeld(
                f"another run of `invsync {files.command}` is at work ({holder}); nothing was "
                "done. "
                "It lets go when it ends: try again later"
            ) from None
        with _said(files.lock):
            os.ftruncate(descriptor, 0)
            os.write(
                descriptor,
                f"process {os.getpid()} on {socket.gethostname()} since {started_at}\n".encode(),
            )
        yield
    finally:
        os.close(descriptor)


def holder(files: Files) -> str | None:
    """Who holds the lock, in the holder's own words; None if nobody does. Writes nothing and waits for nothing.

    The lock is only tried where whoever wrote its name may still be alive: in the moment of trying
    it, a run that starts would be turned away.
    """
    with _said(files.lock):
        try:
            descriptor = os.open(files.lock, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            told = os.read(descriptor, 500).decode(errors="replace").strip()
            if not _may_live(told):
                return None
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return told or "somebody"
        finally:
            os.close(descriptor)
    return None


def _may_live(told: str) -> bool:
    """Whether the process that wrote its name into a lock can be alive; one on another machine can't be asked."""
    named = re.match(r"process (\d{1,9}) on (\S+) since", told)
    if named is None or named[2] != socket.gethostname():
        return True
    try:
        os.kill(int(named[1]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def write_last(files: Files, record: Mapping[str, Any]) -> None:
    """Keep how this run ended."""
    replace_file(files.last, json.dumps(record, ensure_ascii=False, indent=1).encode() + b"\n")


def read_last(files: Files) -> dict[str, Any] | None:
    """How the last run ended; None if there was none, or if nobody can tell."""
    content = _read(files.last)
    try:
        return None if content is None else _object(json.loads(content))
    except (ValueError, TypeError):
        return None


def append_history(files: Files, lines: Iterable[Mapping[str, Any]]) -> None:
    """Add to the history; a file that has grown large is set aside first."""
    with _said(files.history):
        if files.history.exists() and files.history.stat().st_size > HISTORY_BYTES:
            files.history.replace(files.history.with_name("history.jsonl.1"))
    append_lines(files.history, lines)


def history_tail(files: Files) -> list[dict[str, Any]]:
    """The lines in the last million bytes of the history; those that can't be read are left out."""
    with _said(files.history):
        if not files.history.exists():
            return []
        with files.history.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 1_000_000))
            lines = file.read().splitlines()
    told = []
    for line in lines:
        with contextlib.suppress(ValueError, TypeError):
            told.append(_object(json.loads(line)))
    return told


def history_lines(files: Files) -> Iterator[bytes]:
    """The lines of the history, oldest first, one at a time: the file that was set aside, then the one in use."""
    for path in (files.history.with_name("history.jsonl.1"), files.history):
        with _said(path), contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            yield from file


def append_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Append JSON lines to a file, on disk when this returns."""
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    if not content:
        return
    with _said(path):
        new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            end = os.fstat(descriptor).st_size
            if end and os.pread(descriptor, 1, end - 1) != b"\n":
                content = b"\n" + content  # a line that was cut off takes no other with it
            _write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            _sync_folder(path.parent)


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file atomically: whoever looks sees the old content or the new, also after a crash."""
    temporary = path.with_name(f".{path.name}.new")
    with _said(path):
        try:
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
            )
            try:
                _write_all(descriptor, content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            temporary.replace(path)
            _sync_folder(path.parent)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> bytes | None:
    with _said(path):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def _read_text(path: Path) -> str | None:
    """What a file says, without its bytes kept beside that; raises `ValueError` where they are no UTF-8."""
    content = _read(path)
    return None if content is None else content.decode("utf-8-sig")


@contextlib.contextmanager
def _said(path: Path) -> Iterator[None]:
    """Turns what the operating system says into a line that names the file."""
    try:
        yield
    except OSError as error:
        where = Path(error.filename).name if isinstance(error.filename, str) else path.name
        raise StateError(
            f"{path}: {error.strerror or error} ({where}); what was there is kept. Make the state "
            "folder writable, "
            "with room on its disk"
        ) from error
