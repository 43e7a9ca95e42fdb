"""What the way in which listings are grouped has to tell: of a pool, and of the shop.

Each kind with its sentence, once; all of them stand until a person acts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from invsync.pools import Scope, Sight
from invsync.state.cache import Cache
from invsync.sync import LevelId, Managed, Pool, Reading
from invsync.tell.lines import counted, listed
from invsync.tell.outcome import Problem, Warning
from invsync.ways import MOST, ByList

Note = Problem | Warning


def barred(sight: Sight, scope: Scope, pool: Pool | None) -> Problem | None:
    """Why nothing can be made of a pool for now; None where nothing is in the way."""
    if sight.shared:
        return _shared_item(sight, scope)
    if isinstance(pool, Managed) and sight.levels:
        return None
    if sight.unsized:
        return _no_pack_size(sight, scope, managed=False)
    if scope.way.placeholders and len(sight.levels) > MOST:
        return _too_many(sight, scope)
    return None


def notes(
    sight: Sight,
    scope: Scope,
    came: Mapping[LevelId, str],
    seen: Mapping[LevelId, Reading],
    cache: Cache,
) -> tuple[Note, ...]:
    """What is to be told of a managed pool. `came`: levels from other pools, and from which."""
    told: list[Note] = []
    if sight.unsized:
        told.append(_no_pack_size(sight, scope, managed=True))
    if came:
        told.append(_changed_pool(sight, scope, came, seen, cache))
    return tuple(told)


def missing(scope: Scope, seen: Collection[str]) -> tuple[str, ...]:
    """What the configuration names, one by one, that was not seen."""
    return tuple(sorted(scope.way.names - set(seen)))


def of_shop(scope: Scope, missing: Sequence[str], ids: Iterable[str]) -> tuple[Note, ...]:
    """What is to be told of the shop as a whole: what is missing, and what is spelled in two ways.

    `ids`: of all pools, where a complete scan has seen them.
    """
    told: list[Note] = []
    if scope.way.name == "sku" and (several := _spelled_in_two_ways(ids)):
        told.append(
            Warning(
                "sku_spelling",
                None,
                f"SKUs that differ in capitals only are different stocks: {listed(several)}. If "
                "they are one, spell them alike in Shopify",
            )
        )
    if missing and isinstance(scope.way, ByList):
        told.append(_not_listed(scope, scope.way, missing))
    elif missing:
        told.append(
            Warning(
                "sku_not_found",
                None,
                f"no listing has these SKUs: {listed(missing)}. Correct skus under "
                f"{scope.command}, or the SKUs in Shopify",
            )
        )
    return tuple(told)


def _spelled_in_two_ways(ids: Iterable[str]) -> list[str]:
    spelled: dict[str, list[str]] = defaultdict(list)
    for sku in sorted({pool.partition("@gid:")[0].removeprefix("sku:") for pool in ids}):
        spelled[sku.casefold()].append(sku)
    return [" and ".join(ways) for ways in spelled.values() if len(ways) > 1]


def _not_listed(scope: Scope, way: ByList, missing: Sequence[str]) -> Problem:
    pools = {member.name: member.pool for member in way.members}
    named = listed([f"{name} ({pools[name]})" for name in missing if name in pools])
    return Problem(
        "list_incomplete",
        None,
        None,
        f"no listing is what pools names so: {named}. The other listings of these stocks are "
        f"kept in step without it. Correct pools under {scope.command}, or the SKU in Shopify",
    )


def _called(sight: Sight, scope: Scope, levels: Iterable[LevelId]) -> str:
    names = sight.names(scope)
    return listed([names[at].label for at in levels if at in names])


def _too_many(sight: Sight, scope: Scope) -> Problem:
    return Problem(
        "too_many",
        sight.id,
        sight.title,
        f"{sight.title}: {len(sight.levels)} levels share it, more than {MOST}, as a placeholder "
        "would be: not adopted. Give the listings what is really theirs in Shopify, or leave them "
        f"blank; or list those that are one stock under pools in {scope.command}",
    )


def _shared_item(sight: Sight, scope: Scope) -> Problem:
    level = scope.axis.level
    shown = [level(sight.id, key) for key in sight.levels]
    shared = _called(sight, scope, [at for at in shown if at.item in sight.shared])
    return Problem(
        "shared_item",
        sight.id,
        sight.title,
        f"{sight.title}: another pool shows the same inventory item ({shared}), so nothing is sent "
        "or counted for either. Give its variants the same SKU, type or list, so that they are one "
        "pool, or take one of them out of the filter",
    )


def _no_pack_size(sight: Sight, scope: Scope, *, managed: bool) -> Problem:
    what = (
        "left out, and the others go on without it"
        if managed
        else "so the whole pool is not adopted"
    )
    pack = scope.pack
    where = f"the option {pack.option}" if pack and pack.option else "its metafield"
    return Problem(
        "no_pack_size",
        sight.id,
        sight.title,
        f"{sight.title}: how many units are in a pack is not told by {where} "
        f"({_called(sight, scope, sight.unsized)}): {what}. Write one whole number above 0 there "
        "in Shopify, or say what the value means under pack_size, sizes",
    )


def _changed_pool(
    sight: Sight,
    scope: Scope,
    came: Mapping[LevelId, str],
    seen: Mapping[LevelId, Reading],
    cache: Cache,
) -> Warning:
    names = sight.names(scope)
    whence = listed(
        [
            f"{names[at].label} from {cache.title(home)}, where it reads {seen[at].available}"
            for at, home in came.items()
        ]
    )
    return Warning(
        "changed_pool",
        sight.id,
        f"{sight.title}: {counted(len(came), scope.axis.one)} came from another pool ({whence}): "
        "brought to this pool's quantity, the stock of its own is not added; what was sold of it "
        "since the last run counts in both. If it brought further units, raise one "
        f"{scope.axis.one} by them in Shopify",
    )
