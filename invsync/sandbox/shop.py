"""The shop's state, edited like a normal object.

Every edit goes through a method of `Shop`, which moves the right `updatedAt` (the product's too
when its inventory moves), writes the ledger, and remembers what a lagging search index still shows.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from invsync.sandbox.gids import gid, level_gid, number_of

#: Quantity names that count towards `on_hand`, beside `available` and `committed`.
SET_ASIDE = ("reserved", "damaged", "safety_stock", "quality_control")

#: Every status that a product can have.
STATUSES = ("ACTIVE", "ARCHIVED", "DRAFT", "UNLISTED")


class NotInShop(LookupError):
    """The shop has no such product, variant, location or level.

    `str()` is one line for a person.
    """


@dataclass(slots=True)
class Settings:
    """How this shop behaves; part of the state, so that every door obeys it.

    Times are in seconds.
    """

    #: How long the search index takes to notice a change.
    index_lag: float = 0.0
    #: How long an idempotency key is remembered (Shopify: 24 h).
    key_retention: float = 86_400.0
    #: Size of the point bucket, and points restored per second.
    bucket_size: float = 2_000.0
    restore_rate: float = 100.0
    #: How long a bulk operation is CREATED, and how long it is RUNNING after that.
    bulk_queue_time: float = 0.05
    bulk_run_time: float = 0.2
    #: Bulk queries that may run at once.
    bulk_limit: int = 5
    #: Order of a bulk result: `grouped`, `apart` (children after all parents) or `shuffled`.
    #: `groupObjects: true` always gives `grouped`.
    bulk_order: str = "apart"
    #: How long the URL of a bulk result works (Shopify: 7 days).
    url_lifetime: float = 604_800.0
    #: How long a granted token works, and what it (or an admin-made app's token) may do.
    token_lifetime: float = 86_399.0
    scopes: tuple[str, ...] = ("read_products", "read_locations", "write_inventory")


@dataclass(slots=True, eq=False)
class Location:
    """A place that holds stock."""

    id: int
    name: str
    active: bool = True
    fulfillment_service: bool = False
    primary: bool = False
    created_at: int = 0
    updated_at: int = 0

    @property
    def gid(self) -> str:
        """Its global id."""
        return gid("Location", self.id)


@dataclass(slots=True, eq=False)
class Product:
    """A product with its variants, in order of position."""

    id: int
    title: str
    handle: str
    product_type: str = ""
    tags: tuple[str, ...] = ()
    status: str = "ACTIVE"
    gift_card: bool = False
    vendor: str = "Sandbox"
    created_at: int = 0
    updated_at: int = 0
    variants: list[Variant] = field(default_factory=list, repr=False)

    @property
    def gid(self) -> str:
        """Its global id."""
        return gid("Product", self.id)


@dataclass(slots=True, eq=False)
class Variant:
    """A variant of a product. Two variants may share one inventory item."""

    id: int
    product: Product = field(repr=False)
    item: Item = field(repr=False)
    title: str
    sku: str
    options: tuple[tuple[str, str], ...] = ()
    position: int = 1
    requires_components: bool = False
    created_at: int = 0
    updated_at: int = 0

    @property
    def gid(self) -> str:
        """Its global id."""
        return gid("ProductVariant", self.id)


@dataclass(slots=True, eq=False)
class Item:
    """An inventory item; `levels` is keyed by the location's number."""

    id: int
    sku: str
    tracked: bool = True
    created_at: int = 0
    updated_at: int = 0
    variants: list[Variant] = field(default_factory=list, repr=False)
    levels: dict[int, Level] = field(default_factory=dict, repr=False)

    @property
    def gid(self) -> str:
        """Its global id."""
        return gid("InventoryItem", self.id)


