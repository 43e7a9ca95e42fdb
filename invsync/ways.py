"""Ways to say which listings are one stock, and how many units one piece of a listing is. Pure.

One class a way. A listing is a variant as a product shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import ClassVar, Protocol

from msgspec import Struct

from invsync.admin.nodes import Item, Listed, Product
from invsync.axis import ONLY_VARIANT, PLAIN
from invsync.text import composed, evened

#: A placeholder such as `N/A` is no stock: levels from which on a SKU or metafield is one.
MOST = 100
#: The largest size that is believed.
_LARGEST = 1_000_000


class Way(Protocol):
    """What decides which listings are one stock."""

    @property
    def name(self) -> str:
        """As the cache keeps it, and the configuration says it."""

    @property
    def placeholders(self) -> bool:
        """Whether very many listings with the same key are likely no stock, but a placeholder."""

    @property
    def names(self) -> frozenset[str]:
        """What the configuration names one by one."""

    def named(self, product: Product, item: Item) -> Iterable[str]:
        """Which of these a listing is."""

    def key(self, product: Product, item: Item) -> str | None:
        """The id of its pool, but for the location; None where it is of none."""

    def lacks(self, item: Item) -> str | None:
        """Why a listing of no pool is left out, where that is to be counted."""

    def title(self, product: Product, item: Item) -> str:
        """What people call its pool."""

    def label(self, product: Product, item: Item, place: str) -> str:
        """By what its level at a place differs from the others of its pool."""


def _listing(product: Product, item: Item) -> str:
    """What people call a listing."""
    return product.title if item.title == ONLY_VARIANT else f"{product.title} / {item.title}"


class ByProduct(Struct, frozen=True):
    """All variants of a product."""

    name: ClassVar[str] = PLAIN
    placeholders: ClassVar[bool] = False
    names: ClassVar[frozenset[str]] = frozenset()

    def named(self, product: Product, item: Item) -> Iterable[str]:
        """None."""
        return ()

    def key(self, product: Product, item: Item) -> str | None:
        """The product."""
        return product.id

    def lacks(self, item: Item) -> str | None:
        """Nothing: every variant has a product."""
        return None

    def title(self, product: Product, item: Item) -> str:
        """As the product is called."""
        return product.title

    def label(self, product: Product, item: Item, place: str) -> str:
        """The SKU, else the variant's title."""
        return item.sku or item.title


class ByItem(Struct, frozen=True):
    """One variant: the only way of `locations`, which needs no name of its own."""

    name: ClassVar[str] = PLAIN
    placeholders: ClassVar[bool] = False
    names: ClassVar[frozenset[str]] = frozenset()

    def named(self, product: Product, item: Item) -> Iterable[str]:
        """None."""
        return ()

    def key(self, product: Product, item: Item) -> str | None:
        """The item."""
        return item.id

    def lacks(self, item: Item) -> str | None:
        """Nothing: every variant has an item."""
        return None

    def title(self, product: Product, item: Item) -> str:
        """As product and variant are called."""
        return _listing(product, item)

    def label(self, product: Product, item: Item, place: str) -> str:
        """The location."""
        return place


class BySku(Struct, frozen=True):
    """Every listing of one SKU: trimmed, then compared exactly. `skus`: only these; empty: all."""

    skus: frozenset[str] = frozenset()
    name: ClassVar[str] = "sku"
    placeholders: ClassVar[bool] = True

    @property
    def names(self) -> frozenset[str]:
        """The SKUs."""
        return self.skus

    def named(self, product: Product, item: Item) -> Iterable[str]:
        """Its SKU."""
        return (trimmed(item.sku),)

    def key(self, product: Product, item: Item) -> str | None:
        """The SKU, if it is one of those."""
        sku = trimmed(item.sku)
        return f"sku:{_plain(sku)}" if sku and (not self.skus or sku in self.skus) else None

    def lacks(self, item: Item) -> str | None:
        """A SKU, where every SKU is a stock."""
        return "no_sku" if not self.skus and not trimmed(item.sku) else None

    def title(self, product: Product, item: Item) -> str:
        """The SKU."""
        return trimmed(item.sku)

    def label(self, product: Product, item: Item, place: str) -> str:
        """As product and variant are called."""
        return _listing(product, item)


class ByType(Struct, frozen=True):
    """Every listing of one product type."""

    name: ClassVar[str] = "product_type"
    placeholders: ClassVar[bool] = False
    names: ClassVar[frozenset[str]] = frozenset()

    def named(self, product: Product, item: Item) -> Iterable[str]:
        """None."""
        return ()

    def key(self, product: Product, item: Item) -> str | None:
        """The type."""
        kind = composed(product.product_type)
        return f"type:{_plain(kind)}" if kind.strip() else None

    def lacks(self, item: Item) -> str | None:
        """A type."""
        return "no_product_type"

    def title(self, product: Product, item: Item) -> str:
        """The type."""
        return composed(product.product_type)

    def label(self, product: Product, item: Item, place: str) -> str:
        """As product and variant are called."""
        return _listing(product, item)


