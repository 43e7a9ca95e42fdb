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

    @property
    def settled(self) -> bool:
        """Whether the location is a part of what the pools are: another one makes others."""

    def homes(self, pools: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
        """Level, as `home` names it, → its pool, of pools (ids with the keys of their levels)."""

    def home(self, level: LevelId) -> str:
        """How `homes` names a level."""

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
    settled: ClassVar[bool] = True

    def homes(self, pools: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
        """The keys are the items."""
        return {item: pool for pool, items in pools for item in items}

    def home(self, level: LevelId) -> str:
        """The item."""
        return level.item

    def key(self, level: LevelId) -> str:
        """The item."""
        return level.item

    def level(self, pool: str, key: str) -> LevelId:
        """An item at the location."""
        return _level(pool, key, self.location)


class Grouped(Struct, frozen=True):
    """Listings of any products are one stock, at a location or over several.

    `location`: the one, or one of several. `each`: several locations, each with pools of its own,
    whose ids it ends; `across`: several that are one stock.
    """

    location: str
    each: bool = False
    across: bool = False
    one: str = "listing"
    found: str = "pools"
    command: ClassVar[Command] = "variants"
    follows: ClassVar[bool] = False
    spans: ClassVar[bool] = False

    @property
    def setting(self) -> str:
        """One key for one location, another for several."""
        return "locations" if self.each or self.across else "location"

    @property
    def settled(self) -> bool:
        """Where it is one location."""
        return not (self.each or self.across)

    def pool(self, key: str, location: str) -> str:
        """The id of the pool with this key (a SKU's, say) to which a level there belongs."""
        return f"{key}@{location}" if self.each else key

    def homes(self, pools: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
        """The keys, with the location where only the pool's id names it."""
        if not self.each:
            return {key: pool for pool, keys in pools for key in keys}
        return {f"{key}@{pool.rpartition('@')[2]}": pool for pool, keys in pools for key in keys}

    def home(self, level: LevelId) -> str:
        """The item, with the location where there are several."""
        return level.item if self.settled else f"{level.item}@{level.location}"

    def key(self, level: LevelId) -> str:
        """The item, with the location where a pool has several."""
        return f"{level.item}@{level.location}" if self.across else level.item

    def level(self, pool: str, key: str) -> LevelId:
        """An item, where its key, else its pool's id, else the configuration says."""
        return _level(pool, key, self.location)


def _level(pool: str, key: str, location: str) -> LevelId:
    """A level by its key, or its pool's id, as far as they name the location."""
    item, _, at = key.partition("@")
    if not at and "@gid:" in pool:
        at = pool.rpartition("@")[2]
    return LevelId(item, at or location)


class ByItem(Struct, frozen=True):
    """One variant's item is one stock, at all its locations."""

    command: ClassVar[Command] = "locations"
    one: ClassVar[str] = "location"
    found: ClassVar[str] = "variants"
    setting: ClassVar[str] = "locations"
    follows: ClassVar[bool] = True
    spans: ClassVar[bool] = True
    settled: ClassVar[bool] = False

    def homes(self, pools: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
        """A pool is its item."""
        return {pool: pool for pool, _ in pools}

    def home(self, level: LevelId) -> str:
        """The item."""
        return level.item

    def key(self, level: LevelId) -> str:
        """The location."""
        return level.location

    def level(self, pool: str, key: str) -> LevelId:
        """The item at a location."""
        return LevelId(pool, key)


#: How the cache names the grouping of 0.1.0 and of plain `variants`; what follows the way to group
#: where several locations are kept in step.
PLAIN = "product"
EACH, ACROSS = " at each location", " across locations"


def axis_of(command: Command, locations: Iterable[str], grouping: str = PLAIN) -> Axis:
    """How a command pools. `locations`: the ids of those whose levels count."""
    if command == "locations":
        return ByItem()
    location = next(iter(locations), "")
    if grouping == PLAIN:
        return ByProduct(location)
    return Grouped(location, grouping.endswith(EACH), grouping.endswith(ACROSS))
