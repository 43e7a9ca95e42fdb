"""Which levels make a pool: what was read of the shop, sorted by what the configuration asks for.

Pure.

The search index only proposes: it lags, and it splits words. What matches is decided here, on the
exact type or tag.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct

from invsync.admin.nodes import Item, Listing, Product, Quantities
from invsync.axis import Axis, axis_of
from invsync.state.files import Command
from invsync.sync import LevelId, Reading
from invsync.text import composed


class Scope(Struct, frozen=True):
    """What the command keeps in step.

    `locations`: id → name of those whose levels count (for `variants` exactly one). Of
    `product_types` and `product_tags` at most one is not empty; both empty means every product.
    `terms`: what to ask the search index for: wider than what matches, never narrower. `reserve`:
    units of every stock that no listing offers.
    """

    command: Command
    locations: Mapping[str, str]
    product_types: frozenset[str] = frozenset()
    product_tags: frozenset[str] = frozenset()
    only_active: bool = False
    terms: str = ""
    reserve: int = 0

    @property
    def axis(self) -> Axis:
        """How it pools."""
        return axis_of(self.command, self.locations)

    @property
    def matches(self) -> list[str]:
        """The filter as text, to notice that it was changed between two runs."""
        terms = [f"type {name}" for name in self.product_types] + [
            f"tag {name}" for name in self.product_tags
        ]
        return sorted(terms) + (["only active"] if self.only_active else [])

    def wants(self, product: Product) -> bool:
        """Whether a product matches, and is of a kind whose stock can be kept in step."""
        return _matches(self, product) and _unfit(self, product) is None


class Name(Struct, frozen=True):
    """What people call a level.

    The SKU of its item, and the label by which it differs from the pool's others.
    """

    sku: str
    label: str


class Sight(Struct, frozen=True):
    """A pool as it was read.

    `levels`: item id (variants) or location id (locations) → what it reads.
    """

    id: str
    title: str
    levels: Mapping[str, Quantities]
    listings: tuple[Listing, ...]

    def seen(self, scope: Scope) -> dict[LevelId, Reading]:
        """Level → what it reads, with its witnesses."""
        level = scope.axis.level
        return {
            level(self.id, key): Reading(now.available, now.on_hand, now.committed)
            for key, now in self.levels.items()
        }

    def names(self, scope: Scope) -> dict[LevelId, Name]:
        """Level → what people call it."""
        axis = scope.axis
        wanted = {axis.level(self.id, key) for key in self.levels}
        return {
            level: Name(item.sku, axis.label(item.sku, item.title, scope.locations[at]))
            for listing in self.listings
            for item in listing.items
            for at in item.levels
            if (level := LevelId(item.id, at)) in wanted
        }

    def touched(self, level: LevelId) -> str | None:
        """When Shopify last changed the level's quantity, where that was read and is known."""
        times = (
            item.levels[level.location].touched
            for listing in self.listings
            for item in listing.items
            if item.id == level.item and level.location in item.levels
        )
        return next((when for when in times if when), None)


def see(
    scope: Scope, listings: Iterable[Listing], skipped: Counter[str] | None = None
) -> Sight | None:
    """The pool that the listings of one product (variants) or of one item (locations) make.

    None if they make none. What is left out, though its product matches, is counted in `skipped` by
    its reason.
    """
    skipped = Counter() if skipped is None else skipped
    axis = scope.axis
    kept: list[Listing] = []
    levels: dict[str, Quantities] = {}
    for listing in listings:
        if not _matches(scope, listing.product):
            continue
        reason = _unfit(scope, listing.product)
        for item in listing.items:
            why = reason or _left_out(scope, item)
            if why:
                skipped[why] += 1
            else:
                levels |= {
                    axis.key(LevelId(item.id, at)): level
                    for at, level in item.levels.items()
                    if at in scope.locations
                }
        kept.append(listing)
    if not levels:
        return None
    product, first = kept[0].product, kept[0].items[0]
    pool_id = axis.pool(product.id, first.id)
    return Sight(pool_id, axis.title(product.title, first.title), levels, tuple(kept))


def _matches(scope: Scope, product: Product) -> bool:
    if scope.product_types:
        return composed(product.product_type) in scope.product_types
    if scope.product_tags:
        # Shopify takes tags that differ in case or in blanks at their ends for the same tag.
        return not scope.product_tags.isdisjoint(
            composed(tag.strip()).casefold() for tag in product.tags
        )
    return True


def _unfit(scope: Scope, product: Product) -> str | None:
    if product.gift_card:
        return "gift_card"
    # What is unlisted sells by its link:
    # https://shopify.dev/changelog/new-unlisted-product-status
    if not scope.only_active or product.status in ("ACTIVE", "UNLISTED"):
        return None
    if product.status == "ARCHIVED":
        return "archived"
    return "not_active"


def _left_out(scope: Scope, item: Item) -> str | None:
    if item.bundle:
        return "bundle"
    if not item.tracked:
        return "untracked"
    if item.levels.keys().isdisjoint(scope.locations):
        return "not_stocked"
    return None
