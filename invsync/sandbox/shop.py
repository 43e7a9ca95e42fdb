"""The shop's state: a catalogue in which units move."""

from __future__ import annotations

import time
from collections.abc import Callable

from invsync.sandbox.account import Account, Bucket
from invsync.sandbox.catalogue import Catalogue
from invsync.sandbox.holdings import NotInShop
from invsync.sandbox.things import ItemLike, Level, Location, LocationLike


class Shop(Catalogue):
    """A whole shop. Make one with `starting.starting_shop()`, or an empty one here, and edit it.

    `now` gives unix seconds. Every movement of an available quantity is in the trail's ledger.
    """

    def __init__(
        self, domain: str = "sandbox.myshopify.com", *, now: Callable[[], float] = time.time
    ) -> None:
        super().__init__(now)
        self.domain = domain
        self.account = Account(Bucket(available=self.settings.bucket_size, at=now()))

    # -- the customer and the clerk

    def sell(
        self,
        which: ItemLike,
        units: int = 1,
        location: LocationLike = None,
        *,
        shipped: bool = False,
    ) -> Level:
        """A customer's order: units go from available to committed. It may oversell.

        `shipped`: they leave the house at once, as at a till or where an order is marked fulfilled
        as it is placed. Without a location the primary one is used, or the first where the item is
        active if it is not stocked there. An untracked item's quantities stay as they are.
        """
        level = self.level_for_order(which, location)
        if level.item.tracked:
            self.move(level, -units, by="customer", committed=0 if shipped else units)
        return level

    def cancel(self, which: ItemLike, units: int = 1, location: LocationLike = None) -> Level:
        """A cancelled order: units go back from committed to available."""
        level = self.level_for_order(which, location)
        if level.item.tracked:
            self.move(level, units, by="customer", committed=-units)
        return level

    def ship(self, which: ItemLike, units: int = 1, location: LocationLike = None) -> Level:
        """An order leaves the house: committed and on hand fall, available stays."""
        level = self.level_for_order(which, location)
        self._change_level(level)
        level.committed -= units
        return level

    def transfer(
        self, which: ItemLike, units: int, origin: LocationLike, destination: LocationLike
    ) -> Level:
        """A transfer, made ready, sent and received.

        Available and on hand move from place to place.
        """
        self.level(which, destination)  # before anything moves
        self.ready_transfer(which, units, origin)
        self.send_transfer(which, units, origin, destination)
        return self.receive_transfer(which, units, destination)

    def ready_transfer(self, which: ItemLike, units: int, origin: LocationLike) -> Level:
        """A transfer is made ready: units go from available to reserved (recorded)."""
        level = self.level(which, origin)
        self.move(level, -units, by="clerk")
        self.set_aside(level, "reserved", units)
        return level

    def cancel_transfer(self, which: ItemLike, units: int, origin: LocationLike) -> Level:
        """A transfer that was ready is cancelled: its units go back (recorded)."""
        level = self.level(which, origin)
        self.set_aside(level, "reserved", -units)
        self.move(level, units, by="clerk")
        return level

    def send_transfer(
        self, which: ItemLike, units: int, origin: LocationLike, destination: LocationLike
    ) -> Level:
        """A transfer's shipment leaves: reserved and on hand fall, incoming rises (recorded)."""
        self.set_aside(self.level(which, origin), "reserved", -units)
        level = self.level(which, destination)
        self.set_aside(level, "incoming", units)
        return level

    def receive_transfer(self, which: ItemLike, units: int, destination: LocationLike) -> Level:
        """A shipment is received: units go from incoming to available (inferred: not recorded)."""
        level = self.level(which, destination)
        self.set_aside(level, "incoming", -units)
        self.move(level, units, by="clerk")
        return level

    def restock(self, which: ItemLike, units: int, location: LocationLike = None) -> Level:
        """The clerk books units in."""
        level = self.level(which, location)
        self.move(level, units, by="clerk")
        return level

    def set_available(self, which: ItemLike, quantity: int, location: LocationLike = None) -> Level:
        """The clerk types a quantity in."""
        level = self.level(which, location)
        if quantity != level.available:
            self.move(level, quantity - level.available, by="clerk")
        return level

    def close_location(self, which: LocationLike, *, move_to: LocationLike = None) -> Location:
        """Deactivate a location: its levels vanish from reads until it opens again.

        `move_to`: where Shopify moves its stock, available and committed; None: it stays.
        """
        location = self.location(which)
        if move_to is not None:
            self._move_stock(location, self.location(move_to))
        self._changing(location).updated_at = int(self.now())
        location.active = False
        return location

    def stock_at(self, location: Location) -> list[Level]:
        """The active levels of a location that hold anything."""
        levels = (item.levels.get(location.id) for item in self.items.values())
        return [
            level
            for level in levels
            if level is not None and level.active and (level.available or level.committed)
        ]

    def _move_stock(self, origin: Location, destination: Location) -> None:
        for level in self.stock_at(origin):
            there = level.item.levels.get(destination.id)
            if there is None or not there.active:
                there = self.stock(level.item, destination)
            available, committed = level.available, level.committed
            self.move(level, -available, by="clerk", committed=-committed)
            self.move(there, available, by="clerk", committed=committed)

    def move(
        self,
        level: Level,
        delta: int,
        *,
        by: str,
        committed: int = 0,
        key: str | None = None,
        reference: str | None = None,
    ) -> None:
        """Change an available quantity by `delta`, and write the ledger."""
        before = level.available
        self._change_level(level)
        level.available = before + delta
        level.committed += committed
        self.trail.ledger.append(
            {
                "time": round(self.now(), 3),
                "by": by,
                "item": level.item.gid,
                "sku": level.item.sku,
                "location": level.location.gid,
                "location_name": level.location.name,
                "before": before,
                "delta": delta,
                "after": level.available,
                "idempotency_key": key,
                "reference_document_uri": reference,
            }
        )

    def set_aside(self, level: Level, name: str, delta: int) -> None:
        """Change `incoming` or a quantity of `SET_ASIDE`."""
        self._change_level(level)
        level.others = {**(level.others or {}), name: level.quantity(name) + delta}

    def level_for_order(self, which: ItemLike, location: LocationLike) -> Level:
        """The level that an order takes from; see `sell`. Raises NotInShop."""
        item = self.item(which)
        if location is not None:
            return self.level(item, location)
        level = item.levels.get(self.primary.id)
        if level is not None and level.live:
            return level
        for level in item.levels.values():
            if level.live:
                return level
        raise NotInShop(f'"{item.sku}" is not stocked anywhere')
