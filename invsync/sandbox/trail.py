"""What has changed: for who keeps the shop, for lists made earlier, and for a lagging index."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from invsync.sandbox.things import AnyStored, Stored


class Trail:
    """What changed in a shop, and what its search index still shows.

    `revision` grows with every change, so that a keeper knows when to save; `catalogue_revision`
    with those of what can be read or searched: what was `remembered` for one value stays good.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.revision = 0
        self.catalogue_revision = 0
        self.remembered: dict[Any, Any] = {}
        #: Changes of available quantities, not yet written to the ledger file, oldest first.
        self.ledger: list[dict[str, Any]] = []
        #: What objects looked like before recent changes: kind and number → (time of the change,
        #: object before).
        self.shadows: dict[tuple[str, int], list[tuple[float, Stored | None]]] = {}

    def changing(self, thing: AnyStored, lag: float) -> AnyStored:
        """Call before an object changes or vanishes. `lag`: of the index, in seconds."""
        self.revision += 1
        self.catalogue_revision += 1
        if lag > 0:
            self._shadow(thing, copy.copy(thing))
        return thing

    def created(self, thing: Stored, lag: float) -> None:
        """Call after an object came into being."""
        self.revision += 1
        self.catalogue_revision += 1
        if lag > 0:
            self._shadow(thing, None)

    def as_indexed(self, thing: AnyStored, lag: float) -> AnyStored | None:
        """The object as the search index shows it now; None if the index has not noticed it yet."""
        if not self.shadows:
            return thing
        trail = self.shadows.get((type(thing).__name__, thing.id))
        if trail:
            seen_until = self._now() - lag
            for changed_at, before in trail:
                if changed_at > seen_until:
                    return before  # type: ignore[return-value]
        return thing

    def forget(self, lag: float, exists: Callable[[str, int], bool]) -> None:
        """Drop the shadows of what the index has noticed by now, or of what is gone."""
        if not self.shadows:
            return
        seen_until = self._now() - lag
        kept = {}
        for which, trail in self.shadows.items():
            if not exists(*which):
                continue
            rest = [entry for entry in trail if entry[0] > seen_until]
            if rest:
                kept[which] = rest
        if len(kept) != len(self.shadows):
            self.catalogue_revision += 1
        self.shadows = kept

    def _shadow(self, thing: Stored, before: Stored | None) -> None:
        self.shadows.setdefault((type(thing).__name__, thing.id), []).append((self._now(), before))
