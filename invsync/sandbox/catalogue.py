"""What a shop holds, edited like a normal object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from invsync.sandbox.account import Settings
from invsync.sandbox.holdings import Holdings
from invsync.sandbox.things import (
    POLICIES,
    STATUSES,
    AnyStored,
    Item,
    ItemLike,
    Level,
    Location,
    LocationLike,
    Metafield,
    Product,
    Stored,
    Variant,
)
from invsync.sandbox.trail import Trail

#: The title of the one variant that Shopify makes by itself.
DEFAULT_TITLE = "Default Title"


class Catalogue(Holdings):
    """A catalogue that can be edited.

    Every edit goes through a method, which moves the right `updatedAt` (the product's too when its
    inventory moves) and leaves a trail. `now` gives unix seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self.now = now
        self.settings = Settings()
        self.trail = Trail(lambda: self.now())  # tests give a shop another clock

    def as_indexed(self, thing: AnyStored) -> AnyStored | None:
        """The object as the search index shows it now; None if the index has not noticed it yet."""
        return self.trail.as_indexed(thing, self.settings.index_lag)

    def forget_shadows(self) -> None:
        """Drop what the index has noticed by now."""
        self.trail.forget(self.settings.index_lag, self.has)

    def changed(self) -> None:
        """Say that something other than the catalogue changed, and must be saved."""
        self.trail.revision += 1

    # -- locations

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

    def open_location(self, which: LocationLike) -> Location:
        """Activate a location again."""
        location = self.location(which)
        self._changing(location).updated_at = int(self.now())
        location.active = True
        return location

    # -- products and variants

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
        options: Mapping[str, str] | None = None,
        available: int = 0,
        locations: Sequence[LocationLike] | None = None,
        tracked: bool = True,
        requires_components: bool = False,
        item: Item | None = None,
    ) -> Variant:
        """Create a variant, with an inventory item of its own unless it shares the one given.

        `options`: name → value, of which the title is made unless it is given; without any there is
        one, `Size`, whose value is the title.
        """
        at = int(self.now())
        if item is None:
            item = Item(self.new_id(), sku, tracked, at, at)
            self.items[item.id] = item
            self._created(item)
        label = title or _title(options) or sku.rpartition("-")[2] or DEFAULT_TITLE
        chosen = options or {"Title" if label == DEFAULT_TITLE else "Size": label}
        variant = Variant(
            self.new_id(),
            product,
            item,
            label,
            sku,
            tuple(chosen.items()),
            len(product.variants) + 1,
            requires_components,
            at,
            at,
        )
        self.variants[variant.id] = variant
        product.variants.append(variant)
        item.variants.append(variant)
        self._created(variant)
        self._by_sku = None
        everywhere = [place for place in self.locations.values() if place.active]
        for place in everywhere if locations is None else locations:
            where = self.location(place)
            if where.id not in item.levels:
                self.stock(item, where, available)
        self._touch_product(product)
        return variant

    def delete_variant(self, which: str | Variant) -> None:
        """Delete a variant; its item goes too unless another variant shares it."""
        variant = self._variant(which)
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

    # -- what the clerk edits of a product or a variant

    def set_sku(self, which: str | Variant, sku: str) -> Variant:
        """Give the variant's item, and whatever shares it, another SKU."""
        variant = self._variant(which)
        item = self._changing(variant.item)
        item.sku, item.updated_at = sku, int(self.now())
        for one in item.variants:
            self._touch(one).sku = sku
        self._by_sku = None
        return variant

    def set_options(self, which: str | Variant, options: Mapping[str, str]) -> Variant:
        """Give the variant these options, name → value, and the title that they make."""
        variant = self._touch(self._variant(which))
        variant.options, variant.title = tuple(options.items()), _title(options) or DEFAULT_TITLE
        return variant

    def set_policy(self, which: str | Variant, policy: str) -> Variant:
        """Go on selling the variant where there is nothing left (CONTINUE), or not (DENY)."""
        if policy not in POLICIES:
            raise ValueError(f"no inventory policy {policy!r}")
        variant = self._touch(self._variant(which))
        variant.policy = policy
        return variant

    def set_metafield(
        self, owner: str | Variant | Product, name: str, value: str | None
    ) -> Variant | Product:
        """Write a metafield, `namespace.key`; None takes it away. `owner`: a SKU for a variant.

        It moves the product's `updatedAt`: an edit in the admin was seen to call `products/update`
        with a new one (Shopify/shopify-api-js#952). Of variants no report was found.
        """
        if "." not in name:
            raise ValueError(f"a metafield's name is namespace.key, not {name!r}")
        thing = self._variant(owner) if isinstance(owner, str) else owner
        if isinstance(thing, Product):
            self._touch_product(thing)
        else:
            self._touch(thing)
        held = {one: field for one, field in (thing.metafields or {}).items() if one != name}
        if value is not None:
            held[name] = Metafield(self.new_id(), value, int(self.now()))
        thing.metafields = held or None
        return thing

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

    # -- stock

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

    # -- within

    def _changing(self, thing: AnyStored) -> AnyStored:
        """Call before an object changes or vanishes."""
        return self.trail.changing(thing, self.settings.index_lag)

    def _created(self, thing: Stored) -> None:
        """Call after an object came into being."""
        self.trail.created(thing, self.settings.index_lag)

    def _change_level(self, level: Level) -> None:
        self._changing(level).updated_at = int(self.now())
        self._inventory_moved(level.item)

    def _inventory_moved(self, item: Item) -> None:
        for variant in item.variants:
            self._touch_product(variant.product)

    def _variant(self, which: str | Variant) -> Variant:
        return self.variant(which) if isinstance(which, str) else which

    def _touch(self, variant: Variant) -> Variant:
        self._touch_product(variant.product)
        self._changing(variant).updated_at = int(self.now())
        return variant

    def _touch_product(self, product: Product) -> None:
        self._changing(product).updated_at = int(self.now())


def _title(options: Mapping[str, str] | None) -> str:
    return " / ".join((options or {}).values())
