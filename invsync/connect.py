"""The way from a configuration to its shop.

A run's clock, the client, and what the command keeps in step there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import requests

from invsync.admin import search
from invsync.admin.auth import AccessToken, ClientCredentials, credentials_for
from invsync.admin.client import Client
from invsync.admin.clock import Clock
from invsync.admin.shop import Location, Shop
from invsync.config.nested import ListSettings
from invsync.config.settings import (
    ExcludeSettings,
    LocationsSettings,
    Settings,
    VariantsSettings,
    section_missing,
)
from invsync.errors import ConfigError, OutOfTime, Stopped
from invsync.exclude import Exclude, tag_of
from invsync.pools import Scope
from invsync.state.files import Command, is_own, refuse_foreign
from invsync.state.token import TokenFile
from invsync.text import evened, forms
from invsync.ways import ByItem, ByList, ByMetafield, ByProduct, BySku, ByType, Member, Pack, Way

#: SKUs that one search may name: nobody has seen how many Shopify takes.
MOST_TERMS = 50


class RunClock:
    """The system's clock, which a signal stops.

    `sleep` then raises `Stopped`, and so does `check`.
    """

    def __init__(self, budget: float) -> None:
        """`budget`: seconds that the run may take."""
        self.deadline = time.monotonic() + budget
        self._signum: int | None = None

    def stop(self, signum: int) -> None:
        """Ask the run to stop at the next point where nothing is in flight."""
        self._signum = signum

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on a clock that is never set."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, unless a signal came or comes."""
        until = time.monotonic() + seconds
        while self._signum is None and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))
        if self._signum is not None:
            raise Stopped(self._signum)

    def check(self) -> None:
        """Raise `Stopped` if a signal came, `OutOfTime` if the time budget is spent."""
        if self._signum is not None:
            raise Stopped(self._signum)
        if time.monotonic() >= self.deadline:
            raise OutOfTime("the time budget max_run_time is spent")


def connect(
    settings: Settings,
    session: requests.Session,
    clock: Clock,
    deadline: float | None,
    *,
    keep_token: bool = True,
) -> Client:
    """A client for the shop of the configuration.

    The real one, a served sandbox, or the one in this process.

    `keep_token`: whether a granted token may be written to the state folder. Raises `StateError`
    for a sandbox in another user's folder.
    """
    if settings.sandbox:
        from invsync.sandbox.transport import SandboxAdapter

        refuse_foreign(settings.state_dir, "…")  # whoever asks the shop in there, writes to it
        try:
            session.mount(settings.endpoint, SandboxAdapter(settings.state_dir / "sandbox.json"))
        except ImportError as error:
            raise ConfigError(f"{settings.file}: shop: {error}") from error
    keep_token = keep_token and is_own(settings.state_dir)
    configured = (
        AccessToken(settings.access_token)
        if settings.access_token is not None
        else ClientCredentials(settings.client_id or "", settings.client_secret or "")
    )
    return Client(
        endpoint=settings.endpoint,
        api_version=settings.api_version,
        credentials=credentials_for(
            configured, TokenFile(settings.state_dir) if keep_token else None
        ),
        session=session,
        clock=clock,
        deadline=deadline,
    )


def scope_of(settings: Settings, command: Command, shop: Shop) -> Scope:
    """What the command keeps in step.

    Raises `ConfigError` for a location that the shop does not have.
    """
    section = section_of(settings, command)
    active = {location.id: location for location in shop.locations if location.active}
    if isinstance(section, LocationsSettings):
        other, taken = settings.variants, None
        if other is not None and other.across_locations:
            taken = _grouped(settings, other, active, shop.default)
        return _across(settings, section, active, taken)
    return _grouped(settings, section, active, shop.default)


def _several(
    settings: Settings, key: str, names: Sequence[str], active: Mapping[str, Location]
) -> dict[str, str]:
    """Id → name of the locations that are named; without any, of all that are the shop's own."""
    ids = [_location(settings, key, name, active) for name in names]
    if not ids:
        ids = [location.id for location in active.values() if not location.fulfilment_service]
    if not ids:
        raise ConfigError(
            f"{settings.file}: {key}: the shop has no active location but those of "
            "fulfilment services; name the ones to keep in step"
        )
    return {gid: active[gid].name for gid in ids}


def _across(
    settings: Settings,
    section: LocationsSettings,
    active: Mapping[str, Location],
    taken: Scope | None,
) -> Scope:
    return Scope(
        "locations",
        _several(settings, "locations.locations", section.locations, active),
        frozenset(section.product_types),
        terms=search.any_of("product_type", _forms(section.product_types)),
        reserve=section.reserve,
        way=ByItem(),
        taken=taken,
        exclude=_exclude(section.exclude),
        pause_tag=tag_of(section.pause_tag),
    )


