"""The settings: how their file is loaded, and what comes out, typed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from invsync.config.environment import variables
from invsync.config.finding import expanded
from invsync.config.keys import (
    CREDENTIALS,
    CREDENTIALS_IN_WORDS,
    ENVIRONMENT_FILE,
    FILTERS,
    SECTIONS,
    TOP,
)
from invsync.config.nested import ListSettings, PackSettings
from invsync.config.reading import Reading, read, reason
from invsync.config.values import WORD, is_loopback
from invsync.config.words import holds_secret, listed, plain, yaml_list
from invsync.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PoolBy = Literal["product", "product_type", "sku", "metafield"]
SeveralRises = Literal["smallest", "freed", "sum", "hold"]
Scan = Literal["auto", "complete", "changes"]


@dataclass(frozen=True, slots=True)
class ExcludeSettings:
    """What is left out although it matches."""

    product_tags: tuple[str, ...] = ()
    product_types: tuple[str, ...] = ()
    #: With a * at the end: all that begin so.
    skus: tuple[str, ...] = ()
    #: Numbers or gids of products and variants.
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VariantsSettings:
    """What `invsync variants` keeps in step.

    Exactly one of `product_types`, `product_tags` and `skus` is not empty.
    """

    product_types: tuple[str, ...]
    product_tags: tuple[str, ...]
    only_active: bool
    #: `default` (the shop's default location), a location's name, its number or its gid.
    location: str
    exclude: ExcludeSettings
    pause_tag: str
    #: Units.
    reserve: int
    several_rises: SeveralRises
    #: A fraction, 0 to 1.
    max_rising: float
    #: Units.
    low_stock: int
    scan: Scan
    #: Seconds.
    reconcile_every: float
    skus: tuple[str, ...] | Literal["all"] = ()
    pool_by: PoolBy = "product"
    #: `namespace.key`; with `pool_by: metafield`, and only then.
    pool_metafield: str | None = None
    #: Stocks by hand.
    pools: tuple[ListSettings, ...] | None = None
    #: Where the size of a pack stands; None: every listing is of single units.
    pack_size: PackSettings | None = None
    #: In place of `location`. Empty: every active one that no fulfilment service owns.
    locations: tuple[str, ...] | None = None
    across_locations: bool = False


@dataclass(frozen=True, slots=True)
class LocationsSettings:
    """What `invsync locations` keeps in step."""

    #: Empty: every product.
    product_types: tuple[str, ...]
    #: Names, numbers or gids. Empty: every active location that no fulfilment service owns.
    locations: tuple[str, ...]
    exclude: ExcludeSettings
    pause_tag: str
    #: Units.
    reserve: int
    several_rises: SeveralRises
    #: A fraction, 0 to 1.
    max_rising: float
    #: Units.
    low_stock: int
    scan: Scan
    #: Seconds.
    reconcile_every: float


@dataclass(frozen=True, slots=True)
class Settings:
    """One configuration file, checked. Its `repr` holds no secret."""

    #: The file, as it was named.
    file: Path
    #: The shop's `*.myshopify.com` domain.
    shop: str
    #: Whether the shop is the sandbox inside this process: `shop: sandbox` and no `api_url`.
    sandbox: bool
    #: Where the Admin API is reached: scheme and host (and path, if any), without a slash at the
    #: end.
    endpoint: str
    api_version: str
    #: Given (or read from its file) when the credentials are a fixed token; else `client_id` and
    #: `client_secret` are.
    access_token: str | None = field(repr=False)
    client_id: str | None
    client_secret: str | None = field(repr=False)
    state_dir: Path
    ping_url: str | None = field(repr=False)
    #: What is printed of a run that nobody watches.
    report: Literal["problems", "changes"]
    #: Seconds.
    remind_every: float
    #: Seconds.
    max_run_time: float
    #: None: the file has no such section.
    variants: VariantsSettings | None
    #: None: the file has no such section.
    locations: LocationsSettings | None
    #: One line each, for a person: what is allowed but unwise.
    warnings: tuple[str, ...] = ()


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Reads and checks the configuration, and reads the secret files that it names.

    `environ` fills in `${VAR}`. Raises `ConfigError` with every problem that was found.
    """
    reading = Reading(path, environ)
    top = reading.entries(reading.document(), "", (*(key.name for key in TOP), *SECTIONS))
    _take_up_environment(reading, top)
    values = reading.values(top, "", TOP)
    variants, locations = (reading.section(top.get(name), name) for name in SECTIONS)
    _check_filters(reading, variants)
    _warn_of_two_reserves(reading, variants, locations)
    _check_pooling(reading, variants)
    _check_places(reading, (variants, locations))
    sandbox, api_url = values["shop"] == "sandbox", values["api_url"]
    local = api_url is None or is_loopback(api_url)
    # A mistaken shop may be meant to be the sandbox.
    _check_credentials(reading, optional=(sandbox or values["shop"] is None) and local)
    access_token, client_secret = (
        _secret(reading, values, name) for name in ("access_token", "client_secret")
    )
    reading.raise_problems()
    if not (access_token or client_secret):
        access_token = "sandbox"  # noqa: S105 - any token opens the sandbox
    shop = "sandbox.myshopify.com" if sandbox else values["shop"]
    return Settings(
        file=path,
        shop=shop,
        sandbox=sandbox and api_url is None,
        endpoint=api_url or f"https://{shop}",
        api_version=values["api_version"],
        access_token=access_token,
        client_id=values["client_id"],
        client_secret=client_secret,
        state_dir=_beside(reading, values["state_dir"]),
        ping_url=values["ping_url"],
        report=values["report"],
        remind_every=values["remind_every"],
        max_run_time=values["max_run_time"],
        variants=None if variants is None else VariantsSettings(**_typed(variants)),
        locations=None if locations is None else LocationsSettings(**_typed(locations)),
        warnings=() if sandbox and local else tuple(reading.warnings),
    )


