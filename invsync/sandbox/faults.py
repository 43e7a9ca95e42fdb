"""Misbehaviour on demand: rules that say which request goes wrong, and how.

A rule is a mapping; the same structure comes from a YAML file (`invsync sandbox serve --faults
FILE`) and from Python. A file is a list of rules, or a mapping with `rules` and a `seed` for those
with a probability.

    - fault: cut_after                        # applied, then the connection breaks
      operation: inventoryAdjustQuantities    # the operation's name, or one of its top-level fields
      nth: [1, 2]                             # of the requests that the rule is about; from 1
    - {fault: 502, body: html, probability: 0.1, times: 3}
    - {fault: refuse, items: [PRINT-S], code: NON_MUTABLE_INVENTORY_ITEM, named: false}

Which request: `request` (running number at this door), `operation`, `nth`, `probability`, `times`
(how often at most). `operation` may also be `access_token` or `bulk_result`, for requests without
GraphQL.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

from invsync.sandbox import access
from invsync.sandbox.context import Interference
from invsync.sandbox.exchange import Answer, Request, json_answer


class BadRules(ValueError):
    """Rules that can't be read; `str()` is one line that says where and why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; see `KINDS` for what each fault does and which of the settings it reads."""

    fault: str
    request: tuple[int, ...] = ()
    operation: tuple[str, ...] = ()
    nth: tuple[int, ...] = ()
    probability: float = 1.0
    times: int | None = None
    #: Whether the request is applied before it goes wrong.
    applied: bool = False
    #: A status (fault `status`), or a code of a user error.
    code: int | str | None = None
    #: `json`, `html` or `empty`.
    body: str | None = None
    seconds: float = 1.0
    #: Seconds for a `Retry-After` header, and whether that is written as a date.
    retry_after: float | None = None
    as_date: bool = False
    #: SKUs or global ids of items.
    items: tuple[str, ...] = ()
    #: Whether a refusal's `field` names the row.
    named: bool = True
    #: Bytes that still arrive; None: half of them.
    at: int | None = None
    #: Whether a truncated answer looks whole.
    silent: bool = False
    #: How a bulk operation ends: FAILED, CANCELED or EXPIRED; and whether it leaves a part of its
    #: result.
    ends: str = "FAILED"
    partial: bool = True


_WHICH = frozenset({"fault", "request", "operation", "nth", "probability", "times"})

#: Every fault with the settings it reads.
KINDS: dict[str, frozenset[str]] = {
    # Wait before the request is looked at.
    "latency": frozenset({"seconds"}),
    # An HTTP status with a body; `fault: 502` is short for it.
    "status": frozenset({"code", "body", "retry_after", "as_date", "applied"}),
    # Status 200 with bytes that are no text, or with a page of HTML.
    "garbage": frozenset({"applied"}),
    "html": frozenset({"applied"}),
    # The real answer, cut short; `silent`: with a Content-Length that fits what arrives.
    "truncated": frozenset({"at", "silent"}),
    # GraphQL's own ways to fail, with status 200.
    "throttled": frozenset(),
    "internal_error": frozenset({"applied"}),
    "timeout": frozenset({"applied"}),
    # The connection breaks before the request is looked at, or after it was applied.
    "cut_before": frozenset(),
    "cut_after": frozenset(),
    # The inventory mutations: items that are refused, a user error for the whole call, an error
    # beside data.
    "refuse": frozenset({"items", "code", "named"}),
    "user_error": frozenset({"code", "applied"}),
    "error_beside_data": frozenset(),
    # From this request on idempotency keys are remembered for so long only.
    "key_retention": frozenset({"seconds"}),
    # Bulk operations: one that ends badly; other ones that run for so long; a result without URL;
    # one whose URL is expired.
    "bulk_ends": frozenset({"ends", "partial"}),
    "bulk_busy": frozenset({"seconds"}),
    "bulk_no_url": frozenset(),
    "bulk_url_expired": frozenset(),
}

_STATUS_BODIES: dict[int, Any] = {
    401: access.REFUSED_TOKEN,
    402: {"errors": "This shop's plan does not have access to this feature"},
    403: {"errors": "Unavailable Shop"},
    404: {"errors": "Not Found"},
    423: {"errors": "This shop is unavailable"},
    429: {
        "errors": "Exceeded 2 calls per second for api client. Reduce request rates to resume "
        "uninterrupted service."
    },
}

_PAGE = """<!DOCTYPE html>
<html><head><title>{code} {reason}</title></head>
<body><h1>{reason}</h1><p>Something went wrong. What happened? Request {code}.</p></body></html>
"""


# -- reading rules ---------------------------------------------------------------------------------


