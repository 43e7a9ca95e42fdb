"""The pools that a run is to look at alone, by what a person calls them (`--only`).

What the cache knows is found there. What it does not know may still be in the shop: a product that
came after the last run, a SKU that no run has counted. That is asked for by SKU or id, and has to
be what the configuration asks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from invsync.admin import called
from invsync.listings import Source
from invsync.names import Mention, NotFound, called_in, folded, several, unknown
from invsync.order import Known, Order

#: What to do about a name that is known neither here nor there.
_NOT_IN_SHOP = (
    "The shop has no such SKU or id, and no run has seen such a title; of a product that is newer "
    "than the last run give a SKU or the id"
)


def chosen(order: Order, source: Source, known: Known) -> tuple[str, ...]:
    """The ids of the pools that the run was asked to look at alone.

    Raises `NotFound` for a name that stands for nothing, or for more than one thing.
    """
    found: dict[str, None] = {}
    for asked in order.options.only:
        found |= dict.fromkeys(_pools(asked, order, source, known))
    return tuple(found)


def _pools(asked: str, order: Order, source: Source, known: Known) -> Iterable[str]:
    """The pool that is called so.

    Of an id that stands for several, such as a product of several variants, all of them.
    """
    cache = known.cache
    here = called_in(asked, {order.command: cache})
    if len(here) == 1:
        return here
    if here:
        raise NotFound(several(asked, here.values(), "give the id of one"))
    pools = _in_shop(called.by_id(source.client, asked.strip()), source, known)
    if not pools and asked.strip():
        found = called.by_sku(source.client, asked.strip(), _same)
        pools = _in_shop(found, source, known)
        if len(fitting := _wanted(asked, pools, order, source, known)) > 1:
            raise NotFound(several(asked, fitting, "give the id of one"))
        pools = [mention.pool for mention in fitting]
    elif pools:
        pools = [mention.pool for mention in _wanted(asked, pools, order, source, known)]
    if not pools:
        raise NotFound(unknown(asked, order.files, {order.command: cache}, _NOT_IN_SHOP))
    return pools


def _same(sku: str, asked: str) -> bool:
    return folded(sku) == folded(asked)


def _in_shop(found: Iterable[called.Shown], source: Source, known: Known) -> list[str]:
    """The pools that hold what was found."""
    shown = [(one.product, one.item) for one in found]
    return list(dict.fromkeys(source.listings.pools(shown, known)))


def _wanted(
    asked: str, pools: list[str], order: Order, source: Source, known: Known
) -> list[Mention]:
    """Those of the pools that are what the configuration asks for, as they are called.

    Raises `NotFound` where there are some, and none of them is.
    """
    skipped: Counter[str] = Counter()
    read = source.listings.read(pools, known, skipped) if pools else {}
    seen = [read[pool] for pool in pools]
    wanted = [Mention(order.command, one.id, one.title) for one in seen if one and one.levels]
    if pools and not wanted:
        why = f" ({', '.join(sorted(skipped)).replace('_', ' ')})" if skipped else ""
        raise NotFound(
            f"{asked!r} is in the shop, but not what {order.settings.file} asks for under "
            f"`{order.command}`{why}; nothing was done. Change the filter there, or give another "
            "name"
        )
    return wanted
