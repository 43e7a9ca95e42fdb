"""Is everything set up, and what to do where it is not.

A check that fails does not stop those that don't depend on it. Nothing is written to the shop or
the state folder, and a granted token is not kept: it tells of the scopes of today. A watchdog gets
a note, which counts as neither success nor failure.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import requests

from invsync import API_VERSIONS, grouping
from invsync.admin import access, search
from invsync.admin.access import Access
from invsync.admin.client import ApiUse, Client
from invsync.admin.shop import Shop, read_shop
from invsync.axis import Grouped, axis_of
from invsync.config.settings import Settings
from invsync.connect import RunClock, connect, scope_of
from invsync.errors import InvsyncError, StateError
from invsync.paused import in_short
from invsync.ping import note
from invsync.pools import Scope
from invsync.preview import Preview, preview
from invsync.recover import take_up
from invsync.state.cache import read_cache
from invsync.state.files import COMMANDS, Command, Files, prepare
from invsync.state.journal import read_journal
from invsync.status import to_take_up

#: Seconds that all questions to the shop may take together.
PATIENCE = 45.0
#: Seconds that the clocks may differ: from there on journal, token and feed are judged by wrong
#: ages.
SKEW = 60
#: How long before a version of the API goes it is time to take another.
SOON = timedelta(days=60)

#: The answers of a watchdog that may mean that it has no /log.
_NO_LOG = (400, 404, 405, 410, 501)

#: Titles that a line names before it only counts.
_NAMED = 3

Result = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line.

    What was looked at (a key of the configuration where there is one), what came out, what to
    do.
    """

    name: str
    result: Result
    message: str
    mend: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


def checks(
    settings: Settings, clock: RunClock, watch: Callable[[ApiUse], None] = lambda _: None
) -> Iterator[Check]:
    """Every check, as it is done. Raises `ConfigError` only for credentials that can't be any.

    `watch` is called with what the client takes, as it goes.
    """
    yield from _config(settings)
    yield _state_dir(settings)
    with requests.Session() as session:
        yield from _asked(settings, session, clock, watch)
    if settings.ping_url is not None:
        yield _watchdog(settings, settings.ping_url)


def _asked(
    settings: Settings,
    session: requests.Session,
    clock: RunClock,
    watch: Callable[[ApiUse], None],
) -> Iterator[Check]:
    answers = _Answers()
    session.hooks["response"].append(answers.note)
    client = connect(settings, session, clock, clock.deadline, keep_token=False)
    watch(client.use)
    granted: Access | None = None
    error: InvsyncError | None = None
    try:
        granted = access.read_access(client)
    except InvsyncError as failure:
        error = failure
    yield from _contact(settings, client, answers, granted, error)
    yield _clock(client.clock_skew)
    yield from _stock(settings, client, granted)
    for one in to_take_up(settings, client.server_now()):
        yield Check(f"{one.command}.left_alone", "warning", f"{one.title}: {one.quiet}", one.mend)
    for name, paused in in_short(settings.state_dir, _configured(settings), clock.now()):
        yield Check(name, "warning", paused, "`invsync status` tells more")
    if granted is not None:
        yield _deprecations(client)


# --- On this machine ------------------------------------------------------------------------------


def _config(settings: Settings) -> Iterator[Check]:
    if not _configured(settings):
        yield Check(
            "config",
            "failed",
            f"{settings.file} has neither variants nor locations: there is nothing to keep in step",
            "add one of the two, as `invsync config example` shows it",
        )
    else:
        yield Check("config", "ok", f"{settings.file}, for {' and '.join(_configured(settings))}")
    for warning in settings.warnings:
        yield Check("config", "warning", warning)


def _configured(settings: Settings) -> list[Command]:
    return [command for command in COMMANDS if getattr(settings, command) is not None]


def _state_dir(settings: Settings) -> Check:
    folder = settings.state_dir
    mend = "make it writable for the user that runs invsync, or set another state_dir"
    try:
        if not folder.exists():
            above = next(parent for parent in folder.absolute().parents if parent.exists())
            if not os.access(above, os.W_OK | os.X_OK):
                return Check(
                    "state_dir", "failed", f"{folder} can't be made, {above} is not writable", mend
                )
            return Check("state_dir", "ok", f"{folder} does not exist yet, the first run makes it")
        if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            return Check(
                "state_dir", "failed", f"{folder} is not a folder that this user may write to", mend
            )
        for command in COMMANDS:
            files = Files(folder, command)
            unwise = prepare(files)
            for path in (files.cache, files.journal, files.lock, files.last, files.history):
                if path.exists() and not os.access(path, os.R_OK | os.W_OK):
                    return Check(
                        "state_dir",
                        "failed",
                        f"{path} belongs to another user",
                        f"chown it, or {mend}",
                    )
            cache = read_cache(files)
            of = (cache.shop, cache.shop_id) if cache else (settings.shop, "")
            read_journal(files, *of)
    except OSError as error:
        return Check("state_dir", "failed", f"{folder} can't be looked at ({error.strerror})", mend)
    except StateError as error:
        return Check("state_dir", "failed", str(error))
    if unwise:
        return Check("state_dir", "warning", unwise[0])
    return Check("state_dir", "ok", f"{folder} is writable, and there is room")


