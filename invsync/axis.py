"""What differs between the ways to pool.

What pools and levels are called, and by which keys they are known. Pure.

One class a way. Whoever needs to know "which command is it?" asks the axis what follows from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Protocol

from msgspec import Struct

from invsync.state.files import Command
from invsync.sync import LevelId

#: Shopify's name for the only variant of a product without options.
ONLY_VARIANT = "Default Title"


class Axis(Protocol):
    """A way to pool levels."""

    @property
    def command(self) -> Command:
        """The command that pools so."""

    @property
    def one(self) -> str:
        """What a person calls a level: it is one … of the pool."""

    @property
    def found(self) -> str:
        """What a person calls several pools, as they are found."""

    @property
    def setting(self) -> str:
        """The key of the configuration that says where."""

    @property
    def follows(self) -> bool:
        """Whether a pool without a quantity takes it from a level that moves."""

    @property
    def spans(self) -> bool:
        """Whether a pool needs several locations to be one at all."""

    def pool(self, product: str, item: str) -> str:
        """The id of the pool to which an item of a product belongs."""

    def title(self, product: str, variant: str) -> str:
        """What people call the pool, by the titles of a product and of its variant."""

    def label(self, sku: str, variant: str, place: str) -> str:
        """By what a level differs from the others of its pool."""

    def homes(self, pools: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
        """Item → its pool, of pools (ids with the keys of their levels)."""

    def key(self, level: LevelId) -> str:
        """How the entry of a pool names a level."""

    def level(self, pool: str, key: str) -> LevelId:
        """The level that the entry of a pool names so."""


class ByProduct(Struct, frozen=True):
    """The variants of a product, at one location, are one stock. `location`: its id."""

    location: str
    command: ClassVar[Command] = "variants"
    one: ClassVar[str] = "variant"
    found: ClassVar[str] = "products"
    setting: ClassVar[str] = "location"
    follows: ClassVar[bool] = False
    spans: ClassVar[bool] = False

    def pool(self, product: str, item: str) -> str:
        """The product."""
        return product

    def title(self, product: str, variant: str) -> str:
        """As the product is called."""
        return product

    def label(self, sku: str, variant: str, place: str) -> str:
        """The SKU, else the variant's title."""
        return sku or variant

    def homes(self, pools: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
        """The keys are the items."""
        return {item: pool for pool, items in pools for item in items}

    def key(self, level: LevelId) -> str:
        """The item."""
        return level.item

    def level(self, pool: str, key: str) -> LevelId:
        """An item at the location."""
        return LevelId(key, self.location)


class ByItem(Struct, frozen=True):
    """One variant's item is one stock, at all its locations."""

    command: ClassVar[Command] = "locations"
    one: ClassVar[str] = "location"
    found: ClassVar[str] = "variants"
    setting: ClassVar[str] = "locations"
    follows: ClassVar[bool] = True
    spans: ClassVar[bool] = True

    def pool(self, product: str, item: str) -> str:
        """The item."""
        return item

    def title(self, product: str, variant: str) -> str:
        """As product and variant are called."""
        return product if variant == ONLY_VARIANT else f"{product} / {variant}"

    def label(self, sku: str, variant: str, place: str) -> str:
        """The location."""
        return place

    def homes(self, pools: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
        """A pool is its item."""
        return {pool: pool for pool, _ in pools}

    def key(self, level: LevelId) -> str:
        """The location."""
        return level.location

    def level(self, pool: str, key: str) -> LevelId:
        """The item at a location."""
        return LevelId(pool, key)


def axis_of(command: Command, locations: Iterable[str]) -> Axis:
    """How a command pools. `locations`: the ids of those whose levels count."""
    return ByProduct(next(iter(locations), "")) if command == "variants" else ByItem()
