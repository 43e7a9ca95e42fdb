"""Keys of the configuration that hold more than a value: lists by hand, and sizes of packs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, Protocol

from msgspec import Struct

from invsync.config.values import LISTING, METAFIELD, NAME, SIZE, Key, Kind
from invsync.config.words import joined, plain, quoted, short
from invsync.text import composed, evened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import yaml


class Reads(Protocol):
    """What reads the file: see `reading.Reading`, which knows of the keys here."""

    lines: dict[str, int]
    mistaken: set[str]

    def problem(self, line: int, path: str, what: str) -> None:
        """Note what is wrong."""

    def one(self, node: yaml.Node, path: str, key: Key, line: int) -> Any:
        """The value of one scalar; None where it is mistaken, which is noted."""

    def entries(
        self, node: yaml.MappingNode, where: str, known: Sequence[str]
    ) -> dict[str, yaml.Node]:
        """The known keys that have a value."""

    def values(
        self, entries: Mapping[str, yaml.Node], where: str, keys: Sequence[Key]
    ) -> dict[str, Any]:
        """The value of each key, or its default."""


class ListedSettings(Struct, frozen=True):
    """A listing of a list by hand: how it is named, by what, and the units of one piece of it."""

    by: Literal["sku", "variant", "product"]
    name: str
    size: int = 1


class ListSettings(Struct, frozen=True):
    """A list by hand."""

    name: str
    listings: tuple[ListedSettings, ...]


class PackSettings(Struct, frozen=True):
    """Where the size of a pack stands: of `option` and `metafield` exactly one is given."""

    option: str = ""
    #: `namespace.key`.
    metafield: str = ""
    sizes: Mapping[str, int] = {}


_SKU = Key("sku", LISTING, "A SKU.", example="BIRCH-A4-6")
_ID = Key("id", LISTING, "The id of a product or variant.", example="gid://shopify/Product/1004")
_SIZE = Key("size", SIZE, "Units of one piece.", example="6")
_OPTION = Key("option", NAME, "The option that tells the size.", example="Pack size")
_METAFIELD = Key("metafield", METAFIELD, "A metafield that tells it.", example="custom.pack_size")

_SHOWN = "[BIRCH-A4, {sku: BIRCH-A4-6, size: 6}]"


def _read_lists(
    reading: Reads, node: yaml.Node, path: str, key: Key, line: int
) -> tuple[ListSettings, ...]:
    """The lists by hand; no listing stands in two of them."""
    import yaml

    if not isinstance(node, yaml.MappingNode):
        _mistake(reading, line, path, f"must give each stock a name; write Birch blank: {_SHOWN}")
        return ()
    found: list[ListSettings] = []
    known: dict[str, str] = {}
    for key_node, listings in node.value:
        name, at = composed(str(key_node.value).strip()), key_node.start_mark.line + 1
        where = joined(path, name)
        reading.lines[where] = at
        if not name:
            _mistake(reading, at, where, "is no name; give the stock one")
            continue
        if not isinstance(listings, yaml.SequenceNode):
            _mistake(reading, at, where, f"must be a list; write {_SHOWN}")
            continue
        of = tuple(_listings(reading, listings, where, name, known))
        if len(listings.value) < 2 and all(one.by != "product" for one in of):
            _mistake(
                reading,
                at,
                where,
                "has one listing only, which is no pool; add another, or delete it",
            )
        found.append(ListSettings(name, of))
    return tuple(found)


def _listings(
    reading: Reads, node: yaml.Node, where: str, name: str, known: dict[str, str]
) -> Iterator[ListedSettings]:
    for each in node.value:
        line = each.start_mark.line + 1
        listing = _listing(reading, each, where, line)
        if listing is None:
            continue
        if other := known.get(listing.name):
            shown = quoted(listing.name)
            twice = "listed twice" if other == name else f"in {plain(short(other))} already"
            _mistake(reading, line, where, f"{shown} is {twice}; keep it in one place")
            continue
        known[listing.name] = name
        yield listing


def _listing(reading: Reads, node: yaml.Node, where: str, line: int) -> ListedSettings | None:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        given = reading.one(node, where, _SKU, line)
        return None if given is None else ListedSettings(_by(given), given)
    entries = reading.entries(node, where, ("sku", "id", "size"))
    values = reading.values(entries, where, (_SKU, _ID, _SIZE))
    names = [values[name] for name in ("sku", "id") if values[name]]
    if len(names) != 1:
        if not reading.mistaken & {f"{where}.sku", f"{where}.id"}:
            what = (
                "both sku and id are given; keep one" if names else "needs a sku or an id; add one"
            )
            _mistake(reading, line, where, what)
        return None
    return ListedSettings(_by(names[0]), names[0], values["size"] or 1)


def _by(given: str) -> Literal["sku", "variant", "product"]:
    if given.startswith("gid://shopify/ProductVariant/"):
        return "variant"
    return "product" if given.startswith("gid://shopify/Product/") else "sku"


def _read_pack(
    reading: Reads, node: yaml.Node, path: str, key: Key, line: int
) -> PackSettings | None:
    """Where the size of a pack stands."""
    import yaml

    if not isinstance(node, yaml.MappingNode):
        _mistake(reading, line, path, "must be a section; write {option: Pack size}, say")
        return None
    entries = reading.entries(node, path, ("option", "metafield", "sizes"))
    values = reading.values(entries, path, (_OPTION, _METAFIELD, _SIZES))
    given = [name for name in ("option", "metafield") if values[name]]
    if len(given) == 2:
        _mistake(reading, line, path, "option and metafield are both given; keep one")
    elif not given and not reading.mistaken & {f"{path}.option", f"{path}.metafield"}:
        _mistake(reading, line, path, "needs an option or a metafield; add option: Pack size, say")
    return PackSettings(
        values["option"] or "", values["metafield"] or "", dict(values["sizes"] or {})
    )


def _read_sizes(
    reading: Reads, node: yaml.Node, path: str, key: Key, line: int
) -> Mapping[str, int]:
    """What the values of an option or metafield mean, in units."""
    import yaml

    if not isinstance(node, yaml.MappingNode):
        _mistake(reading, line, path, "must give each value its units; write {Half dozen: 6}, say")
        return {}
    sizes: dict[str, int] = {}
    for key_node, value in node.value:
        name, at = evened(str(key_node.value)), key_node.start_mark.line + 1
        size = reading.one(value, joined(path, name), _SIZE, at)
        if size is not None:
            sizes[name] = size
    return sizes


def _mistake(reading: Reads, line: int, path: str, what: str) -> None:
    reading.problem(line, path, what)
    reading.mistaken.add(path)


_SIZE_SCHEMA: dict[str, Any] = dict(SIZE.schema)
_MEMBER: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": r"\S"},
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "sku": {"type": "string"},
                "id": {"type": "string"},
                "size": _SIZE_SCHEMA,
            },
            "oneOf": [{"required": ["sku"]}, {"required": ["id"]}],
        },
    ]
}

_SIZES = Key(
    "sizes",
    Kind(
        lambda given, key: None,
        {"type": "object", "additionalProperties": _SIZE_SCHEMA},
        whole=_read_sizes,
    ),
    "What its values mean, in units.",
)
LISTS = Kind(
    lambda given, key: None,
    {"type": "object", "additionalProperties": {"type": "array", "items": _MEMBER}},
    whole=_read_lists,
)
PACK = Kind(
    lambda given, key: None,
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "option": {"type": "string"},
            "metafield": dict(METAFIELD.schema),
            "sizes": dict(_SIZES.kind.schema),
        },
        "oneOf": [{"required": ["option"]}, {"required": ["metafield"]}],
    },
    whole=_read_pack,
)
