"""The keys of the configuration: the one table of what may stand in it.

Defaults, validation and the JSON Schema for editors all come from it.
"""

from __future__ import annotations

from collections.abc import Sequence

from invsync import API_VERSIONS
from invsync.config.nested import LISTS, PACK
from invsync.config.values import (
    CHOICE,
    DURATION,
    ENDPOINT,
    FILE,
    FLAG,
    LOCATION,
    LOCATION_LIST,
    METAFIELD,
    NAME,
    NAMES,
    OBJECTS,
    PERCENTAGE,
    SECRET,
    SECTION,
    SHOP,
    SKUS,
    SKUS_OR_BEGINNINGS,
    UNITS,
    URL,
    Key,
)
from invsync.config.words import listed, nearest

_EXCLUDE = (
    Key(
        "product_tags",
        NAMES,
        "Products with one of these tags.",
        default=(),
        example=("one-off",),
    ),
    Key(
        "product_types",
        NAMES,
        "Products of these types, compared exactly.",
        default=(),
        example=("Gift",),
    ),
    Key(
        "skus",
        SKUS_OR_BEGINNINGS,
        "Variants with these SKUs, compared exactly; with a * at the end: all that begin so.",
        default=(),
        example=("TEST-*",),
    ),
    Key(
        "ids",
        OBJECTS,
        "Products or variants, by the number that ends their address in the Shopify admin.",
        default=(),
        example=("1004",),
    ),
)

_SHARED = (
    Key(
        "exclude",
        SECTION,
        "What is left out although it matches.",
        keys=_EXCLUDE,
    ),
    Key(
        "pause_tag",
        NAME,
        "Products with this tag are paused: looked at, but nothing is sent or counted for them.",
        default="invsync-pause",
    ),
    Key(
        "reserve",
        UNITS,
        "Units of each stock that are kept back: every listing shows that many fewer.",
        default=0,
    ),
    Key(
        "several_rises",
        CHOICE,
        "What to count when several levels of a pool rose between two runs: the smallest rise, all "
        "cancelled orders and the smallest of the other rises (freed), the sum, or none.",
        default="smallest",
        allowed=("smallest", "freed", "sum", "hold"),
    ),
    Key(
        "max_rising",
        PERCENTAGE,
        "Hold the rises of a run in which more than this share of the pools (and at least 20) "
        "would rise.",
        default="50%",
    ),
    Key(
        "low_stock",
        UNITS,
        "Pools with at most this many units are looked at by every run, whatever Shopify's search "
        "shows; 0: none.",
        default=10,
    ),
    Key(
        "scan",
        CHOICE,
        "How a run finds what moved: the whole catalogue, or only what changed since the last run; "
        "auto picks.",
        default="auto",
        allowed=("auto", "complete", "changes"),
    ),
    Key(
        "reconcile_every",
        DURATION,
        "How often a complete scan checks what the scan for changes can't see.",
        default="6h",
    ),
)

ENVIRONMENT_FILE = Key(
    "environment_file",
    FILE,
    "A file of NAME=value lines for ${NAME}; relative to the folder of the configuration. What it "
    "names counts, whatever the environment says.",
    example="environment",
)

TOP: tuple[Key, ...] = (
    Key(
        "shop",
        SHOP,
        "The shop's myshopify.com domain, or sandbox: a shop in a box, to try invsync without a "
        "shop.",
        example="my-shop.myshopify.com",
        required=True,
    ),
    Key(
        "api_version",
        CHOICE,
        "The Admin API version to speak.",
        default=API_VERSIONS[-1],
        allowed=API_VERSIONS,
    ),
    Key(
        "access_token",
        SECRET,
        "The Admin API access token of an app that was created in the Shopify admin.",
        example="${SHOPIFY_ACCESS_TOKEN}",
        secret=True,
    ),
    Key(
        "access_token_file",
        FILE,
        "A file that holds the access token and nothing else.",
        example="/run/secrets/shopify-access-token",
    ),
    Key(
        "client_id", SECRET, "The client id of a Dev Dashboard app.", example="${SHOPIFY_CLIENT_ID}"
    ),
    Key(
        "client_secret",
        SECRET,
        "The client secret of a Dev Dashboard app.",
        example="${SHOPIFY_CLIENT_SECRET}",
        secret=True,
    ),
    Key(
        "client_secret_file",
        FILE,
        "A file that holds the client secret and nothing else.",
        example="/run/secrets/shopify-client-secret",
    ),
    Key(
        "api_url",
        ENDPOINT,
        "Another address for the shop's API; plain http only to this machine.",
        example="http://127.0.0.1:8787",
    ),
    ENVIRONMENT_FILE,
    Key(
        "state_dir",
        FILE,
        "The folder for what invsync remembers between runs; relative to the folder of the "
        "configuration.",
        default="invsync-state",
    ),
    Key(
        "report",
        CHOICE,
        "What a run prints that nobody watches, and cron mails: what a person has to know, or "
        "every change as well.",
        default="problems",
        allowed=("problems", "changes"),
    ),
    Key(
        "remind_every",
        DURATION,
        "How often a problem that stands is told again.",
        default="1d",
    ),
    Key(
        "ping_url",
        URL,
        "Told of the start, success and failure of each run (healthchecks.io style).",
        example="https://hc-ping.com/your-check",
        secret=True,
    ),
    Key(
        "max_run_time",
        DURATION,
        "How long one run may take; what is left then is for the next run.",
        default="9m",
    ),
)

