"""The pools of a cache, each kept as the JSON that it is on disk.

As values, those of a large shop take four times the memory, and hardly one of them is asked for in
a run: so each is looked at once, as it comes, and made a value again where it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping

import msgspec

from invsync.state.entries import Entry, FirstEntry, StoodStill, check

_decode = msgspec.json.Decoder(Entry).decode
_decode_first = msgspec.json.Decoder(FirstEntry).decode
_encode = msgspec.json.Encoder().encode


def _taken_over(json: msgspec.Raw) -> Entry:
    return _decode_first(json).taken_over()


class Pools(MutableMapping[str, Entry]):
    """Pool id → entry, in the order in which they came; an entry is changed by putting another.

    What is asked of all of them is noted as they come, by pool id. `quantities`: of those that are
    managed and have several levels; `reserves`: where there are any; `single`: those of one level;
    `paused`: those that runs have left alone; `unsettled`: those of which something is left to do;
    `aside`: those that only a complete scan looks at.
    """

    def __init__(self) -> None:
        self._entries: dict[str, bytes | msgspec.Raw] = {}
        self.quantities: dict[str, int] = {}
        self.reserves: dict[str, int] = {}
        self.single: set[str] = set()
        self.paused: dict[str, StoodStill] = {}
        self.unsettled: set[str] = set()
        self.aside: set[str] = set()

    @classmethod
    def read(cls, entries: Mapping[str, msgspec.Raw], *, first: bool) -> Pools:
        """The pools of a file, all of them looked at; raises `ValueError` for what are none.

        `first`: they are of format 1.
        """
        pools = cls()
        for pool_id, json in entries.items():
            try:
                entry = _taken_over(json) if first else _decode(json)
            except ValueError as error:
                raise ValueError(f"pool {pool_id}: {error}") from error
            check(pool_id, entry)
            pools._entries[pool_id] = _encode(entry) if first else json
            pools._note(pool_id, entry)
        return pools

    def as_now(self) -> Pools:
        """The same, which stays as it is whatever becomes of these."""
        pools = type(self)()
        pools._entries, pools.aside = dict(self._entries), set(self.aside)
        return pools

    def __getitem__(self, pool_id: str) -> Entry:
        return _decode(self._entries[pool_id])

    def get(self, pool_id: str, default: None = None) -> Entry | None:  # type: ignore[override]
        """As of any mapping; most that are asked for at `--init` are not there."""
        return self[pool_id] if pool_id in self._entries else default

    def __setitem__(self, pool_id: str, entry: Entry) -> None:
        if pool_id in self._entries:
            self._unnote(pool_id)
        self._entries[pool_id] = _encode(entry)
        self._note(pool_id, entry)

    def __delitem__(self, pool_id: str) -> None:
        del self._entries[pool_id]
        self._unnote(pool_id)

    def _note(self, pool_id: str, entry: Entry) -> None:
        if not entry.several:
            self.single.add(pool_id)
        elif entry.quantity is not None:
            self.quantities[pool_id] = entry.quantity
        if entry.reserve:
            self.reserves[pool_id] = entry.reserve
        if entry.paused is not None:
            self.paused[pool_id] = entry.paused
        if not entry.settled:
            self.unsettled.add(pool_id)
        if entry.aside:
            self.aside.add(pool_id)

    def _unnote(self, pool_id: str) -> None:
        self.quantities.pop(pool_id, None)
        self.reserves.pop(pool_id, None)
        self.single.discard(pool_id)
        self.paused.pop(pool_id, None)
        self.unsettled.discard(pool_id)
        self.aside.discard(pool_id)

    def with_other_reserve(self, reserve: int) -> set[str]:
        """The managed pools of several levels that were left with another reserve."""
        kept = self.reserves
        some = self.quantities if reserve else self.quantities.keys() & kept
        return {pool_id for pool_id in some if kept.get(pool_id, 0) != reserve}

    @property
    def kept_back(self) -> int:
        """The units of all managed pools of several levels that no level shows."""
        units = self.quantities
        return sum(
            max(0, min(kept, units[pool_id]))
            for pool_id, kept in self.reserves.items()
            if pool_id in units
        )

    def __contains__(self, pool_id: object) -> bool:
        return pool_id in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def encoded(self) -> bytes:
        """All of them as the JSON object that `read` takes, a line each."""
        lines = [
            part
            for pool_id, json in self._entries.items()
            for part in (b",\n", _encode(pool_id), b": ", json)
        ]
        return b"".join([b"{\n", *lines[1:], b"\n}"])