def _one(
    settings: Settings,
    section: VariantsSettings,
    active: Mapping[str, Location],
    default: Location | None,
) -> dict[str, str]:
    """Id → name of the one location of `variants`."""
    if section.location != "default":
        place = active[_location(settings, "variants.location", section.location, active)]
    elif default is not None:
        place = default
    else:
        raise ConfigError(
            f"{settings.file}: variants.location: the shop has no default location; name one"
        )
    return {place.id: place.name}


def _grouped(
    settings: Settings,
    section: VariantsSettings,
    active: Mapping[str, Location],
    default: Location | None,
) -> Scope:
    several, across = section.locations, section.across_locations
    places = (
        _one(settings, section, active, default)
        if several is None
        else _several(settings, "variants.locations", several, active)
    )
    return Scope(
        "variants",
        places,
        frozenset(section.product_types),
        frozenset(map(tag_of, section.product_tags)),
        section.only_active,
        each=several is not None and not across,
        across=across,
        terms=_terms(section),
        way=_way(section),
        filters=_filters(section),
        pack=_pack(section),
        reserve=section.reserve,
        exclude=_exclude(section.exclude),
        pause_tag=tag_of(section.pause_tag),
    )


def _exclude(given: ExcludeSettings) -> Exclude:
    return Exclude(
        frozenset(map(tag_of, given.product_tags)),
        frozenset(given.product_types),
        frozenset(given.skus),
        frozenset(given.ids),
    )


def _terms(section: VariantsSettings) -> str:
    """What to ask the search index for; nothing where that would be too long a question."""
    if section.pools:
        return _listed(section.pools)
    if section.skus:
        few = section.skus if section.skus != "all" and len(section.skus) <= MOST_TERMS else ()
        return search.any_of("sku", _forms(few))
    if section.product_tags:
        return search.any_of("tag", _forms(section.product_tags))
    return search.any_of("product_type", _forms(section.product_types))


def _filters(section: VariantsSettings) -> tuple[str, ...]:
    """Which SKUs are asked for, as text."""
    if section.pools:
        return tuple(
            f"list {pool.name}: {one.name} x {one.size}"
            for pool in section.pools
            for one in pool.listings
        )
    if section.skus == "all":
        return ("every SKU",)
    return tuple(f"sku {sku}" for sku in section.skus)


def _way(section: VariantsSettings) -> Way:
    """What is one stock."""
    if section.pools:
        return _by_list(section.pools)
    if section.pool_by == "sku":
        return BySku(frozenset(() if section.skus == "all" else section.skus))
    if section.pool_by == "product_type":
        return ByType()
    if section.pool_by == "metafield":
        return ByMetafield(section.pool_metafield or "")
    return ByProduct()


def _by_list(pools: Sequence[ListSettings]) -> Way:
    found: dict[str, dict[str, Member]] = {"sku": {}, "variant": {}, "product": {}}
    for pool in pools:
        for one in pool.listings:
            found[one.by][one.name] = Member(pool.name, one.size, one.name)
    return ByList(found["variant"], found["sku"], found["product"])


def _listed(pools: Sequence[ListSettings]) -> str:
    """What to ask the search index for, to find what the lists name."""
    names = [one for pool in pools for one in pool.listings]
    if len(names) > MOST_TERMS:
        return ""
    fields = {"variant": "id", "product": "product_id"}
    terms = [
        term
        for one in names
        for term in (
            [f"sku:{search.quote(form)}" for form in forms(one.name)]
            if one.by == "sku"
            else [f"{fields[one.by]}:{search.number(one.name)}"]
        )
    ]
    return search.either(terms)


def _pack(section: VariantsSettings) -> Pack | None:
    pack = section.pack_size
    return None if pack is None else Pack(pack.option, pack.metafield, pack.sizes)


def section_of(settings: Settings, command: Command) -> VariantsSettings | LocationsSettings:
    """The configuration of a command; raises `ConfigError` where there is none."""
    sections: dict[Command, VariantsSettings | LocationsSettings | None] = {
        "variants": settings.variants,
        "locations": settings.locations,
    }
    section = sections[command]
    if section is None:
        raise section_missing(settings, command)
    return section


def _location(settings: Settings, key: str, given: str, active: Mapping[str, Location]) -> str:
    gid = f"gid://shopify/Location/{given}" if given.isdigit() else given
    if gid in active:
        return gid
    named = [one.id for one in active.values() if evened(one.name) == evened(given)]
    if len(named) == 1:
        return named[0]
    names = ", ".join(
        f"{location.name} ({search.number(location.id)})" for location in active.values()
    )
    what = "several active locations are" if named else "no active location is"
    raise ConfigError(
        f"{settings.file}: {key}: {what} called {given!r}; write the name or number of one of: "
        f"{names}"
    )


def _forms(names: Sequence[str]) -> list[str]:
    """The names in each form in which the shop may have them: its index may tell them apart."""
    return [form for name in names for form in forms(name)]