# --- The way to the shop --------------------------------------------------------------------------


class _Answers:
    """What the last answer looked like, whoever judged it: tells what a failure is a failure of."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.version = ""
        self.granting = False

    def note(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self.status = response.status_code
        self.version = response.headers.get("X-Shopify-API-Version", "")
        self.granting = urlsplit(response.url).path.endswith("/access_token")

    def at_fault(self, settings: Settings) -> str:
        """The check that an error after this answer belongs to."""
        if self.status in (401, 403) or (self.granting and self.status == 400):
            return "credentials"
        if self.version and self.version != settings.api_version:
            return "api_version"
        return "scopes" if self.status == 200 and self.version else "endpoint"


def _contact(
    settings: Settings,
    client: Client,
    answers: _Answers,
    granted: Access | None,
    error: InvsyncError | None,
) -> Iterator[Check]:
    """Five checks from one question.

    Those before the one at fault are fine, those after it can't be told.
    """
    where = "the sandbox in this process" if settings.sandbox else settings.endpoint
    whose = "the access token is" if settings.access_token else "client_id and client_secret are"
    fine: dict[str, Callable[[], Check]] = {
        "endpoint": lambda: Check("endpoint", "ok", f"{where} answers"),
        "credentials": lambda: Check("credentials", "ok", f"{whose} accepted"),
        "api_version": lambda: _version(settings, client.server_now()),
    }
    if granted is not None:
        fine |= {"scopes": lambda: _scopes(granted), "shop": lambda: _shop(settings, granted)}
    fault = answers.at_fault(settings) if error else None
    for name in ("endpoint", "credentials", "api_version", "scopes", "shop"):
        if name == fault:
            yield Check(name, "failed", _words(error))
            fine = {"api_version": fine["api_version"]}  # which the calendar tells, too
        elif name in fine:
            yield fine[name]()
        else:
            yield Check(name, "skipped", f"not checked, since {fault} failed")


def _version(settings: Settings, now: datetime) -> Check:
    version, until = settings.api_version, access.SERVED_UNTIL[settings.api_version]
    newest = API_VERSIONS[-1]
    mend = (
        "look for a newer invsync"
        if version == newest
        else f'set api_version: "{newest}" in {settings.file}'
    )
    if now >= until:
        return Check(
            "api_version", "warning", f"{version} was served until {until:%Y-%m-%d} only", mend
        )
    message = f"{version} is served until {until:%Y-%m-%d}, {(until - now).days} days from now"
    if until - now < SOON:
        return Check("api_version", "warning", message, mend)
    return Check("api_version", "ok", message)


def _scopes(granted: Access) -> Check:
    lacks = access.missing(granted.scopes)
    if lacks:
        why = ", ".join(f"{scope} ({access.NEEDED[scope]})" for scope in lacks)
        return Check(
            "scopes",
            "failed",
            f"the app lacks {why}",
            "add it to the app and have the shop accept the change (Dev Dashboard: release a new "
            "version of the app)",
        )
    spare = sorted(granted.scopes - access.NEEDED.keys() - {"read_inventory"})
    more = f"; invsync does not need {', '.join(spare)}" if spare else ""
    return Check("scopes", "ok", f"{', '.join(access.NEEDED)}{more}")


def _shop(settings: Settings, granted: Access) -> Check:
    if granted.shop == settings.shop:
        return Check("shop", "ok", granted.shop)
    return Check(
        "shop",
        "failed",
        f"{settings.endpoint} is the shop {granted.shop}, but the configuration says "
        f"{settings.shop}",
        f"correct shop in {settings.file}",
    )


def _clock(ahead: float | None) -> Check:
    """`ahead`: seconds by which the shop's clock is ahead of ours."""
    if ahead is None:
        return Check("clock", "skipped", "not checked: it needs an answer of the shop")
    if abs(ahead) <= SKEW:
        return Check("clock", "ok", f"within {max(1, round(abs(ahead)))} s of the shop's")
    return Check(
        "clock",
        "warning",
        f"this machine's clock is {abs(ahead):.0f} s {'behind' if ahead > 0 else 'ahead of'} the "
        "shop's",
        "set it by NTP (timedatectl set-ntp true, on most systems)",
    )


def _deprecations(client: Client) -> Check:
    if not client.deprecations:
        return Check("deprecations", "ok", "nothing that was asked for is deprecated")
    named = ", ".join(sorted(client.deprecations))
    return Check(
        "deprecations",
        "warning",
        f"invsync uses what Shopify has deprecated: {named}",
        "look for a newer one",
    )


def _watchdog(settings: Settings, url: str) -> Check:
    """Whether the watchdog can be told of runs, without telling it of one."""
    trouble = note(url)
    if trouble is None:
        host = urlsplit(url).hostname
        return Check("ping_url", "ok", f"{host} took a note (/log), which counts as no run")
    if trouble.status in _NO_LOG:
        return Check(
            "ping_url",
            "warning",
            f"{trouble.words} to a note (/log): it knows no such check, or takes no notes, and "
            "then only a run can show it",
            f"compare ping_url in {settings.file} with what the watchdog shows, and look there "
            "after the next run",
        )
    return Check(
        "ping_url",
        "failed",
        f"{trouble.words}: it would not hear of runs",
        f"compare ping_url in {settings.file} with what the watchdog shows, and see that this "
        "machine may reach it",
    )