def _take_up_environment(reading: Reading, top: Mapping[str, Any]) -> None:
    """Have the file of `environment_file` fill in `${VAR}`, if the configuration names one."""
    name = ENVIRONMENT_FILE.name
    if name not in top:
        return
    given = reading.values({name: top[name]}, "", (ENVIRONMENT_FILE,))[name]
    if given is not None:
        found = variables(reading, _beside(reading, given), name)
        reading.environ = {**reading.environ, **found}


def _typed(section: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a section, those below a key of it typed too."""
    return {**section, "exclude": ExcludeSettings(**section["exclude"])}


def section_missing(settings: Settings, name: str) -> ConfigError:
    """The error of a command whose section (`variants` or `locations`) the file does not have."""
    first = SECTIONS[name][1][0]
    example = yaml_list(first.example) if isinstance(first.example, tuple) else str(first.example)
    return ConfigError(
        f"{plain(settings.file)}: {name}: the section is missing; add {name}: with {first.name}: "
        f"{example} under it"
    )


def _check_filters(reading: Reading, variants: Mapping[str, Any] | None) -> None:
    """Of the filters of `variants`, exactly one."""
    if variants is None or reading.mistaken & {f"variants.{name}" for name in FILTERS}:
        return
    filled = [f"variants.{name}" for name in FILTERS if variants[name]]
    if not filled:
        reading.problem(
            reading.lines["variants"],
            "variants",
            f"none of {listed(FILTERS, 'and')} says which listings; add product_types: [Print], "
            "say",
        )
    elif len(filled) > 1:
        first, last = sorted(filled, key=lambda path: reading.lines[path])[:2]
        reading.problem(
            reading.lines[last],
            last,
            f"{first.rpartition('.')[2]} is given too; keep one of the two and empty the other",
        )


def _warn_of_two_reserves(
    reading: Reading, variants: Mapping[str, Any] | None, locations: Mapping[str, Any] | None
) -> None:
    """Each command takes the other's reserve for sales, and keeps its own back once more."""
    if variants and locations and variants["reserve"] and locations["reserve"]:
        reading.warnings.append(
            f"{plain(reading.file)}: locations.reserve: variants.reserve is given too; where both "
            "commands keep the same products in step, set one of the two to 0"
        )


def _check_pooling(reading: Reading, variants: dict[str, Any] | None) -> None:
    """That what is said to be one stock fits together; `skus` says that it is the SKU."""
    if variants is None:
        return
    by, given = variants["pool_by"], "variants.pool_by" in reading.lines
    if variants["skus"]:
        if given and by not in ("sku", None):
            reading.problem(
                reading.lines["variants.pool_by"],
                "variants.pool_by",
                "skus makes the listings of one SKU one stock; write sku, or delete it",
            )
        variants["pool_by"] = "sku"
    if variants["pools"]:
        _refuse(reading, "pool_by", "pools says itself what is one stock; delete it")
        _refuse(reading, "pack_size", "pools gives the sizes itself; delete it")

    metafield = "variants.pool_metafield"
    if by == "metafield" and metafield not in reading.lines:
        reading.problem(
            reading.lines["variants.pool_by"],
            "variants.pool_by",
            "needs to know which metafield; add pool_metafield: custom.stock_pool, say",
        )
    elif by != "metafield" and by is not None and metafield in reading.lines:
        reading.problem(
            reading.lines[metafield],
            metafield,
            "works with pool_by: metafield only; write that too, or delete it",
        )


def _check_places(reading: Reading, sections: Sequence[Mapping[str, Any] | None]) -> None:
    """One location or several; over several at once only what `locations` can leave out."""
    variants, locations = sections
    if variants is None:
        return
    if "variants.locations" in reading.lines:
        _refuse(reading, "location", "locations is given too; keep one of the two")
    elif variants["across_locations"]:
        _refuse(reading, "across_locations", "works with locations only; add locations: [], say")
    by_id = [
        one
        for pool in variants["pools"] or ()
        for one in pool.listings
        if one.by == "variant" and variants["across_locations"]
    ]
    if by_id and locations is not None:
        _refuse(
            reading,
            "pools",
            f"{by_id[0].name} is the id of a variant, and locations could not leave that out; name "
            "its SKU, or take across_locations or the section locations out",
        )


def _refuse(reading: Reading, name: str, what: str) -> None:
    """A key of `variants` that does not go together with another."""
    path = f"variants.{name}"
    if path in reading.lines:
        reading.problem(reading.lines[path], path, what)


def _check_credentials(reading: Reading, *, optional: bool) -> None:
    """The keys of exactly one way; of none, where they are optional."""
    every = dict.fromkeys(name for way in CREDENTIALS for name in way)
    given = sorted(
        (name for name in every if name in reading.lines), key=lambda name: reading.lines[name]
    )
    wanted = [name for way in CREDENTIALS if {*given} < {*way} for name in way if name not in given]
    if any({*given} == {*way} for way in CREDENTIALS) or (optional and not given):
        return
    if not given:
        reading.problem(0, "access_token", f"is missing; give {CREDENTIALS_IN_WORDS}")
    elif wanted:
        reading.problem(
            reading.lines[given[0]], given[0], f"does not work alone; add {listed(wanted, 'or')}"
        )
    else:
        *others, last = given
        reading.problem(
            reading.lines[last],
            last,
            f"{listed(others, 'and')} {'is' if len(others) == 1 else 'are'} given too; "
            f"keep one of: {CREDENTIALS_IN_WORDS}",
        )


#: Signs of a secret; Shopify's have 38.
LONGEST_SECRET = 4_096


def _secret(reading: Reading, values: Mapping[str, Any], key: str) -> str | None:
    """The secret that the configuration gives as `key`, or in the file that `key`_file names."""
    given: str | None = values[key]
    name = f"{key}_file"
    if given or values[name] is None:
        return given
    path = _beside(reading, values[name])
    shown, line = plain(path), reading.lines[name]
    try:
        content, readable_by_others = read(path)
        text = content.decode().strip()
    except UnicodeDecodeError:
        reading.problem(line, name, f"{shown} is not text; put the secret in it, and nothing else")
        return None
    except (OSError, ValueError) as error:
        if "/" not in values[name] and holds_secret(values[name]):
            mend = f"write the path of a file that holds it, or write it under {key}"
            reading.problem(line, name, f"looks like the secret itself; {mend}")
            return None
        reading.problem(
            line, name, f"{shown} can't be read: {reason(error)}; correct the path or permissions"
        )
        return None
    if len(text) > LONGEST_SECRET:
        reading.problem(line, name, f"{shown} holds far too much; put the secret in it, alone")
        return None
    if not re.fullmatch(WORD, text):
        what = "holds more than one word" if text else "is empty"
        reading.problem(line, name, f"{shown} {what}; put the secret in it, and nothing else")
        return None
    if readable_by_others:
        reading.warn_of(path, name)
    return text


def _beside(reading: Reading, name: str) -> Path:
    """A path as the configuration names it: relative to the folder of its file."""
    return reading.file.parent / expanded(name, reading.environ)