@dataclass(slots=True, eq=False)
class Level:
    """The quantities of one item at one location."""

    id: int
    item: Item = field(repr=False)
    location: Location = field(repr=False)
    available: int = 0
    committed: int = 0
    active: bool = True
    created_at: int = 0
    updated_at: int = 0
    #: `incoming` and the quantities of `SET_ASIDE`, where they are not 0.
    others: dict[str, int] | None = None

    @property
    def gid(self) -> str:
        """Its global id."""
        return level_gid(self.id, self.item.id)

    @property
    def on_hand(self) -> int:
        """Available, committed and everything set aside; it stops at 0, as was recorded."""
        aside = sum(self.others.get(name, 0) for name in SET_ASIDE) if self.others else 0
        return max(0, self.available + self.committed + aside)

    @property
    def live(self) -> bool:
        """Whether the item can be sold here: an active level at an active location."""
        return self.active and self.location.active

    def quantity(self, name: str) -> int:
        """The quantity of that name; 0 for one that was never touched."""
        if name == "available":
            return self.available
        if name == "committed":
            return self.committed
        if name == "on_hand":
            return self.on_hand
        return self.others.get(name, 0) if self.others else 0


#: What the shop holds and the search index shows.
Stored = Location | Product | Variant | Item | Level
_S = TypeVar("_S", bound=Stored)
#: How a caller may name an inventory item.
ItemLike = str | Variant | Item
#: How a caller may name a location; None is the primary one.
LocationLike = str | int | Location | None


@dataclass(slots=True)
class Bucket:
    """The leaky bucket of points: what was available, and when that was so."""

    available: float = 2_000.0
    at: float = 0.0


@dataclass(slots=True)
class Remembered:
    """What an idempotency key was used for: fingerprint of the call, when, and how it ended."""

    fingerprint: str
    at: float
    #: None for a call that ended in user errors.
    outcome: dict[str, Any] | None


@dataclass(slots=True)
class BulkJob:
    """A bulk operation, from its start to its result."""

    id: int
    query: str
    version: str
    grouped: bool
    created_at: float
    #: Another app's operation: it counts against nothing but is seen in lists.
    foreign: bool = False
    cancelled_at: float | None = None
    #: When another app's operation is over.
    until: float = 0.0
    #: How it is made to end, if not well (FAILED, CANCELED, EXPIRED), with which error, and whether
    #: it leaves a part.
    ends_as: str | None = None
    error_code: str | None = None
    partial: bool = True
    #: Faults of its URL: never given out, or expired from the start.
    no_url: bool = False
    url_expired: bool = False
    #: Once it is over: numbers of objects, roots and bytes, and the signature of its URL; None
    #: while it runs.
    result: dict[str, Any] | None = None


