"""What a shop holds, by number, and how it is found by what a person calls it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from invsync.sandbox.gids import number_of
from invsync.sandbox.things import Item, ItemLike, Level, Location, LocationLike, Product, Variant


class NotInShop(LookupError):
    """The shop has no such product, variant, location or level.

    `str()` is one line for a person.
    """


class Ambiguous(NotInShop):
    """Several inventory items have this SKU."""


class Holdings:
    """Locations, products, variants, items and levels, by number."""

    def __init__(self) -> None:
        self.locations: dict[int, Location] = {}
        self.products: dict[int, Product] = {}
        self.variants: dict[int, Variant] = {}
        self.items: dict[int, Item] = {}
        self.levels: dict[int, Level] = {}
        #: The newest number that was given out.
        self.last_id = 1_000
        self._by_sku: dict[str, list[Variant]] | None = None

    def new_id(self) -> int:
        """A number that no object of this shop has had."""
        self.last_id += 1
        return self.last_id

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
        found = self._skus().get(sku, [])
        if len({variant.item.id for variant in found}) > 1:
            titles = ", ".join(f'"{variant.product.title}"' for variant in found)
            raise Ambiguous(f'SKU "{sku}" is ambiguous: {titles} have it')
        if not found:
            raise NotInShop(f'no variant has SKU "{sku}"{self._near(sku)}')
        return found[0]

    def _skus(self) -> dict[str, list[Variant]]:
        """The variants by SKU; made anew after `_by_sku` was set to None."""
        if self._by_sku is None:
            self._by_sku = {}
            for variant in self.variants.values():
                self._by_sku.setdefault(variant.sku, []).append(variant)
        return self._by_sku

    def _near(self, sku: str) -> str:
        """What may have been meant."""
        spelled = {known.upper(): known for known in self._skus() if known}
        if len(spelled) > 1_000:  # comparing all of them would take many seconds
            start = sku.upper()[: max(1, len(sku) - 2)]
            spelled = {
                folded: known for folded, known in spelled.items() if folded.startswith(start)
            }
        near = get_close_matches(sku.upper(), list(spelled)[:1_000], n=3, cutoff=0.5)
        return f"; did you mean {' or '.join(spelled[name] for name in near)}?" if near else ""

    def variant_of(self, title: str, sku: str) -> Variant:
        """The variant with that SKU of the product of that title. Raises NotInShop."""
        product = self.product(title)
        for variant in product.variants:
            if variant.sku == sku:
                return variant
        raise NotInShop(f'no variant of "{product.title}" has SKU "{sku}"')

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