def read_file(path: Path) -> Faults:
    """The rules of a YAML file. Raises BadRules."""
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadRules(f"{path}: can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadRules(f"{path}: is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise BadRules(f"{path}: {where}is not YAML") from None
    return read_rules(document, str(path))


def read_rules(document: Any, where: str = "faults") -> Faults:
    """The rules of a list, or of a mapping with `rules` and `seed`. Raises BadRules."""
    seed = 0
    if isinstance(document, Mapping):
        unknown = set(document) - {"rules", "seed"}
        if unknown or not isinstance(document.get("seed", 0), int):
            raise BadRules(
                f"{where}: must be a list of rules, or a mapping with `rules` and `seed` (a number)"
            )
        seed, document = document.get("seed", 0), document.get("rules")
    if document is None:
        document = []
    if not isinstance(document, Sequence) or isinstance(document, str):
        raise BadRules(
            f"{where}: must be a list of rules, or a mapping with `rules` and `seed` (a number)"
        )
    rules = [
        one if isinstance(one, Rule) else _rule(one, f"{where}: rule {at}")
        for at, one in enumerate(document, 1)
    ]
    return Faults(rules, seed)


def _rule(given: Any, where: str) -> Rule:
    if not isinstance(given, Mapping) or "fault" not in given:
        raise BadRules(f"{where}: must be a mapping with the key `fault`")
    settings = dict(given)
    if isinstance(settings["fault"], int) and not isinstance(settings["fault"], bool):
        settings = {**settings, "fault": "status", "code": settings["fault"]}
    fault = settings["fault"]
    if fault not in KINDS:
        raise BadRules(
            f"{where}: there is no fault {fault!r}; there are a status such as 502, "
            f"{', '.join(KINDS)}"
        )
    for name in settings:
        if name not in _WHICH | KINDS[fault]:
            readable = ", ".join(sorted(_WHICH - {"fault"} | KINDS[fault]))
            raise BadRules(f"{where}: the fault {fault} has no `{name}`; it reads {readable}")
    for name, value in settings.items():
        settings[name] = _checked(name, value, where)
    rule = Rule(**settings)
    _complete(rule, where)
    return rule


def _checked(name: str, value: Any, where: str) -> Any:
    """The setting in the shape that a Rule keeps. Raises BadRules."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    match name:
        case "request" | "nth":
            numbers = [value] if whole else value
            if isinstance(numbers, list) and all(type(one) is int and one > 0 for one in numbers):
                return tuple(numbers)
            raise BadRules(f"{where}: `{name}` must be a number from 1, or a list of them")
        case "operation" | "items":
            words = [value] if isinstance(value, str) else value
            if isinstance(words, list) and all(isinstance(one, str) for one in words):
                return tuple(words)
            raise BadRules(f"{where}: `{name}` must be a name, or a list of them")
        case "probability":
            if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
                return float(value)
            raise BadRules(f"{where}: `probability` must be between 0 and 1")
        case "seconds" | "retry_after":
            if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
                return float(value)
            raise BadRules(f"{where}: `{name}` must be a number of seconds")
        case "times" | "at":
            if whole and value >= 0:
                return value
            raise BadRules(f"{where}: `{name}` must be a whole number")
        case "applied" | "as_date" | "named" | "silent" | "partial":
            if isinstance(value, bool):
                return value
            raise BadRules(f"{where}: `{name}` must be true or false")
        case "body" if value not in ("json", "html", "empty"):
            raise BadRules(f"{where}: `body` must be json, html or empty")
        case "ends" if value not in ("FAILED", "CANCELED", "EXPIRED"):
            raise BadRules(f"{where}: `ends` must be FAILED, CANCELED or EXPIRED")
    return value


def _complete(rule: Rule, where: str) -> None:
    """Refuse a rule that lacks what its fault needs. Raises BadRules."""
    if rule.fault == "status" and not (isinstance(rule.code, int) and 400 <= rule.code <= 599):
        raise BadRules(f"{where}: `code` must be a status from 400 to 599")
    if rule.fault == "refuse" and not rule.items:
        raise BadRules(f"{where}: `items` must name at least one SKU or item id")
    if rule.fault == "user_error" and not isinstance(rule.code, str):
        raise BadRules(
            f"{where}: `code` must be a code of a user error, such as SERVICE_UNAVAILABLE"
        )


# -- which request goes wrong ----------------------------------------------------------------------


@dataclass(slots=True)
class _Count:
    seen: int = 0
    done: int = 0


@dataclass
class Faults:
    """Rules with the count of what they did so far. One of these belongs to one door."""

    rules: Sequence[Rule] = ()
    seed: int = 0
    _counts: list[_Count] = field(init=False, repr=False)
    _random: random.Random = field(init=False, repr=False)
    _lock: threading.Lock = field(init=False, repr=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._counts = [_Count() for _ in self.rules]
        self._random = random.Random(self.seed)

    def striking(self, request: Request) -> list[Rule]:
        """The rules that this request runs into; each is counted."""
        if not self.rules:
            return []
        names = names_of(request)
        with self._lock:
            return [
                rule
                for rule, count in zip(self.rules, self._counts, strict=True)
                if self._strikes(rule, count, request, names)
            ]

    def _strikes(self, rule: Rule, count: _Count, request: Request, names: Iterable[str]) -> bool:
        if rule.operation and not set(rule.operation) & set(names):
            return False
        if rule.request and request.number not in rule.request:
            return False
        count.seen += 1
        if rule.nth and count.seen not in rule.nth:
            return False
        if rule.times is not None and count.done >= rule.times:
            return False
        if rule.probability < 1 and self._random.random() >= rule.probability:
            return False
        count.done += 1
        return True


def names_of(request: Request) -> tuple[str, ...]:
    """What rules may call a request."""
    if request.path.endswith("/access_token"):
        return ("access_token",)
    if request.method == "GET" and request.path.endswith(".jsonl"):
        return ("bulk_result",)
    return request.operation_names


# -- how it goes wrong -----------------------------------------------------------------------------


def interference(rules: Iterable[Rule]) -> Interference:
    """What these rules do to the execution of the request."""
    found = Interference()
    refused: dict[str, tuple[str, bool]] = {}
    for rule in rules:
        match rule.fault:
            case "throttled":
                found.throttled = True
            case "refuse":
                refused |= {
                    item: (str(rule.code or "NON_MUTABLE_INVENTORY_ITEM"), rule.named)
                    for item in rule.items
                }
            case "user_error":
                found.user_error, found.user_error_applied = str(rule.code), rule.applied
            case "error_beside_data":
                found.error_beside_data = True
            case "bulk_ends":
                found.bulk_ends, found.bulk_partial = rule.ends, rule.partial
            case "bulk_busy":
                found.bulk_busy = rule.seconds
            case "bulk_no_url":
                found.bulk_no_url = True
            case "bulk_url_expired":
                found.bulk_url_expired = True
            case "key_retention":
                found.key_retention = rule.seconds
    found.refused = refused
    return found


def broken_answer(
    rule: Rule, now: Callable[[], float], version: str, request_id: str
) -> Answer | None:
    """What is answered instead of the real thing.

    None for a rule that does not replace the answer.
    """
    from invsync.sandbox.failures import error_answer, internal_error

    headers = {"X-Shopify-API-Version": version}
    match rule.fault:
        case "cut_before" | "cut_after":
            return Answer(cut=True)
        case "status":
            return _status(rule, now)
        case "garbage":
            return Answer(
                200,
                {"Content-Type": "application/json; charset=utf-8", **headers},
                b'\x00\xff\xfe{"da\x80' * 9,
            )
        case "html":
            return Answer(
                200,
                {"Content-Type": "text/html; charset=utf-8"},
                _page(200, "Something went wrong"),
            )
        case "internal_error":
            return json_answer(internal_error(request_id), 200, **headers)
        case "timeout":
            return json_answer(error_answer("Timeout", None), 200, **headers)
    return None


def truncate(rule: Rule, answer: Answer) -> None:
    """Let only the beginning of an answer arrive."""
    whole = answer.size()
    at = min(whole, whole // 2 if rule.at is None else rule.at)
    if not rule.silent:
        answer.truncate_at = at
    elif isinstance(answer.body, bytes):
        answer.body = answer.body[:at]
    else:
        with answer.body.open("rb") as file:
            answer.body = file.read(at)


def _status(rule: Rule, now: Callable[[], float]) -> Answer:
    assert isinstance(rule.code, int)
    form = rule.body or ("json" if rule.code in _STATUS_BODIES or rule.code == 500 else "html")
    if form == "json":
        answer = json_answer(
            _STATUS_BODIES.get(rule.code, {"errors": "Internal Server Error"}), rule.code
        )
    elif form == "html":
        answer = Answer(
            rule.code,
            {"Content-Type": "text/html; charset=utf-8"},
            _page(rule.code, "Something went wrong"),
        )
    else:
        answer = Answer(rule.code)
    if rule.retry_after is not None:
        written = (
            formatdate(now() + rule.retry_after, usegmt=True)
            if rule.as_date
            else f"{rule.retry_after:.1f}"
        )
        answer.headers["Retry-After"] = written
    return answer


def _page(code: int, reason: str) -> bytes:
    return _PAGE.format(code=code, reason=reason).encode()
