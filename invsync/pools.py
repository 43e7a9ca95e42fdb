"""Which levels make a pool: what was read of the shop, sorted by what the configuration asks for.

Pure.

The search index only proposes: it lags, and it splits words. What matches is decided here, on the
exact type, tag or SKU.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from invsync.admin.nodes import Item, Listing, Product, Quantities
from invsync.axis import ACROSS, EACH, PLAIN, Axis, Grouped, axis_of
from invsync.exclude import NOTHING, Exclude, tag_of
from invsync.state.entries import Entry
from invsync.state.files import Command
from invsync.sync import LevelId, Reading, Units
from invsync.text import composed
from invsync.ways import ByList, ByMetafield, ByProduct, Pack, Way

_PRODUCT: Way = ByProduct()
_UNSETTLED: Axis = axis_of("variants", ())


class Scope(Struct, frozen=True):
    """What the command keeps in step.

    `locations`: id → name of those whose levels count (for plain `variants` exactly one). Of
    `product_types` and `product_tags` at most one is not empty; both empty means every product.
    `terms`: what to ask the search index for: wider than what matches, never narrower. `way`: what
    decides which listings are one stock; `each`, `across`: see `axis.Grouped`; `pack`: where the
    size of a pack stands. `filters`: what else is asked for, as text. `reserve`: units of every
    stock that no listing offers. `taken`: what the other command keeps in step over all
    locations. `exclude`: what is left out all the same. `pause_tag`: the tag of products whose
    pools are paused.
    """

    command: Command
    locations: Mapping[str, str]
    product_types: frozenset[str] = frozenset()
    product_tags: frozenset[str] = frozenset()
    only_active: bool = False
    terms: str = ""
    way: Way = _PRODUCT
    each: bool = False
    across: bool = False
    pack: Pack | None = None
    filters: tuple[str, ...] = ()
    reserve: int = 0
    taken: Scope | None = None
    exclude: Exclude = NOTHING
    pause_tag: str = ""
    #: How it pools; settled from the rest.
    axis: Axis = _UNSETTLED

    def __post_init__(self) -> None:
        """Settle how it pools: packs have to be read variant by variant, as any other grouping."""
        axis = axis_of(self.command, self.locations, self.grouping)
        if self.pack is not None and not isinstance(axis, Grouped):
            axis = Grouped(next(iter(self.locations)))
        if isinstance(axis, Grouped) and self.way.name == PLAIN:
            axis = replace(axis, one="variant", found="products")
        force_setattr(self, "axis", axis)

    @property
    def plain(self) -> bool:
        """Whether each level is to read what its pool's quantity is: no packs, no reserve."""
        return self.reserve == 0 and self.pack is None and not self.way.names

    @property
    def grouping(self) -> str:
        """What is one stock, as text, to notice that it was changed between two runs."""
        return self.way.name + (EACH if self.each else ACROSS if self.across else "")

    @property
    def matches(self) -> list[str]:
        """The filter as text, to notice that it was changed between two runs."""
        terms = [f"type {name}" for name in self.product_types] + [
            f"tag {name}" for name in self.product_tags
        ]
        only_active = ["only active"] if self.only_active else []
        return sorted([*terms, *self.filters]) + only_active + sorted(self.exclude.terms)

    def wants(self, product: Product) -> bool:
        """Whether a product matches, and is of a kind whose stock can be kept in step."""
        return _matches(self, product) and _unfit(self, product) is None

    def pauses(self, listing: Listing) -> bool:
        """Whether a product has the tag that pauses."""
        return any(tag_of(tag) == self.pause_tag for tag in listing.product.tags)

    def size(self, product: Product, item: Item) -> int | None:
        """The units of one piece of a listing; None where its pack tells none."""
        if isinstance(self.way, ByList):
            member = self.way.member(product, item)
            return member.size if member else 1
        return 1 if self.pack is None else self.pack.size(item)

    def title(self, product: Product, item: Item, at: str) -> str:
        """What people call the pool of a level."""
        title = self.way.title(product, item)
        return f"{title} at {self.locations[at]}" if self.each else title

    def label(self, product: Product, item: Item, at: str) -> str:
        """By what a level differs from the others of its pool."""
        place = self.locations.get(at, "a location that left")
        label = self.way.label(product, item, place)
        return f"{label} at {place}" if self.across else label