class Shop:
    """A whole shop. Make one with `starting.starting_shop()`, or an empty one here, and edit it.

    `now` gives unix seconds. `revision` grows with every change, so that a keeper knows when to
    save.
    """

    def __init__(
        self, domain: str = "sandbox.myshopify.com", *, now: Callable[[], float] = time.time
    ) -> None:
        self.domain = domain
        self.name = "Sandbox"
        self.time_zone = "America/New_York"
        self.settings = Settings()
        self.now = now
        self.locations: dict[int, Location] = {}
        self.products: dict[int, Product] = {}
        self.variants: dict[int, Variant] = {}
        self.items: dict[int, Item] = {}
        self.levels: dict[int, Level] = {}
        self.bucket = Bucket(available=self.settings.bucket_size, at=now())
        self.keys: dict[str, Remembered] = {}
        self.jobs: dict[int, BulkJob] = {}
        self.tokens: dict[str, float] = {}
        #: What was applied and not yet written to the ledger file, oldest first.
        self.ledger: list[dict[str, Any]] = []
        #: What objects looked like before recent changes: kind and number → (time of the change,
        #: object before).
        self.shadows: dict[tuple[str, int], list[tuple[float, Stored | None]]] = {}
        self.revision = 0
        #: Grows with changes of what can be read or searched: results remembered for one value stay
        #: good.
        self.catalogue_revision = 0
        self._last_id = 1_000
        self._by_sku: dict[str, list[Variant]] | None = None
        self.remembered: dict[Any, Any] = {}

    # -- looking things up -------------------------------------------------------------------------

    def new_id(self) -> int:
        """A number that no object of this shop has had."""
        self._last_id += 1
        return self._last_id

    @property
    def last_id(self) -> int:
        """The newest number that was given out."""
        return self._last_id

    @last_id.setter
    def last_id(self, number: int) -> None:
        self._last_id = number

    @property
    def primary(self) -> Location:
        """The primary location: the one where orders are placed unless they name another."""
        for location in self.locations.values():
            if location.primary:
                return location
        raise NotInShop("the shop has no primary location")

    def location(self, which: LocationLike = None) -> Location:
        """The location of that name, number or global id; None: the primary one.

        Raises NotInShop.
        """
        if which is None:
            return self.primary
        if isinstance(which, Location):
            return which
        for location in self.locations.values():
            if which in (location.name, location.id, location.gid):
                return location
        names = ", ".join(f'"{location.name}"' for location in self.locations.values())
        raise NotInShop(f'no location "{which}"; the shop has {names}')

    def product(self, title: str) -> Product:
        """The product of that title, handle or global id. Raises NotInShop."""
        for product in self.products.values():
            if title in (product.title, product.handle, product.gid):
                return product
        raise NotInShop(f'no product "{title}"')

    def variant(self, sku: str) -> Variant:
        """The variant with that SKU (the oldest, should several share one item).

        Raises NotInShop for an unknown SKU, or one that belongs to several items.
        """
        if self._by_sku is None:
            self._by_sku = {}
            for variant in self.variants.values():
                self._by_sku.setdefault(variant.sku, []).append(variant)
        found = self._by_sku.get(sku, [])
        if len({variant.item.id for variant in found}) > 1:
            titles = ", ".join(f'"{variant.product.title}"' for variant in found)
            raise NotInShop(f'SKU "{sku}" is ambiguous: {titles} have it')
        if found:
            return found[0]
        spelled = {known.upper(): known for known in self._by_sku if known}
        if len(spelled) > 1_000:  # comparing all of them would take many seconds
            start = sku.upper()[: max(1, len(sku) - 2)]
            spelled = {
                folded: known for folded, known in spelled.items() if folded.startswith(start)
            }
        near = get_close_matches(sku.upper(), list(spelled)[:1_000], n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(spelled[name] for name in near)}?" if near else ""
        raise NotInShop(f'no variant has SKU "{sku}"{hint}')

    def item(self, which: ItemLike) -> Item:
        """The inventory item of a SKU, global id or variant. Raises NotInShop."""
        if isinstance(which, Item):
            return which
        if isinstance(which, Variant):
            return which.item
        found = self.items.get(number_of(which, "InventoryItem") or 0)
        return self.variant(which).item if found is None else found

    def level(self, which: ItemLike, location: LocationLike = None) -> Level:
        """The item's level there (the primary location unless one is named), active or not.

        Raises NotInShop.
        """
        item, place = self.item(which), self.location(location)
        try:
            return item.levels[place.id]
        except KeyError:
            raise NotInShop(f'"{item.sku}" is not stocked at "{place.name}"') from None

    def available(self, which: ItemLike, location: LocationLike = None) -> int:
        """The available quantity there. Raises NotInShop."""
        return self.level(which, location).available

    def availables(self, *which: ItemLike, location: LocationLike = None) -> list[int]:
        """The available quantities of several items at one location."""
        return [self.available(one, location) for one in which]

    # -- the customer and the clerk ----------------------------------------------------------------

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
        self.move(self.level(which, origin), -units, by="clerk")
        level = self.level(which, destination)
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
        self.ledger.append(
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

    # -- stock -------------------------------------------------------------------------------------

    def stock(
        self, which: ItemLike, location: LocationLike, available: int = 0, *, active: bool = True
    ) -> Level:
        """Begin to stock the item at the location.

        An existing level is only (de)activated and keeps its quantity.
        """
        item, place = self.item(which), self.location(location)
        level = item.levels.get(place.id)
        if level is not None:
            return (
                self.activate_level(item, place) if active else self.deactivate_level(item, place)
            )
        at = int(self.now())
        level = Level(self.new_id(), item, place, available, 0, active, at, at)
        item.levels[place.id] = self.levels[level.id] = level
        self._created(level)
        self._inventory_moved(item)
        return level

    def activate_level(self, which: ItemLike, location: LocationLike = None) -> Level:
        """Stock the item there again, with the quantity that was kept."""
        level = self.level(which, location)
        self._change_level(level)
        level.active = True
        return level

    def deactivate_level(self, which: ItemLike, location: LocationLike = None) -> Level:
        """Stop stocking the item there; the quantity is kept."""
        level = self.level(which, location)
        self._change_level(level)
        level.active = False
        return level

    def unstock(self, which: ItemLike, location: LocationLike = None) -> None:
        """Make the level vanish, as if the item had never been stocked there."""
        level = self.level(which, location)
        self._changing(level)
        del self.levels[level.id], level.item.levels[level.location.id]
        self._inventory_moved(level.item)

    def set_tracked(self, which: ItemLike, tracked: bool) -> None:
        """Begin or stop to track the item's inventory."""
        item = self.item(which)
        self._changing(item).updated_at = int(self.now())
        item.tracked = tracked
        self._inventory_moved(item)

    # -- locations ---------------------------------------------------------------------------------

    def add_location(
        self, name: str, *, fulfillment_service: bool = False, primary: bool | None = None
    ) -> Location:
        """Open a new location; the first one of a shop is its primary one."""
        at = int(self.now())
        first = not self.locations if primary is None else primary
        location = Location(self.new_id(), name, True, fulfillment_service, first, at, at)
        self.locations[location.id] = location
        self._created(location)
        return location

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

    def open_location(self, which: LocationLike) -> Location:
        """Activate a location again."""
        location = self.location(which)
        self._changing(location).updated_at = int(self.now())
        location.active = True
        return location

    # -- products and variants ---------------------------------------------------------------------

    def add_product(
        self,
        title: str,
        skus: Sequence[str] = (),
        *,
        product_type: str = "",
        tags: Iterable[str] = (),
        status: str = "ACTIVE",
        gift_card: bool = False,
        tracked: bool = True,
        available: int | Sequence[int] = 0,
        locations: Sequence[LocationLike] | None = None,
    ) -> Product:
        """Create a product with one variant per SKU.

        `available`: one quantity for all, or one per SKU. `locations`: where its variants are
        stocked; None: at every active location.
        """
        at = int(self.now())
        number = self.new_id()
        handle = f"{title.casefold().replace(' ', '-')}-{number}"
        product = Product(
            number, title, handle, product_type, tuple(tags), status, gift_card, "Sandbox", at, at
        )
        self.products[number] = product
        self._created(product)
        quantities = [available] * len(skus) if isinstance(available, int) else list(available)
        label = "Default Title" if len(skus) == 1 else None
        for sku, quantity in zip(skus, quantities, strict=True):
            self.add_variant(
                product, sku, title=label, available=quantity, locations=locations, tracked=tracked
            )
        return product

    def add_variant(
        self,
        product: Product,
        sku: str,
        *,
        title: str | None = None,
        available: int = 0,
        locations: Sequence[LocationLike] | None = None,
        tracked: bool = True,
        requires_components: bool = False,
        item: Item | None = None,
    ) -> Variant:
        """Create a variant, with an inventory item of its own unless it shares the one given."""
        at = int(self.now())
        label = title if title is not None else sku.rpartition("-")[2] or "Default Title"
        if item is None:
            item = Item(self.new_id(), sku, tracked, at, at)
            self.items[item.id] = item
            self._created(item)
        options = (("Size", label),) if label != "Default Title" else (("Title", label),)
        position = len(product.variants) + 1
        variant = Variant(
            self.new_id(), product, item, label, sku, options, position, requires_components, at, at
        )
        self.variants[variant.id] = variant
        product.variants.append(variant)
        item.variants.append(variant)
        self._created(variant)
        self._by_sku = None
        places = (
            [place for place in self.locations.values() if place.active]
            if locations is None
            else locations
        )
        for place in places:
            where = self.location(place)
            if where.id not in item.levels:
                self.stock(item, where, available)
        self._touch_product(product)
        return variant

    def delete_variant(self, which: str | Variant) -> None:
        """Delete a variant; its item goes too unless another variant shares it."""
        variant = self.variant(which) if isinstance(which, str) else which
        self._changing(variant)
        product, item = variant.product, variant.item
        self._touch_product(product)
        del self.variants[variant.id]
        product.variants.remove(variant)
        for position, other in enumerate(product.variants, 1):
            other.position = position
        item.variants.remove(variant)
        self._by_sku = None
        if not item.variants:
            self._changing(item)
            del self.items[item.id]
            for level in item.levels.values():
                self._changing(level)
                del self.levels[level.id]

    def delete_product(self, which: str | Product) -> None:
        """Delete a product with all its variants."""
        product = self.product(which) if isinstance(which, str) else which
        self._changing(product)
        for variant in list(product.variants):
            self.delete_variant(variant)
        del self.products[product.id]

    def retag(self, which: str | Product, *tags: str) -> Product:
        """Give the product these tags instead of the ones it has."""
        product = self.product(which) if isinstance(which, str) else which
        self._touch_product(product)
        product.tags = tags
        return product

    def retype(self, which: str | Product, product_type: str) -> Product:
        """Give the product another type."""
        product = self.product(which) if isinstance(which, str) else which
        self._touch_product(product)
        product.product_type = product_type
        return product

    def retitle(self, which: str | Product, title: str) -> Product:
        """Give the product another title."""
        product = self.product(which) if isinstance(which, str) else which
        self._touch_product(product)
        product.title = title
        return product

    def set_status(self, which: str | Product, status: str) -> Product:
        """Make the product ACTIVE, DRAFT, ARCHIVED or UNLISTED."""
        if status not in STATUSES:
            raise ValueError(f"no product status {status!r}")
        product = self.product(which) if isinstance(which, str) else which
        self._touch_product(product)
        product.status = status
        return product

    def archive(self, which: str | Product) -> Product:
        """Archive the product."""
        return self.set_status(which, "ARCHIVED")

    # -- what the search index shows ---------------------------------------------------------------

    def has(self, kind: str, number: int) -> bool:
        """Whether an object of that class and number exists."""
        held: dict[str, dict[int, Any]] = {
            "Location": self.locations,
            "Product": self.products,
            "Variant": self.variants,
            "Item": self.items,
            "Level": self.levels,
        }
        return number in held[kind]

    def as_indexed(self, thing: _S) -> _S | None:
        """The object as the search index shows it now; None if the index has not noticed it yet."""
        if not self.shadows:
            return thing
        trail = self.shadows.get((type(thing).__name__, thing.id))
        if trail:
            seen_until = self.now() - self.settings.index_lag
            for changed_at, before in trail:
                if changed_at > seen_until:
                    return before  # type: ignore[return-value]
        return thing

    def forget_shadows(self) -> None:
        """Drop what the index has noticed by now."""
        if not self.shadows:
            return
        seen_until = self.now() - self.settings.index_lag
        kept = {}
        for which, trail in self.shadows.items():
            if not self.has(*which):
                continue
            rest = [entry for entry in trail if entry[0] > seen_until]
            if rest:
                kept[which] = rest
        if len(kept) != len(self.shadows):
            self.catalogue_revision += 1
        self.shadows = kept

    def changed(self) -> None:
        """Say that something other than the catalogue changed, and must be saved."""
        self.revision += 1

    # -- within ------------------------------------------------------------------------------------

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

    def _changing(self, thing: _S) -> _S:
        """Call before an object changes or vanishes."""
        self.revision += 1
        self.catalogue_revision += 1
        if self.settings.index_lag > 0:
            trail = self.shadows.setdefault((type(thing).__name__, thing.id), [])
            trail.append((self.now(), copy.copy(thing)))
        return thing

    def _created(self, thing: Stored) -> None:
        """Call after an object came into being."""
        self.revision += 1
        self.catalogue_revision += 1
        if self.settings.index_lag > 0:
            self.shadows.setdefault((type(thing).__name__, thing.id), []).append((self.now(), None))

    def _change_level(self, level: Level) -> None:
        self._changing(level).updated_at = int(self.now())
        self._inventory_moved(level.item)

    def _inventory_moved(self, item: Item) -> None:
        for variant in item.variants:
            self._touch_product(variant.product)

    def _touch_product(self, product: Product) -> None:
        self._changing(product).updated_at = int(self.now())
