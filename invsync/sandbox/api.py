"""From one HTTP request to one answer: the same code behind both doors."""

from __future__ import annotations

import itertools
import re
import time
import uuid
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Literal

from invsync.sandbox import access
from invsync.sandbox.context import Context, Interference
from invsync.sandbox.exchange import Answer, Request, json_answer
from invsync.sandbox.shop import Shop
from invsync.sandbox.state import Home, InMemory, StateFile

Phase = Literal["before", "after"]
#: Called before a request is looked at, and after it was applied but before it is answered.
Hook = Callable[[Request, Phase], None]

_GRAPHQL = re.compile(r"/admin/api/([\w-]+)/graphql\.json")


class Sandbox:
    """The Admin API of one shop.

    `home` is a state file's path, a Shop that a test holds, or any Home. `now` is only used for a path: a
    shop brings its own clock.
    """

    def __init__(
        self,
        home: Path | Shop | Home,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        on_request: Hook | None = None,
    ) -> None:
        self.home = as_home(home, now=now)
        self.on_request = on_request
        self._sleep = sleep
        self._numbers = itertools.count(1)

    def answer(self, request: Request) -> Answer:
        """Answer one request. Raises UnreadableState, and whatever `on_request` raises."""
        request.number = next(self._numbers)
        if self.on_request:
            self.on_request(request, "before")
        answer = self._applied(request, Interference())
        if self.on_request:
            self.on_request(request, "after")
        return answer

    def _applied(self, request: Request, interference: Interference) -> Answer:
        with self.home.open() as shop:
            answer = self._routed(request, shop, interference)
            answer.headers.setdefault("Date", formatdate(shop.now(), usegmt=True))
            answer.headers.setdefault("X-Request-Id", str(uuid.uuid4()))
            return answer

    def _routed(self, request: Request, shop: Shop, interference: Interference) -> Answer:
        versioned = _GRAPHQL.fullmatch(request.path)
        if versioned and request.method == "POST":
            return self._graphql(request, shop, versioned[1], interference)
        if request.path == "/admin/oauth/access_token" and request.method == "POST":
            status, document = access.grant(shop, request.body)
            return json_answer(document, status)
        return json_answer({"errors": "Not Found"}, 404)

    def _graphql(self, request: Request, shop: Shop, version: str, interference: Interference) -> Answer:
        from invsync.sandbox import execution
        from invsync.sandbox.versions import answering

        if not access.accepts(shop, request.headers.get("x-shopify-access-token")):
            return json_answer(access.REFUSED_TOKEN, 401)
        given = request.graphql
        text, variables = given.get("query"), given.get("variables") or {}
        json_sent = request.headers.get("content-type", "").startswith("application/json")
        if not json_sent or not isinstance(text, str) or not text.strip() or not isinstance(variables, dict):
            return json_answer({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        served = answering(version)
        ctx = Context(
            shop,
            served,
            frozenset(shop.settings.scopes),
            interference=interference,
            base_url=request.base_url,
            search_debug="shopify-search-query-debug" in request.headers,
        )
        document = execution.run(ctx, text, variables, given.get("operationName"))
        return json_answer(document, 200, **{"X-Shopify-API-Version": served})


def as_home(home: Path | Shop | Home, *, now: Callable[[], float] = time.time) -> Home:
    """Where the shop lives: a state file for a path, memory for a shop."""
    if isinstance(home, Path):
        return StateFile(home, now=now)
    return InMemory(home) if isinstance(home, Shop) else home
