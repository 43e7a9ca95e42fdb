"""The journal: the batches that were sent, or about to be, since the cache was last written."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from invsync.axis import axis_of
from invsync.errors import StateError
from invsync.state.cache import Cache
from invsync.state.entries import check
from invsync.state.files import (
    FIRST_FORMAT,
    FORMAT,
    Files,
    append_lines,
    read_bytes,
    replace_file,
    said,
    sync_folder,
)
from invsync.state.records import Call, FirstPending, Pending, plain, typed
from invsync.state.values import (
    flag_of,
    moment_of,
    object_of,
    parsed,
    text_of,
)
from invsync.sync import LevelId


class Sent(Struct, frozen=True):
    """A batch as the journal tells it. `pools`: by id, what is to become of each.

    `sent_at` is by the shop's clock, `here` by this machine's; None where 0.1.0 sent it. `applied`
    is None while nothing is known of the outcome. `failures`: how it failed to be known, run by
    run; `waits`: so often that its pools wait for that, while the others go on.
    """

    key: str
    sent_at: str
    call: Call
    pools: dict[str, Pending]
    applied: bool | None = None
    failures: tuple[str, ...] = ()
    waits: bool = False
    here: str | None = None

    @property
    def variables(self) -> dict[str, Any]:
        """What is sent, and sent again."""
        return plain(self.call)

    @property
    def line(self) -> dict[str, Any]:
        """The line that is on disk before the batch leaves."""
        return {
            "batch": self.key,
            "sent_at": self.sent_at,
            "here": self.here,
            "variables": self.variables,
            "pools": {pool_id: plain(pending) for pool_id, pending in self.pools.items()},
        }

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines that tell of a batch that waits, and of nothing else."""
        failures = [{"failed": self.key, "how": how} for how in self.failures]
        return [self.line, *failures, {"waits": self.key}]


class JournalContent(Struct, frozen=True):
    """An unfinished journal.

    The run that wrote it, the run whose cache it goes on from, and its batches.
    """

    run: str
    continues: str
    batches: tuple[Sent, ...]

    @property
    def open(self) -> tuple[Sent, ...]:
        """The batches of whose outcome nothing is known."""
        return tuple(batch for batch in self.batches if batch.applied is None)


class Journal:
    """The file of batches that were sent, or about to be.

    A line is on disk before its call returns.
    """

    def __init__(
        self,
        files: Files,
        *,
        run: str,
        shop: str,
        continues: str,
        shop_id: str = "",
        waiting: Sequence[Sent] = (),
    ) -> None:
        """Write nothing yet: a run that sends nothing leaves no journal.

        `shop`: its domain; `waiting`: the batches that it takes along.
        """
        self._files = files
        self._header = _header(files, run, shop, shop_id, continues)
        self._waiting = waiting
        self._begun = False
        #: Whether a batch was sent (or was about to be) of whose outcome nothing is known.
        self.open = False

    @property
    def begun(self) -> bool:
        """Whether anything was written."""
        return self._begun

    def sending(self, batch: Sent) -> None:
        """Write down a batch, before its request leaves."""
        line = batch.line
        self.open = True
        if self._begun:
            append_lines(self._files.journal, [line])
        elif self._waiting:
            told = [each for batch in self._waiting for each in batch.lines]
            replace_file(self._files.journal, _bytes([self._header, *told, line]))
        else:
            append_lines(self._files.journal, [self._header, line])
        self._begun = True

    def outcome(self, key: str, applied: bool) -> None:
        """Write down what became of a batch."""
        append_lines(self._files.journal, [{"outcome": key, "applied": applied}])
        self.open = False

    def failed(self, key: str, how: str) -> None:
        """Write down how the outcome of a batch failed to be known."""
        note_failure(self._files, key, how)


