"""What is left out although it matches: by tag, type, SKU or id. Pure."""

from __future__ import annotations

from msgspec import Struct

from invsync.admin.nodes import Item, Product
from invsync.text import composed


class Exclude(Struct, frozen=True):
    """What is left out although it matches. Everything in NFC, tags in lower case.

    `skus`: with a * at the end, all that begin so. `ids`: numbers or gids of products and variants.
    """

    product_tags: frozenset[str] = frozenset()
    product_types: frozenset[str] = frozenset()
    skus: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    @property
    def terms(self) -> list[str]:
        """What is left out as text."""
        return [
            *(f"no type {name}" for name in self.product_types),
            *(f"no tag {name}" for name in self.product_tags),
            *(f"no SKU {name}" for name in self.skus),
            *(f"no {one}" for one in self.ids),
        ]

    def product(self, product: Product) -> bool:
        """Whether a whole product is left out."""
        return (
            composed(product.product_type) in self.product_types
            or not self.product_tags.isdisjoint(map(tag_of, product.tags))
            or self._names(product.id)
        )

    def item(self, item: Item) -> bool:
        """Whether a variant is left out, be it its product or not."""
        return self._names(item.variant) or (bool(self.skus) and self._has(item.sku))

    def _names(self, gid: str) -> bool:
        return bool(self.ids) and not self.ids.isdisjoint((gid, gid.rpartition("/")[2]))

    def _has(self, sku: str) -> bool:
        text = composed(sku.strip())
        return text in self.skus or any(
            text.startswith(name[:-1]) for name in self.skus if name.endswith("*")
        )


def tag_of(tag: str) -> str:
    """A tag as tags are compared.

    Shopify takes tags that differ in case or in blanks at their ends for the same tag.
    """
    return composed(tag.strip()).casefold()


#: Nothing is left out.
NOTHING = Exclude()