class ByMetafield(Struct, frozen=True):
    """Every listing with the same value of a metafield of the variant, `namespace.key`."""

    metafield: str
    placeholders: ClassVar[bool] = True
    names: ClassVar[frozenset[str]] = frozenset()

    def named(self, product: Product, item: Item) -> Iterable[str]:
        """None."""
        return ()

    @property
    def name(self) -> str:
        """With the metafield's name."""
        return f"metafield {self.metafield}"

    def key(self, product: Product, item: Item) -> str | None:
        """The value, trimmed."""
        value = self._value(item)
        return f"metafield:{_plain(value)}" if value else None

    def lacks(self, item: Item) -> str | None:
        """A value."""
        return None if self._value(item) else "no_metafield"

    def title(self, product: Product, item: Item) -> str:
        """The value."""
        return self._value(item)

    def label(self, product: Product, item: Item, place: str) -> str:
        """As product and variant are called."""
        return _listing(product, item)

    def _value(self, item: Item) -> str:
        return trimmed(item.pool or "") if isinstance(item, Listed) else ""


class Member(Struct, frozen=True):
    """A listing of a list by hand: in which, its size in units, and how it is named there."""

    pool: str
    size: int = 1
    name: str = ""


class ByList(Struct, frozen=True):
    """Lists by hand. Where several ways to name a listing fit, the most exact one holds.

    `variants` and `products` go by id, `skus` by the trimmed SKU.
    """

    variants: Mapping[str, Member] = {}
    skus: Mapping[str, Member] = {}
    products: Mapping[str, Member] = {}
    name: ClassVar[str] = "pools"
    placeholders: ClassVar[bool] = False

    def key(self, product: Product, item: Item) -> str | None:
        """The list."""
        member = self.member(product, item)
        return f"list:{_plain(member.pool)}" if member else None

    def lacks(self, item: Item) -> str | None:
        """Nothing: what no list names was not asked for."""
        return None

    def title(self, product: Product, item: Item) -> str:
        """The list's name."""
        member = self.member(product, item)
        return member.pool if member else ""

    def label(self, product: Product, item: Item, place: str) -> str:
        """The SKU, else as product and variant are called."""
        return item.sku or _listing(product, item)

    @property
    def names(self) -> frozenset[str]:
        """As the lists name their listings."""
        return frozenset(member.name for member in self.members)

    @property
    def members(self) -> list[Member]:
        """All that the lists name."""
        return [*self.variants.values(), *self.skus.values(), *self.products.values()]

    def named(self, product: Product, item: Item) -> Iterable[str]:
        """The names under which the lists have a listing."""
        variant = item.variant if isinstance(item, Listed) else ""
        of = (self.variants.get(variant), self.skus.get(trimmed(item.sku)))
        return [one.name for one in (*of, self.products.get(product.id)) if one]

    def member(self, product: Product, item: Item) -> Member | None:
        """What the lists say of a listing."""
        by_id = self.variants.get(item.variant) if isinstance(item, Listed) else None
        return by_id or self.skus.get(trimmed(item.sku)) or self.products.get(product.id)


class Pack(Struct, frozen=True):
    """Where the size of a pack stands: an option's value, or a metafield's (`namespace.key`).

    `sizes`: what its values mean, where that is not the one number in them.
    """

    option: str = ""
    metafield: str = ""
    sizes: Mapping[str, int] = {}

    def size(self, item: Item) -> int | None:
        """The units of one piece; None where its value tells none."""
        value = self.value(item)
        named = self.sizes.get(evened(value))
        return named if named is not None else number_in(value)

    def value(self, item: Item) -> str:
        """The value that tells it, empty where it has none."""
        if not isinstance(item, Listed):
            return ""
        if self.metafield:
            return item.pack or ""
        wanted = evened(self.option)
        return next((text for name, text in item.options.items() if evened(name) == wanted), "")


def number_in(value: str) -> int | None:
    """The one whole number above 0 in a text; None where there is none, or are several."""
    found = re.findall(r"\d+(?:[.,]\d+)*", value)
    if len(found) != 1 or not re.fullmatch(r"[0-9]{1,7}", found[0]):
        return None
    return size if 0 < (size := int(found[0])) <= _LARGEST else None


def trimmed(text: str) -> str:
    """A text as it is compared: without blanks around it, in one form."""
    return composed(text.strip())


def _plain(key: str) -> str:
    """A key in which nothing could be taken for the location at the end of a pool's id."""
    return key.replace("@gid:", "@ gid:")