def _words(error: InvsyncError | None) -> str:
    # A check has a patience of its own, whatever the run's budget is.
    return str(error).removeprefix("the time budget (max_run_time) is spent: ")


# --- What is to be kept in step -------------------------------------------------------------------


def _stock(settings: Settings, client: Client, granted: Access | None) -> Iterator[Check]:
    """Of each configured command, its location(s) and what matches."""
    shop: Shop | None = None
    problem = _hindered(settings, granted, "read_locations")
    failure: InvsyncError | None = None
    if problem is None:
        try:
            shop = read_shop(client)
        except InvsyncError as error:
            failure = error
    for command in _configured(settings):
        key = f"{command}.{axis_of(command, ()).setting}"
        scope: Scope | None = None
        if shop is not None:
            try:
                scope = scope_of(settings, command, shop)
                if cache := read_cache(Files(settings.state_dir, command)):
                    take_up(cache, settings, scope, shop)
                yield _places(key, scope)
            except InvsyncError as error:
                yield Check(key, "failed", _words(error))
        elif failure is not None:
            yield Check(key, "failed", _words(failure))
        else:
            yield Check(key, "skipped", f"not checked: it needs {problem}")
        hindrance = _hindered(settings, granted, "read_products", "read_inventory")
        if scope is None or shop is None or hindrance:
            yield Check(f"{command}.pools", "skipped", f"not checked: it needs {hindrance or key}")
            continue
        try:
            yield _pools(settings, client, scope, len(shop.locations))
        except InvsyncError as error:
            yield Check(f"{command}.pools", "failed", _words(error))


def _hindered(settings: Settings, granted: Access | None, *scopes: str) -> str | None:
    """What stands in the way of reading something that takes these scopes; None if nothing does."""
    if granted is None:
        return "an answer of the shop"
    if granted.shop != settings.shop:
        return "the right shop"
    return next((scope for scope in scopes if not access.covers(granted.scopes, scope)), None)


def _places(key: str, scope: Scope) -> Check:
    named = [f"{name} ({search.number(gid)})" for gid, name in scope.locations.items()]
    shown = ", ".join(named[:8]) + (f" and {len(named) - 8} more" if len(named) > 8 else "")
    if scope.axis.spans and len(named) < 2:
        return Check(
            key,
            "warning",
            f"{shown or 'no location'} only: with fewer than two there is nothing to keep in step",
            "name two locations or more, or take the section out of the configuration",
        )
    return Check(key, "ok", shown)


def _pools(settings: Settings, client: Client, scope: Scope, places: int) -> Check:
    """Count what matches and what is out of step.

    A large shop only in part.
    """
    seen = preview(client, scope, places)
    name = f"{scope.command}.pools"
    filters = ", ".join(scope.matches) or "every product"
    left_out = ", ".join(
        f"{count} {why.replace('_', ' ')}" for why, count in sorted(seen.skipped.items())
    )
    left_out = f"; left out: {left_out}" if left_out else ""
    counts = {
        "found": len(seen.sizes),
        "pools": len(seen.sizes) - seen.single,
        "out_of_step": len(seen.apart),
        "complete": int(not seen.more),
    }
    if not seen.sizes:
        return Check(
            name,
            "failed",
            f"nothing matches ({filters}){left_out}",
            f"check product_types, product_tags and exclude under {scope.command} in "
            f"{settings.file}",
            counts,
        )
    return _counted(name, scope, seen, filters, left_out, counts)


def _counted(
    name: str,
    scope: Scope,
    seen: Preview,
    filters: str,
    left_out: str,
    counts: Mapping[str, int],
) -> Check:
    what, part = scope.axis.found, scope.axis.one
    least = "at least " if seen.more else ""
    message = f"{least}{len(seen.sizes)} {what} match ({filters})"
    if seen.single:
        message += f", {seen.single} of them with one {part} only"
    notable = seen.notable if isinstance(scope.axis, Grouped) else ""
    missing = grouping.missing(scope, seen.named) if not seen.more else ()
    told = [note.message for note in grouping.of_shop(scope, missing, seen.sizes)]
    notable += "".join(f"; {message}" for message in told)
    if not (seen.apart or seen.barred or told):
        return Check(name, "ok", f"{message}; all in step{notable}{left_out}", counts=counts)
    apart = seen.apart
    named = ", ".join(apart[:_NAMED]) + (
        f" and {len(apart) - _NAMED} more" if len(apart) > _NAMED else ""
    )
    out = f"; {least}{len(apart)} out of step: {named}" if apart else "; all others in step"
    return Check(
        name,
        "warning",
        f"{message}{out}{notable}{left_out}",
        f"what a run makes of them: `invsync {scope.command} --dry-run`",
        counts,
    )