def _header(files: Files, run: str, shop: str, shop_id: str, continues: str) -> dict[str, Any]:
    return {
        "journal": FORMAT,
        "command": files.command,
        "shop": shop,
        "run": run,
        "cache": continues,
        "shop_id": shop_id,
    }


def _bytes(lines: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def note_failure(files: Files, key: str, how: str) -> None:
    """Write down how the outcome of a batch failed to be known, if there is room for it."""
    with contextlib.suppress(StateError):  # no reason to hide what failed
        append_lines(files.journal, [{"failed": key, "how": how}])


def note_waiting(files: Files, key: str) -> None:
    """Write down that the pools of a batch wait until its outcome is known."""
    append_lines(files.journal, [{"waits": key}])


def read_journal(files: Files, shop: str, shop_id: str = "") -> JournalContent | None:
    """What an earlier run left; None if it left nothing that was ever sent.

    `shop`: the domain that the shop had then. Where both ids are known, they alone tell whose it
    is.
    A torn end was never acted on: a request only leaves once its line is on disk. Raises
    `StateError` for a journal of another shop or command, and for one that is damaged anywhere
    else, its first line included.
    """
    content = read_bytes(files.journal)
    if not content:
        return None
    way_on = (
        f"nothing was sent, the file was kept. Start over with {files.start_over}, which "
        "takes the levels as they are"
    )
    *lines, torn = content.split(b"\n")
    if not lines:
        if _begins(torn, files):
            return None
        raise StateError(f"{files.journal}: does not begin as a journal of invsync does; {way_on}")
    documents = _documents(files, lines, torn, way_on)
    try:
        header, *told = documents
        if header["journal"] not in (FIRST_FORMAT, FORMAT) or header["command"] != files.command:
            raise ValueError("no journal of this command")
        of_shop, of_id = text_of(header["shop"]), text_of(header.get("shop_id", ""))
        if of_id != shop_id if of_id and shop_id else of_shop != shop:
            raise StateError(
                f"{files.journal}: belongs to the shop {of_shop}, not to {shop}; {way_on}"
            )
        outcomes = {
            text_of(line["outcome"]): flag_of(line["applied"]) for line in told if "outcome" in line
        }
        batches = tuple(
            replace(
                _sent(line, files, outcomes, first=header["journal"] == FIRST_FORMAT),
                failures=tuple(
                    text_of(each["how"]) for each in told if each.get("failed") == line["batch"]
                ),
                waits=any(each.get("waits") == line["batch"] for each in told),
            )
            for line in told
            if line.keys().isdisjoint(("outcome", "failed", "waits"))
        )
        keys = [batch.key for batch in batches]
        if len(set(keys)) < len(keys) or not outcomes.keys() <= set(keys):
            raise ValueError("a batch twice, or an outcome of one that it does not hold")
        run, continues = text_of(header["run"]), text_of(header["cache"])
        return JournalContent(run, continues, batches) if batches else None
    except KeyError as error:
        raise StateError(
            f"{files.journal}: is not a journal of invsync {files.command} (the key {error} is "
            f"missing); {way_on}"
        ) from error
    except (TypeError, ValueError) as error:
        raise StateError(
            f"{files.journal}: is not a journal of invsync {files.command} ({error}); {way_on}"
        ) from error


def _documents(
    files: Files, lines: Sequence[bytes], torn: bytes, way_on: str
) -> list[dict[str, Any]]:
    """The lines of a journal; raises `StateError` for one that is damaged but at its end."""
    documents: list[dict[str, Any]] = []
    for at, line in enumerate(lines, 1):
        try:
            documents.append(object_of(parsed(line)))
        except (ValueError, TypeError) as error:
            if 1 < at == len(lines) and not torn and b"\0" in line:
                break  # the disk kept the length of a line that it never got
            raise StateError(
                f"{files.journal}: line {at} is not what invsync writes ({error}); {way_on}"
            ) from error
    return documents


def _begins(torn: bytes, files: Files) -> bool:
    """Whether a first line that breaks off is, as far as it goes, what invsync writes.

    Then it broke off in the first write, and no request had left. Anything else that has bytes may
    have held batches.
    """
    starts = [
        f'{{"journal": {known}, "command": "{files.command}", "shop": "'.encode()
        for known in (FIRST_FORMAT, FORMAT)
    ]
    begins = any(start.startswith(torn) or torn.startswith(start) for start in starts)
    return begins and min(torn) >= 0x20


class _Line(Struct, frozen=True):
    """The line of a batch."""

    batch: str
    sent_at: str
    variables: Call
    pools: dict[str, Pending]
    here: str | None = None


class _FirstLine(Struct, frozen=True):
    """The line of a batch, as 0.1.0 wrote it."""

    batch: str
    sent_at: str
    variables: Call
    pools: dict[str, FirstPending]

    def taken_over(self) -> _Line:
        """The same as it is written today."""
        pools = {pool_id: pending.taken_over() for pool_id, pending in self.pools.items()}
        return _Line(self.batch, self.sent_at, self.variables, pools)


def _sent(
    document: dict[str, Any], files: Files, outcomes: Mapping[str, bool], *, first: bool
) -> Sent:
    """A batch from its line; `first`: as 0.1.0 wrote it.

    Raises `KeyError`, `TypeError` or `ValueError` for one that invsync did not write.
    """
    line = typed(document, _FirstLine).taken_over() if first else typed(document, _Line)
    moment_of(line.sent_at), moment_of(line.here)
    if line.variables.key != line.batch:
        raise ValueError("a batch that would be sent with another key")
    for pool_id, pending in line.pools.items():
        check(pool_id, pending.after)
    _check_levels(line, files)
    return Sent(
        line.batch,
        line.sent_at,
        line.variables,
        line.pools,
        outcomes.get(line.batch),
        here=line.here,
    )


def _check_levels(line: _Line, files: Files) -> None:
    """See that a batch does to its levels what it tells of them; raises as `_sent` does.

    It is of those levels, and no other, and leaves each as its pool then takes it to read.
    """
    changes = {
        LevelId(change.inventory_item_id, change.location_id): change
        for change in line.variables.input.changes
    }
    axis = axis_of(files.command, [level.location for level in changes])
    told = {
        axis.level(pool_id, key): (read.observed, pending.after.levels[key].available)
        for pool_id, pending in line.pools.items()
        for key, read in pending.levels.items()
    }
    if told.keys() != changes.keys() or len(changes) != len(line.variables.input.changes):
        raise ValueError("a batch of other levels than it tells of")
    for level, (before, after) in told.items():
        change = changes[level]
        if after - before != change.delta or change.change_from_quantity not in (None, before):
            raise ValueError("a batch that makes other numbers than it tells of")


def journal_run(files: Files) -> str:
    """The run that wrote the journal; empty where there is none, or none that can be read."""
    try:
        return str(object_of(parsed((read_bytes(files.journal) or b"").partition(b"\n")[0]))["run"])
    except (ValueError, TypeError, KeyError):
        return ""


def belongs(journal: JournalContent, cache: Cache | None, files: Files) -> bool:
    """Whether the journal goes on from this cache.

    False if the cache already holds all that it tells.

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


def leave_waiting(
    files: Files,
    waiting: Sequence[Sent],
    *,
    run: str,
    shop: str,
    shop_id: str,
    continues: str,
) -> None:
    """Forget the batches whose end the cache holds, and keep those that wait."""
    if not waiting:
        remove_journal(files)
        return
    told = [line for batch in waiting for line in batch.lines]
    replace_file(files.journal, _bytes([_header(files, run, shop, shop_id, continues), *told]))


def remove_journal(files: Files) -> None:
    """Forget the batches: the cache holds all that became of them."""
    with said(files.journal):
        files.journal.unlink(missing_ok=True)
        sync_folder(files.folder)
