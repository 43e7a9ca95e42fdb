"""What a shop holds: locations, products, variants, inventory items and their levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from invsync.sandbox.gids import gid, level_gid

#: Quantity names that count towards `on_hand`, beside `available` and `committed`.
SET_ASIDE = ("reserved", "damaged", "safety_stock", "quality_control")

#: Every status that a product can have.
STATUSES = ("ACTIVE", "ARCHIVED", "DRAFT", "UNLISTED")

#: What a shop does with an order for more than there is of a variant.
POLICIES = ("CONTINUE", "DENY")


class Metafield(NamedTuple):
    """A text that a product or a variant carries under a name; no definition stands behind it."""

    id: int
    value: str
    updated_at: int


#: By `namespace.key`, as people write it; exchanged as a whole, never edited. None: there is none.
Metafields = Mapping[str, Metafield] | None


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
    metafields: Metafields = None
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
    #: Of `POLICIES`: whether it is sold on where there is nothing left.
    policy: str = "DENY"
    metafields: Metafields = None

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
AnyStored = TypeVar("AnyStored", bound=Stored)
#: How a caller may name an inventory item.
ItemLike = str | Variant | Item
#: How a caller may name a location; None is the primary one.
LocationLike = str | int | Location | None