class Name(Struct, frozen=True):
    """What people call a level.

    The SKU of its item, and the label by which it differs from the pool's others.
    """

    sku: str
    label: str


class Sight(Struct, frozen=True):
    """A pool as it was read.

    `levels`: level, by the key of the axis → what it reads. `sizes`: units of one piece, where that
    is not 1. `left`: what levels read that are no part of it (any more). `unsized`: those of them
    that are a pack of which no size is told; `shared`: items that another pool shows, too.
    `leaves`: it is no longer what the configuration asks for; `left` is what can be adjusted still.
    `paused`: one of its products has the tag that pauses.
    """

    id: str
    title: str
    levels: Mapping[str, Quantities]
    listings: tuple[Listing, ...]
    sizes: Units = {}
    left: Mapping[LevelId, Reading] = {}
    unsized: frozenset[LevelId] = frozenset()
    shared: frozenset[str] = frozenset()
    leaves: bool = False
    paused: bool = False

    def is_as(self, entry: Entry, scope: Scope) -> bool:
        """Whether it reads as it is remembered, level by level, and nothing is to be told of it."""
        if self.unsized or self.shared or not entry.reads(self.levels):
            return False
        key = scope.axis.key
        return not (self.sizes or entry.sizes) or entry.sizes == {
            key(level): size for level, size in self.sizes.items()
        }

    def seen_at(self, axis: Axis) -> set[LevelId]:
        """Its levels."""
        return {axis.level(self.id, key) for key in self.levels}

    def seen(self, scope: Scope) -> dict[LevelId, Reading]:
        """Level → what it reads, with its witnesses."""
        level = scope.axis.level
        return {level(self.id, key): reading(now) for key, now in self.levels.items()}

    def names(self, scope: Scope) -> dict[LevelId, Name]:
        """Level → what people call it, of those that left as well."""
        axis = scope.axis
        wanted = {axis.level(self.id, key) for key in self.levels} | self.left.keys()
        return {
            level: Name(item.sku, scope.label(listing.product, item, at))
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


def reading(now: Quantities) -> Reading:
    """What a level reads, for the rule."""
    return Reading(now.available, now.on_hand, now.committed)


def homes(scope: Scope, product: Product, item: Item) -> tuple[str, ...]:
    """The ids of the pools of a listing, of which there is one for each location at most.

    None where it is of no pool.
    """
    axis = scope.axis
    if not isinstance(axis, Grouped) or not scope.wants(product) or _left_out(scope, item):
        return ()
    key = scope.way.key(product, item)
    if key is None:
        return ()
    if not axis.each:
        return (key,)
    return tuple(axis.pool(key, at) for at in item.levels if at in scope.locations)


def why_not(scope: Scope, product: Product, item: Item) -> str | None:
    """Why a listing is left out though its product matches; None where it is not to be counted."""
    if not _matches(scope, product):
        return None
    if scope.way.key(product, item) is None:
        return scope.way.lacks(item)
    return _unfit(scope, product) or _left_out(scope, item)


def see_group(scope: Scope, pool_id: str, listings: Iterable[Listing]) -> Sight | None:
    """The pool of this id among listings of single items, some of which may have left it.

    None if they make none.
    """
    axis = scope.axis
    assert isinstance(axis, Grouped)
    kept: list[Listing] = []
    levels: dict[str, Quantities] = {}
    sizes: dict[LevelId, int] = {}
    left: dict[LevelId, Reading] = {}
    unsized: set[LevelId] = set()
    elsewhere: set[LevelId] = set()
    title = ""
    for listing in listings:
        product, (item,) = listing.product, listing.items
        of = homes(scope, product, item)
        key, size = scope.way.key(product, item), scope.size(product, item)
        kept.append(listing)
        for at, now in item.levels.items():
            if at not in scope.locations:
                continue
            level = LevelId(item.id, at)
            if not of or key is None or axis.pool(key, at) != pool_id:
                left[level] = reading(now)
                if of:
                    elsewhere.add(level)
                continue
            title = title or scope.title(product, item, at)
            if size is None:
                unsized.add(level)
                left[level] = reading(now)
                continue
            levels[axis.key(level)] = now
            if size != 1:
                sizes[level] = size
    if not title:
        return None if elsewhere else leaving(scope, pool_id, kept)
    here = {axis.level(pool_id, key) for key in levels}
    return Sight(
        pool_id,
        title,
        levels,
        tuple(kept),
        sizes,
        {level: now for level, now in left.items() if level not in here},
        frozenset(unsized),
        frozenset(level.item for level in elsewhere & here),
    )


def see_whole(
    scope: Scope,
    pool_id: str,
    listings: tuple[Listing, ...],
    skipped: Counter[str] | None = None,
) -> Sight | None:
    """The pool of one product or item, as it was read by id: with all that is read beside it.

    None where nothing is left of it that can be adjusted.
    """
    sight = see(scope, listings, skipped)
    if sight is None:
        return leaving(scope, pool_id, listings)
    here = sight.seen_at(scope.axis)
    left = {
        level: reading(now)
        for listing in listings
        for item in listing.items
        for at, now in item.levels.items()
        if (level := LevelId(item.id, at)) not in here
    }
    return replace(sight, left=left)


def leaving(scope: Scope, pool_id: str, listings: Sequence[Listing]) -> Sight | None:
    """A pool that is no longer what is asked for: what of it can be adjusted still; None: nothing.

    Untracked items and bundles can't be, nor what is not stocked; what `variants` keeps in step now
    is for that to count.
    """
    left = {
        LevelId(item.id, at): reading(now)
        for listing in listings
        for item in listing.items
        if _left_out(scope, item) in (None, "excluded")
        if _in_variants(scope, listing.product, item) is None
        for at, now in item.levels.items()
        if at in scope.locations
    }
    if not left:
        return None
    listing = next(one for one in listings if one.items)
    title = scope.title(listing.product, listing.items[0], next(iter(scope.locations)))
    paused = any(map(scope.pauses, listings))
    return Sight(pool_id, title, {}, tuple(listings), left=left, leaves=True, paused=paused)


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
    left: dict[LevelId, Reading] = {}
    for listing in listings:
        if not _matches(scope, listing.product):
            continue
        reason = _unfit(scope, listing.product)
        for item in listing.items:
            why = reason or _left_out(scope, item) or _in_variants(scope, listing.product, item)
            here = ((at, now) for at, now in item.levels.items() if at in scope.locations)
            if why:
                skipped[why] += 1
                left |= {LevelId(item.id, at): reading(now) for at, now in here}
            else:
                levels |= {axis.key(LevelId(item.id, at)): now for at, now in here}
        kept.append(listing)
    if not levels:
        return None
    product, first = kept[0].product, kept[0].items[0]
    pool_id = scope.way.key(product, first)
    assert pool_id is not None, "a product and an item are known by their ids"
    title = scope.title(product, first, next(iter(scope.locations)))
    paused = any(map(scope.pauses, kept))
    return Sight(pool_id, title, levels, tuple(kept), left=left, paused=paused)


def _matches(scope: Scope, product: Product) -> bool:
    if scope.product_types:
        return composed(product.product_type) in scope.product_types
    if scope.product_tags:
        return not scope.product_tags.isdisjoint(map(tag_of, product.tags))
    return True


def _in_variants(scope: Scope, product: Product, item: Item) -> str | None:
    taken = scope.taken
    if taken is None or not taken.wants(product):
        return None
    of_any = isinstance(taken.way, ByMetafield) or taken.way.key(product, item) is not None
    return "in_variants" if of_any else None


def _unfit(scope: Scope, product: Product) -> str | None:
    if scope.exclude.product(product):
        return "excluded"
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
    return "excluded" if scope.exclude.item(item) else None
