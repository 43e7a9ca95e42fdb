"""What a person has paused: pools, or everything, since when and maybe until when.

One small file of the state folder, for both commands: the ids of pools tell whose they are. It is
written whole or not at all, by `invsync pause` and `invsync resume` only, while no run is at work.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from invsync.errors import StateError
from invsync.state.files import read_bytes, replace_file
from invsync.state.values import moment_of, object_of, parsed, shown

_FORMAT = 1
_NAME = "paused.json"


class Pause(msgspec.Struct, frozen=True, omit_defaults=True):
    """Since when (UTC text), until when by this machine's clock, and what the pool was called."""

    since: str
    until: str | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Pauses:
    """The pauses in force. `everything`: that of all pools; `pools`: those of some, by id."""

    everything: Pause | None = None
    pools: Mapping[str, Pause] = field(default_factory=dict)

    def of(self, pool: str) -> Pause | None:
        """The pause of a pool, its own or that of everything."""
        return self.pools.get(pool) or self.everything

    def without(self, pools: Collection[str]) -> Pauses:
        """The same, these pools resumed."""
        left = {one: pause for one, pause in self.pools.items() if one not in pools}
        return replace(self, pools=left)


#: Nothing is paused.
NO_PAUSES = Pauses()


def pauses_file(folder: Path) -> Path:
    """Where the pauses of a state folder stand."""
    return folder / _NAME


def read_pauses(folder: Path, now: datetime) -> Pauses:
    """The pauses in force at a moment by this machine's clock; those that have ended are left out.

    Raises `StateError` for a file that does not tell: nothing may be sent on a guess.
    """
    path = pauses_file(folder)
    content = read_bytes(path)
    if content is None:
        return NO_PAUSES
    try:
        document = object_of(parsed(content))
        known = document.get("format")
        everything = _pause(document["all"]) if document.get("all") else None
        pools = {pool: _pause(each) for pool, each in object_of(document["pools"]).items()}
    except KeyError as error:
        raise _damaged(path, f"the key {error} is missing") from error
    except (TypeError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    if known != _FORMAT:
        raise StateError(
            f"{path}: has format {shown(known)}, this invsync knows {_FORMAT}; nothing was sent. "
            "Install the invsync that wrote it"
        )
    if everything is not None and _has_ended(everything, now):
        everything = None
    lasting = {pool: each for pool, each in pools.items() if not _has_ended(each, now)}
    return Pauses(everything, lasting)


def _damaged(path: Path, why: str) -> StateError:
    return StateError(
        f"{path}: is damaged ({why}), so what is paused can't be told; nothing was sent. Delete "
        "it, then pause again what is to be: `invsync pause --all`, say"
    )


def _pause(document: Any) -> Pause:
    pause = msgspec.convert(document, Pause)
    if moment_of(pause.since) is None:
        raise ValueError("a pause that does not say since when")
    moment_of(pause.until)
    return pause


def _has_ended(pause: Pause, now: datetime) -> bool:
    return pause.until is not None and datetime.fromisoformat(pause.until) <= now


def write_pauses(folder: Path, pauses: Pauses) -> None:
    """Put the pauses on disk: whole, or not at all."""
    document = {"format": _FORMAT, "all": pauses.everything, "pools": pauses.pools}
    replace_file(pauses_file(folder), msgspec.json.format(msgspec.json.encode(document)) + b"\n")
