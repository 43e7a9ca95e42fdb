"""An answer of the shop, what it is the answer to, and the failure that may pass. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from invsync.errors import NotExecuted, QueryTooLarge, ShopError

#: The longest wait that an answer may ask for: beyond it the next run is the better try.
LONGEST_NAMED_WAIT_SECONDS = 300.0

TRY_LATER = "try again later; https://www.shopifystatus.com tells of outages"

_HALF_A_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")

Kind = Literal["failed", "throttled", "slow"]


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked, as far as it takes to judge the answer.

    `cost`: requested points. `conceal` takes secrets out of a text.
    """

    shop: str
    operation: str
    is_query: bool
    cost: int
    api_version: str
    conceal: Callable[[str], str] = field(repr=False)

    def quote(self, text: str) -> str:
        """Somebody else's words, fit to stand in one line of ours."""
        return " ".join(self.conceal(text).split())[:300]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `payload`: its JSON; None where it is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    payload: Any = field(repr=False)


class Passing(Exception):
    """A try failed in a way that may pass; it never leaves the client.

    `happened` is a clause; `ran`: whether the shop may have carried the call out; `wait`: seconds
    that the answer asked for; `request` names the request, or is empty.
    """

    def __init__(
        self,
        happened: str,
        *,
        ran: bool,
        kind: Kind = "failed",
        wait: float | None = None,
        mend: str = TRY_LATER,
        request: str = "",
    ) -> None:
        super().__init__(happened)
        self.happened = happened
        self.ran = ran
        self.kind: Kind = kind
        self.wait = wait
        self.mend = mend
        self.request = request

    def given_up(self, operation: str, *, repeatable: bool, tries: int) -> ShopError:
        """What to raise after the last try.

        Of one call only, which says nothing of earlier ones.
        """
        raised: type[ShopError] = ShopError if self.ran else NotExecuted
        if self.ran and not repeatable:
            why = "it may have been done all the same, so it was not asked for again; " + self.mend
            return raised(f"{self.happened} ({operation}): {why}{self.request}")
        if self.wait is not None and self.wait > LONGEST_NAMED_WAIT_SECONDS:
            why = f"it asks to wait for {self.wait:.0f} s; try again later"
            return raised(f"{self.happened} ({operation}): {why}{self.request}")
        mend = self.mend
        if self.kind == "slow":
            raised, mend = QueryTooLarge, "the query asks for too much at once"
        elif self.kind == "throttled":
            mend = "other programs seem to use up the app's budget; try again later"
        return raised(f"{self.happened} ({operation}, {tries} tries): {mend}{self.request}")


def answer_of(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """An answer with its JSON, in which every text can be written down."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    if b"\\u" in body and _HALF_A_CHARACTER.search(body):
        payload = mended(payload)
    return Answer(status, headers, body, payload)


def request_of(call: Call, answer: Answer) -> str:
    """What names the request to Shopify's support, as the end of a message; or empty."""
    name = call.quote(answer.headers.get("X-Request-Id", ""))
    return f" [request {name}]" if name else ""


def mended(value: Any) -> Any:
    """`value` with half a character, as JSON can hold it, made a question mark in every text."""
    if isinstance(value, str):
        return value if value.isprintable() else value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [mended(one) for one in value]
    if isinstance(value, dict):
        return {mended(key): mended(one) for key, one in value.items()}
    return value