VARIANTS: tuple[Key, ...] = (
    Key(
        "product_types",
        NAMES,
        "Products of these types, compared exactly. Give exactly one of product_types, "
        "product_tags, skus and pools.",
        default=(),
        example=("Print",),
    ),
    Key(
        "product_tags",
        NAMES,
        "Products with one of these tags, whatever their case. Give exactly one of product_types, "
        "product_tags, skus and pools.",
        default=(),
        example=("shared-stock",),
    ),
    Key(
        "skus",
        SKUS,
        "Listings of these SKUs, on whatever products; or all: every SKU that tracked variants "
        "share. All listings of one SKU are one stock then.",
        default=(),
        example=("BIRCH-A4", "OAK-A4"),
        allowed=("all",),
    ),
    Key(
        "pools",
        LISTS,
        "Stocks by hand: a name and its listings, each a SKU, the id of a variant or of a product "
        "(all its variants), with its size where that is not 1.",
    ),
    Key(
        "pool_by",
        CHOICE,
        "What is one stock: the variants of one product, or all listings of one product type, of "
        "one SKU, or with the same value of a metafield of the variant.",
        default="product",
        allowed=("product", "product_type", "sku", "metafield"),
    ),
    Key(
        "pool_metafield",
        METAFIELD,
        "With pool_by: metafield, which one: its namespace and key.",
        example="custom.stock_pool",
    ),
    Key(
        "pack_size",
        PACK,
        "How many units one piece of a listing is: the whole number in the value of an option, or "
        "of a metafield of the variant; sizes says what other values mean.",
    ),
    Key("only_active", FLAG, "Leave out drafts and archived products.", default=False),
    Key(
        "location",
        LOCATION,
        "The location whose stock is kept in step: default (the shop's default location), a name "
        "or an id.",
        default="default",
        example="Main Street 1",
    ),
    Key(
        "locations",
        LOCATION_LIST,
        "Instead of location: several, by name or id; empty: every active one that no fulfilment "
        "service owns. Each has stocks of its own, unless across_locations is on.",
        example=("Warehouse", "Till"),
    ),
    Key(
        "across_locations",
        FLAG,
        "With locations: what is one stock is so over all of them. invsync locations then leaves "
        "these products out.",
        default=False,
    ),
    *_SHARED,
)

LOCATIONS: tuple[Key, ...] = (
    Key(
        "product_types",
        NAMES,
        "Products of these types, compared exactly; empty: every product.",
        default=(),
        example=("Print",),
    ),
    Key(
        "locations",
        LOCATION_LIST,
        "Names or ids; empty: every active location that no fulfilment service owns.",
        default=(),
        example=("Warehouse", "Till"),
    ),
    *_SHARED,
)

#: The sections, each with what it is about and its keys.
SECTIONS: dict[str, tuple[str, tuple[Key, ...]]] = {
    "variants": (
        "All tracked variants of one product (or of one SKU, type, …), at one location, are one "
        "stock.",
        VARIANTS,
    ),
    "locations": ("One variant, at all its locations, is one stock.", LOCATIONS),
}

#: The ways to give credentials: the keys of exactly one of these.
CREDENTIALS: tuple[tuple[str, ...], ...] = (
    ("access_token",),
    ("access_token_file",),
    ("client_id", "client_secret"),
    ("client_id", "client_secret_file"),
)

#: The same for a message.
CREDENTIALS_IN_WORDS = (
    "access_token, access_token_file, or client_id with client_secret or client_secret_file"
)

#: Of these keys of `variants`, exactly one is given and not empty.
FILTERS = ("product_types", "product_tags", "skus", "pools")


def unknown_mend(name: str, where: str, known: Sequence[str]) -> str:
    """What to do about a key that is not known there."""
    places = {section: [key.name for key in keys] for section, (_, keys) in SECTIONS.items()}
    places[""] = [key.name for key in TOP]
    homes = [section for section, names in places.items() if name in names]
    if "" in homes:
        return "move it to the top level, without indentation"
    if homes:
        return f"move it under {listed(homes, 'or')}"
    near = nearest(name, known)
    return f"did you mean {near}?" if near else f"delete it; the keys here are {', '.join(known)}"
