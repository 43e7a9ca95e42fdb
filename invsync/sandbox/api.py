"""From one HTTP request to one answer: the same code behind both doors."""

from __future__ import annotations

import itertools
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs

from invsync.sandbox import access, bulk
from invsync.sandbox.context import Context, Interference
from invsync.sandbox.exchange import Answer, Cut, Request, answering, json_answer, require_graphql
from invsync.sandbox.faults import (
    Faults,
    Rule,
    broken_answer,
    interference,
    read_file,
    read_rules,
    truncate,
)
from invsync.sandbox.shop import Shop
from invsync.sandbox.state import Held, Home, StateFile

Phase = Literal["before", "after"]
#: Called before a request is looked at, and after it was applied but before it is answered.
Hook = Callable[[Request, Phase], None]

#: Rules as a caller may give them: ready, as plain mappings, or as the path of a YAML file.
FaultsLike = Faults | Path | Sequence[Rule | Mapping[str, Any]]

_GRAPHQL = re.compile(r"/admin/api/([\w-]+)/graphql\.json")


class Sandbox:
    """The Admin API of one shop.

    `home` is a state file's path, a Shop that a test holds, or any Home. `now` is only used for a
    path: a shop brings its own clock. Raises GraphqlMissing, and BadRules for faults that can't be
    read.
    """

    def __init__(
        self,
        home: Path | Shop | Home,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        faults: FaultsLike = (),
        on_request: Hook | None = None,
    ) -> None:
        require_graphql()
        self.home = as_home(home, now=now)
        self.faults = as_faults(faults)
        self.on_request = on_request
        self._sleep = sleep
        self._numbers = itertools.count(1)

    def answer(self, request: Request) -> Answer:
        """Answer one request. Raises UnreadableState, and whatever `on_request` raises but Cut."""
        request.number = next(self._numbers)
        rules = self.faults.striking(request)
        try:
            self._call("before", request)
            answer = self._answered(request, rules)
            self._call("after", request)
        except Cut:
            return Answer(cut=True)
        for rule in rules:
            if rule.fault == "truncated":
                truncate(rule, answer)
            elif rule.fault == "latency":
                answer.delay += rule.seconds
        return answer

    def _call(self, phase: Phase, request: Request) -> None:
        if self.on_request:
            self.on_request(request, phase)

    def _answered(self, request: Request, rules: Sequence[Rule]) -> Answer:
        """The answer, real or broken; the request is applied unless a rule prevents it."""
        request_id = str(uuid.uuid4())
        if not rules:
            return self._applied(request, Interference(), request_id)
        for rule in rules:
            if rule.fault == "latency":
                self._sleep(rule.seconds)
        versioned = _GRAPHQL.fullmatch(request.path)
        version = answering(versioned[1]) if versioned else ""
        with self.home.open() as shop:
            now = shop.now
        broken = [(rule, broken_answer(rule, now, version, request_id)) for rule in rules]
        instead = [(rule, answer) for rule, answer in broken if answer is not None]
        for rule, answer in instead:
            if not rule.applied and rule.fault != "cut_after":
                return _stamped(answer, now(), request_id)
        real = self._applied(request, interference(rules), request_id)
        return _stamped(instead[0][1], now(), request_id) if instead else real

    def _applied(self, request: Request, interference: Interference, request_id: str) -> Answer:
        with self.home.open() as shop:
            shop.forget_shadows()
            if interference.key_retention is not None:
                shop.settings.key_retention = interference.key_retention
                shop.changed()
            answer = _stamped(self._routed(request, shop, interference), shop.now(), request_id)
            versioned = _GRAPHQL.fullmatch(request.path)
            if versioned:
                answer.headers.setdefault("X-Shopify-API-Version", answering(versioned[1]))
            return answer

    def _routed(self, request: Request, shop: Shop, interference: Interference) -> Answer:
        versioned = _GRAPHQL.fullmatch(request.path)
        if versioned and request.method == "POST":
            return self._graphql(request, shop, versioned[1], interference)
        if request.path == "/admin/oauth/access_token" and request.method == "POST":
            status, document = access.grant(shop, request.body)
            return json_answer(document, status)
        if request.path.startswith(bulk.RESULTS) and request.method == "GET":
            return self._bulk_result(request, shop)
        if request.path == "/admin/oauth/access_scopes.json" and request.method == "GET":
            if not access.accepts(shop, request.headers.get("x-shopify-access-token")):
                return json_answer(access.REFUSED_TOKEN, 401)
            return json_answer(
                {"access_scopes": [{"handle": scope} for scope in sorted(shop.settings.scopes)]}
            )
        return json_answer({"errors": "Not Found"}, 404)

    def _bulk_result(self, request: Request, shop: Shop) -> Answer:
        given = {name: values[-1] for name, values in parse_qs(request.query_string).items()}
        status, result = bulk.result_for(shop, self.home.results, request.path, given)
        if result is not None:
            return Answer(status, {"Content-Type": "application/jsonl"}, result)
        code = "ExpiredToken" if status == 403 else "NoSuchKey"
        body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>"
        return Answer(status, {"Content-Type": "application/xml; charset=UTF-8"}, body.encode())

    def _graphql(
        self, request: Request, shop: Shop, version: str, interference: Interference
    ) -> Answer:
        from invsync.sandbox import execution

        if not access.accepts(shop, request.headers.get("x-shopify-access-token")):
            return json_answer(access.REFUSED_TOKEN, 401)
        given = request.graphql
        text, variables = given.get("query"), given.get("variables") or {}
        json_sent = request.headers.get("content-type", "").startswith("application/json")
        if (
            not json_sent
            or not isinstance(text, str)
            or not text.strip()
            or not isinstance(variables, dict)
        ):
            return json_answer({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        served = answering(version)
        ctx = Context(
            shop,
            served,
            frozenset(shop.settings.scopes),
            interference=interference,
            results=self.home.results,
            base_url=request.base_url,
            search_debug="shopify-search-query-debug" in request.headers,
        )
        document = execution.run(ctx, text, variables, given.get("operationName"))
        headers = {"X-Shopify-API-Version": served}
        deprecated = execution.prepare(served, text).deprecated
        if deprecated:
            headers["X-Shopify-API-Deprecated-Reason"] = ", ".join(deprecated)
        return json_answer(document, 200, **headers)


def as_faults(faults: FaultsLike) -> Faults:
    """Rules made ready. Raises BadRules."""
    if isinstance(faults, Faults):
        return faults
    return read_file(faults) if isinstance(faults, Path) else read_rules(list(faults))


def _stamped(answer: Answer, now: float, request_id: str) -> Answer:
    """The answer with the headers that every answer carries."""
    answer.headers.setdefault("Date", formatdate(now, usegmt=True))
    answer.headers.setdefault("X-Request-Id", request_id)
    return answer


def as_home(home: Path | Shop | Home, *, now: Callable[[], float] = time.time) -> Home:
    """Where the shop lives: a state file for a path, memory for a shop."""
    if isinstance(home, Path):
        return StateFile(home, now=now)
    return Held(home) if isinstance(home, Shop) else home
