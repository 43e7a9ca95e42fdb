"""Who answers at the endpoint, and where it keeps stock."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from invsync.admin.budget import connection_cost
from invsync.admin.client import Client
from invsync.admin.documents import load
from invsync.admin.nodes import LocationId, Node, PageInfo, ShopId, of, pages

#: The largest page.
PAGE = 250


class Location(
    Struct,
    frozen=True,
    rename={"active": "isActive", "fulfilment_service": "isFulfillmentService"},
):
    """A place where stock is kept."""

    id: LocationId
    name: str
    active: bool
    fulfilment_service: bool = False


class Shop(Struct, frozen=True):
    """Who answered, its default location, and all its active locations.

    `id` never changes; `domain`, its `*.myshopify.com` name, may.
    """

    id: str
    domain: str
    default: Location | None
    locations: tuple[Location, ...]


class _ShopNode(Node):
    id: ShopId
    myshopify_domain: str


class _Locations(Node):
    nodes: list[Location]
    page_info: PageInfo


class _Answer(Node):
    shop: _ShopNode
    location: Location | None
    locations: _Locations

    @property
    def page_info(self) -> PageInfo:
        return self.locations.page_info


def read_shop(client: Client) -> Shop:
    """Who answers at this endpoint, and where it keeps stock."""

    def ask(after: str | None) -> _Answer:
        variables: dict[str, Any] = {} if after is None else {"after": after}
        answer = client.execute(load("shop"), variables, cost=1 + 1 + connection_cost(PAGE, 0))
        return of("Shop", answer, _Answer)

    locations: list[Location] = []
    for answer in pages("Shop", ask(None), ask):
        locations += answer.locations.nodes
    shop = answer.shop
    return Shop(shop.id, shop.myshopify_domain, answer.location, tuple(locations))
