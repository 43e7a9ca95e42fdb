"""Runs on a shop in this process, by any kind of scan, on a clock that is turned by hand."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import requests
import yaml
from asked_forms import unlisted

from invsync import connect, feed, find, run
from invsync.config.settings import load as load_config
from invsync.order import Options
from invsync.sandbox.api import Phase, as_faults
from invsync.sandbox.exchange import Request
from invsync.sandbox.shop import Shop
from invsync.sandbox.things import Product
from invsync.sandbox.transport import SandboxAdapter
from invsync.state.files import Command
from invsync.tell.outcome import Outcome

URL = "http://127.0.0.1:1"
#: 2026-11-22 12:00 UTC.
NOON = 1_795_348_800.0
LONG_AGO = NOON - 86_400


class Time:
    """Passes only while somebody sleeps, or when a test says so.

    Stands in for the module `time`.
    """

    def __init__(self) -> None:
        self.at = NOON

    def time(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    def pass_by(self, *, minutes: float = 0.0, hours: float = 0.0) -> None:
        self.at += 60 * minutes + 3_600 * hours


@dataclass
class World:
    """One shop with three locations, one configuration, one state folder."""

    folder: Path
    time: Time
    shop: Shop
    adapter: SandboxAdapter
    asked: list[Request] = field(default_factory=list)
    #: Where `find` draws its lines: here every complete scan is dear, but not so dear that a bulk
    #: operation does it.
    cheap: int = 0
    dear: int = find.DEAR_POINTS
    much: int = feed.MUCH

    # -- the shop ----------------------------------------------------------------------------------

    def add(self, title: str, skus: str, available: Any = 30, **options: Any) -> Product:
        """A product of type Print, stocked everywhere."""
        return self.shop.add_product(
            title, skus.split(), available=available, **{"product_type": "Print", **options}
        )

    def stock(self, products: int, variants: int = 2) -> list[str]:
        """That many products of long ago; their SKUs."""
        now, self.shop.now = self.shop.now, lambda: LONG_AGO
        skus = [[f"P{p:04}-{v}" for v in range(variants)] for p in range(products)]
        for p, names in enumerate(skus):
            self.add(f"Print {p:04}", " ".join(names))
        self.shop.now = now
        return [sku for names in skus for sku in names]

    def lag(self, minutes: float) -> None:
        self.shop.settings.index_lag = 60 * minutes

    def faults(self, *rules: Mapping[str, Any]) -> None:
        self.adapter.sandbox.faults = as_faults(rules)

    def reads(self, *skus: str, location: str | None = None) -> list[int]:
        return self.shop.availables(*skus, location=location)

    # -- the program -------------------------------------------------------------------------------

    def configure(self, variants: Mapping[str, Any] | None = None, **both: Any) -> None:
        """Write the configuration; `both` goes into the sections of both commands."""
        document = {
            "shop": "sandbox",
            "api_url": URL,
            "access_token": "shpat_c0ffee",
            "variants": {**(variants or {"product_types": ["Print"]}), **both},
            "locations": {"product_types": ["Print"], **both},
        }
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        path.chmod(0o600)

    def run(self, command: str = "variants", **options: Any) -> Outcome:
        """One run; what it asked of the shop is in `asked` afterwards."""
        self.asked.clear()
        settings = load_config(self.folder / "config.yaml", {})
        assert command in ("variants", "locations")
        which: Command = "variants" if command == "variants" else "locations"
        session = requests.Session()
        session.mount(URL, self.adapter)
        with (
            mock.patch.object(os, "fsync"),  # nobody pulls the plug here
            mock.patch.object(connect, "time", self.time),
            mock.patch.object(requests, "Session", return_value=session),
            mock.patch.multiple(find, CHEAP_POINTS=self.cheap, DEAR_POINTS=self.dear),
            mock.patch.object(feed, "MUCH", self.much),
        ):
            outcome = run.run(
                settings,
                which,
                Options(**options),
                clock=connect.RunClock(settings.max_run_time),
                confirm=lambda changes: True,
                progress=lambda what, done, total: None,
            )
        assert not unlisted(self.asked), "asked, but without a row in invsync/admin/terms.py"
        return outcome

    def good(self, command: str = "variants", **options: Any) -> Outcome:
        """A run that ends with everything in step."""
        outcome = self.run(command, **options)
        assert outcome.exit_code == 0, (outcome.error, outcome.problems)
        return outcome

    def init(self, command: str = "variants") -> Outcome:
        """Adopt what there is; the configuration is then such that a complete scan is dear."""
        outcome = self.good(command, init=True)
        assert not outcome.warnings
        return outcome

    # -- what it did -------------------------------------------------------------------------------

    @property
    def operations(self) -> list[str]:
        """What the last run asked of the shop, in order."""
        return [request.operation or "download" for request in self.asked]

    def cache(self, command: str = "variants") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            (self.folder / "invsync-state" / f"{command}.json").read_bytes()
        )
        return found

    def pools(self, command: str = "variants") -> dict[str, dict[str, Any]]:
        """The pools of the cache by title, their levels by SKU or by the location's name.

        Without what the alarms remember: that depends on how often a pool was looked at.
        """
        names = {item.gid: item.sku for item in self.shop.items.values()}
        names |= {place.gid: place.name for place in self.shop.locations.values()}
        return {
            entry["title"]: {
                key: {names.get(gid, gid): units for gid, units in value.items()}
                if isinstance(value, dict)
                else value
                for key, value in entry.items()
                if key not in ("title", "problem", "alarms", "echoes")
            }
            for entry in self.cache(command)["pools"].values()
        }

    def levels(self) -> dict[tuple[str, str], int]:
        """What the shop reads: (SKU, location's name) → available."""
        return {
            (level.item.sku, level.location.name): level.available
            for level in self.shop.levels.values()
        }


def make_world(folder: Path) -> World:
    """A world without products, in which `auto` finds every complete scan dear."""
    folder.mkdir(exist_ok=True)
    time = Time()
    shop = Shop(now=lambda: LONG_AGO)
    for name in ("Warehouse", "Till", "Pop-up"):
        shop.add_location(name)
    shop.now = time.time
    shop.account.bucket.at = time.at
    asked: list[Request] = []

    def note(request: Request, phase: Phase) -> None:
        if phase == "before":
            asked.append(request)

    adapter = SandboxAdapter(shop, sleep=time.sleep, on_request=note)
    world = World(folder, time, shop, adapter, asked)
    world.configure()
    return world


def kinds(found: Sequence[Any]) -> list[str]:
    """The kinds of problems or warnings."""
    return [each.kind for each in found]
