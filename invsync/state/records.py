"""What happened to a pool, as journal and history keep it: one JSON object each, with these names.

The names on disk are those of 0.1.0, whose files are read.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from invsync.admin.nodes import ItemId, LocationId
from invsync.state.entries import Entry, FirstEntry
from invsync.state.values import LARGEST, parsed

#: A number of units, or a change of one.
Units = Annotated[int, Meta(ge=-LARGEST, le=LARGEST)]

T = TypeVar("T")


class Movement(Struct, frozen=True, kw_only=True):
    """By how much a level moved.

    `name`: what it is called, a variant or a location; `how` it came about, as far as that showed
    (`sync.How`). Old lines have neither.
    """

    item: str
    sku: str
    name: str = ""
    location: str
    movement: Units
    how: str = "unknown"


class Quantity(Struct, frozen=True, rename={"before": "from", "after": "to"}):
    """What a pool's quantity was, and what it became; None where it has none."""

    before: Units | None
    after: Units | None


class Told(Struct, frozen=True):
    """What a run has to tell of a pool."""

    kind: str
    message: str
    problem: bool


class Account(Struct, frozen=True, kw_only=True):
    """What a run made of a pool: what moved, which rule counted it, and what to tell."""

    title: str
    why: str
    quantity: Quantity
    moved: tuple[Movement, ...]
    notes: tuple[Told, ...]


class Observed(Struct, frozen=True):
    """A level as it read before its adjustment."""

    sku: str
    name: str
    observed: Units


class Pending(Account, frozen=True, kw_only=True):
    """What a run made of a pool of a batch.

    `levels`: those of the batch, by their keys in the cache. `after`: the pool's entry in the cache
    once the batch is applied.
    """

    levels: dict[str, Observed]
    after: Entry


class FirstPending(Account, frozen=True, kw_only=True):
    """The same as 0.1.0 kept it."""

    levels: dict[str, Observed]
    after: FirstEntry

    def taken_over(self) -> Pending:
        """The same as it is kept today."""
        return Pending(
            title=self.title,
            why=self.why,
            quantity=self.quantity,
            moved=self.moved,
            notes=self.notes,
            levels=self.levels,
            after=self.after.taken_over(),
        )


class Change(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One row of a call."""

    inventory_item_id: ItemId
    location_id: LocationId
    delta: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
    change_from_quantity: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] | None


class Input(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What a call adjusts, and why, in Shopify's words."""

    name: Literal["available"]
    reason: Literal["correction"]
    reference_document_uri: Annotated[str, Meta(pattern=r"^gid://invsync/Run/[\w-]+$")]
    changes: tuple[Change, ...]


class Call(Struct, frozen=True, forbid_unknown_fields=True):
    """The variables of a call, to be sent again as they are."""

    input: Input
    key: str


class Adjusted(Struct, frozen=True, kw_only=True):
    """A line of the history: an adjustment that took effect. `name`: as of a `Movement`."""

    at: str
    run: str
    batch: str
    pool: str
    title: str
    item: str
    sku: str
    name: str = ""
    location: str
    before: Units
    delta: Units
    after: Units
    why: str

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes two lines tell the same."""
        return self.run, self.batch, self.pool, self.item, self.location


class Counted(Struct, frozen=True):
    """A line of the history: what moved in a pool, and what its quantity became for that."""

    at: str
    run: str
    pool: str
    title: str
    why: str
    quantity: Quantity
    moved: tuple[Movement, ...]

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes two lines tell the same."""
        return self.run, self.pool


class Noted(Struct, frozen=True, kw_only=True):
    """A line of the history: what was told of a pool, once. `skus`: those of the levels in it."""

    at: str
    run: str
    pool: str
    title: str
    kind: str
    message: str
    problem: bool
    skus: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes two lines tell the same."""
        return self.run, self.pool, self.kind


Line = Adjusted | Counted | Noted


def named_in(line: Line) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ids of the items, and the SKUs, that a line names."""
    if isinstance(line, Noted):
        return (), line.skus
    levels = (line,) if isinstance(line, Adjusted) else line.moved
    return tuple(level.item for level in levels), tuple(level.sku for level in levels)


def typed(value: Any, kind: type[T]) -> T:
    """A JSON value as one of these; raises `ValueError`, with the place in it, for what is none."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def plain(value: Struct) -> dict[str, Any]:
    """One of these as a JSON object."""
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    return made


def line_of(text: bytes) -> Line | None:
    """A line of the history; None for one that is torn, or that somebody has changed."""
    try:
        document = parsed(text)
        if isinstance(document, dict) and "delta" in document:
            return typed(document, Adjusted)
        if isinstance(document, dict) and "kind" in document:
            return typed(document, Noted)
        return typed(document, Counted)
    except ValueError:
        return None
