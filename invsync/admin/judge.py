"""What an answer means. Pure: status, headers and body in; data, or a failure of one kind, out.

Failures that can't get better are exceptions of `invsync.errors`; those that may pass are
`Passing`, which the client repeats or gives up on.

Facts: https://shopify.dev/docs/api/usage/response-codes (statuses),
https://shopify.dev/docs/api/admin-graphql (codes), https://shopify.dev/docs/api/usage/versioning.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from invsync import API_VERSIONS
from invsync.admin.address import address_of
from invsync.admin.answer import TRY_LATER, Answer, Call, Kind, Passing, request_of
from invsync.admin.budget import cost_of
from invsync.admin.clock import http_date
from invsync.errors import CallRefused, NotExecuted, QueryTooLarge, ShopError

OUR_FAULT = "this is a fault of invsync; please report it"
CHECK_ADDRESS = "check shop, api_url and any proxy on the way"

#: Statuses that can't get better by trying again, none of which carries anything out, and the mend.
_PERMANENT = {
    400: OUR_FAULT,
    402: "the shop is frozen until its owner settles the bill with Shopify",
    403: "the shop is closed to this app: check that it is open, and that the app is installed "
    "with its scopes",
    404: "check shop, api_url and api_version: there is no shop, or no Admin API, at that address",
    406: OUR_FAULT,
    413: OUR_FAULT,
    414: OUR_FAULT,
    415: OUR_FAULT,
    422: OUR_FAULT,
    423: "the shop is locked, for repeated overuse or for fraud: its owner has to ask Shopify's "
    "support",
    430: "Shopify takes the requests for malicious: stop whatever else calls it from here, then "
    "ask its support",
    501: "this shop does not offer the Admin API that invsync needs",
    783: OUR_FAULT,
}

#: Of these, those that are about what was sent: another call may go through.
_THIS_CALL = {400, 413, 422}

#: Redirects that ask for the same request elsewhere, so that it was not carried out here; others
#: may follow on one that was (RFC 9110, 15.4).
_NOT_HERE = {307, 308}

#: A bulk result's address is signed, and refused in these ways once its seven days are over.
_EXPIRED = {400, 401, 403, 404, 410}

#: Codes of top-level errors that refuse a call before it is carried out: those that Shopify
#: documents or was recorded to send, and those of the validation of GraphQL, which are spelled
#: like `undefinedField`.
_VALIDATION = re.compile(
    "BAD_REQUEST|INVALID_VARIABLE|INVALID_FIELD_ARGUMENTS|MAX_COST_EXCEEDED"
    "|MAX_INPUT_SIZE_EXCEEDED|PARSE_ERROR|RESOURCE_NOT_FOUND|[a-z]+([A-Z][a-z]*)+"
)

#: Codes of top-level errors that may pass.
_MAY_PASS = {"THROTTLED", "TIMEOUT", "INTERNAL_SERVER_ERROR"}


class Denied(NotExecuted):
    """The app lacks a right in the shop; a new token may have it."""


def judge(call: Call, answer: Answer, now: datetime) -> dict[str, Any]:
    """The data of the answer to a GraphQL request, whole; raises for anything else.

    Of a mutation: an error beside a filled payload does not undo it, for a denied field is refused
    after the write, so that the payload alone tells what happened; the errors are `beside`.
    """
    refuse_status(call, answer, now)
    payload = answer.payload
    if call.is_query:
        _refuse_other_version(call, answer)
    if not isinstance(payload, dict):
        raise garbage(call, answer)
    data = payload.get("data")
    if payload.get("errors") and (call.is_query or not _carried_out(data)):
        raise _failure(call, answer, payload["errors"])
    if call.is_query:
        _refuse_search_warnings(call, answer)
    if not isinstance(data, dict):
        raise garbage(call, answer)
    return data


def beside(call: Call, answer: Answer) -> str:
    """What the errors say that stand beside data which was taken all the same.

    Empty without any.
    """
    errors = answer.payload.get("errors") if isinstance(answer.payload, dict) else None
    return "; ".join(call.quote(_words(entry)) for entry in _entries(errors)) if errors else ""


def is_throttled(answer: Answer) -> bool:
    """Whether the answer says to slow down."""
    errors = answer.payload.get("errors") if isinstance(answer.payload, dict) else None
    return answer.status == 429 or any(_code(entry) == "THROTTLED" for entry in _entries(errors))


def garbage(call: Call, answer: Answer) -> Passing:
    """An answer that is none."""
    what = "without data" if isinstance(answer.payload, dict) else "that is not JSON"
    return Passing(
        f"{call.shop} answered {answer.status} with a body {what}",
        ran=True,
        mend=f"{CHECK_ADDRESS}, or {TRY_LATER}",
        request=request_of(call, answer),
    )


def refuse_status(call: Call, answer: Answer, now: datetime) -> None:
    """Raise for every HTTP status but success. `now`: by the shop's clock."""
    status = answer.status
    if 200 <= status < 300:
        return
    if status == 429 or (500 <= status < 600 and status not in _PERMANENT):
        raise _passing_status(call, answer, now)
    if 300 <= status < 400:
        raise _redirected(call, answer)
    errors = answer.payload.get("errors") if isinstance(answer.payload, dict) else None
    words = f", {call.quote(_words(errors))}" if errors else ""
    kind: type[ShopError] = ShopError
    if status in _PERMANENT:
        kind = CallRefused if status in _THIS_CALL else Denied if status == 403 else NotExecuted
    raise kind(
        f"{call.shop} answered {status} ({call.operation}{words}): "
        f"{_PERMANENT.get(status, CHECK_ADDRESS)}{request_of(call, answer)}"
    )


def refuse_download(call: Call, answer: Answer, now: datetime) -> None:
    """Raise for every HTTP status of a bulk result but success; `call.shop` says where it lies."""
    if answer.status in _EXPIRED:
        raise ShopError(
            f"{call.shop} has expired ({answer.status}), as they do after seven days: run the scan "
            "again"
        )
    refuse_status(call, answer, now)


def refused_token(call: Call, answer: Answer, mend: str) -> NotExecuted:
    """A 401 that no other token helps against."""
    return NotExecuted(
        f"{call.shop} refuses the access token (401): {mend}{request_of(call, answer)}"
    )


# Statuses


def _passing_status(call: Call, answer: Answer, now: datetime) -> Passing:
    throttled, request = answer.status == 429, request_of(call, answer)
    happened = f"{call.shop} answered {answer.status}"
    wait = _retry_after(answer, now)
    if throttled:
        happened += " (too many requests)"
        return Passing(happened, ran=False, kind="throttled", wait=wait, request=request)
    kind: Kind = "slow" if answer.status == 504 and call.is_query else "failed"
    return Passing(happened, ran=True, kind=kind, wait=wait, request=request)


def _redirected(call: Call, answer: Answer) -> ShopError:
    target = address_of(answer.headers.get("Location", ""))
    kind = NotExecuted if answer.status in _NOT_HERE else ShopError
    return kind(
        f"{call.shop} sends {call.operation} on to {target.host if target else 'another address'} "
        f"({answer.status}), which gets no access token from us: set shop to the shop's "
        f"*.myshopify.com name{request_of(call, answer)}"
    )


def _retry_after(answer: Answer, now: datetime) -> float | None:
    """Seconds that the answer asks to wait (RFC 9110, 10.2.3)."""
    text = answer.headers.get("Retry-After", "")
    try:
        seconds = float(text)
    except ValueError:
        until = http_date(text)
        if until is None:
            return None
        seconds = (until - (http_date(answer.headers.get("Date", "")) or now)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


# Bodies


def _refuse_other_version(call: Call, answer: Answer) -> None:
    """A retired version is not refused but answered by another one, by other rules."""
    answered = call.quote(answer.headers.get("X-Shopify-API-Version", ""))
    if not answered or answered == call.api_version:
        return
    served = " or ".join(version for version in API_VERSIONS if version >= answered)
    mend = f"set api_version to {served}" if served else "look for a newer invsync"
    why = "retired" if answered > call.api_version else "not served"
    raise ShopError(
        f"{call.shop} answered with API version {answered}, since {call.api_version} is {why}: "
        f"{mend}{request_of(call, answer)}"
    )


def _refuse_search_warnings(call: Call, answer: Answer) -> None:
    """Shopify drops a term that it doesn't know, and then finds everything."""
    searches = _object(answer.payload.get("extensions")).get("search")
    for search in map(_object, searches if isinstance(searches, list) else []):
        warnings = search.get("warnings")
        if not warnings:
            continue
        warning = _object(warnings[0] if isinstance(warnings, list) else warnings)
        raise ShopError(
            f"{call.shop} does not understand the term {call.quote(str(warning.get('field')))} of "
            f"the search {call.quote(str(search.get('query')))} ({call.operation}, "
            f"{call.quote(_words(warning))}), and may have found too much: nothing of it was used; "
            f"{OUR_FAULT}{request_of(call, answer)}"
        )


def _carried_out(data: Any) -> bool:
    """Whether a mutation's field is filled in, which it is once its write is done."""
    return isinstance(data, dict) and any(isinstance(field, dict) for field in data.values())


def _failure(call: Call, answer: Answer, errors: Any) -> Exception:
    """What top-level `errors` mean; what can't get better goes before what can."""
    by_code: dict[str, dict[str, Any]] = {}
    for entry in _entries(errors):
        by_code.setdefault(_code(entry), entry)
    for_good = [code for code in by_code if code not in _MAY_PASS]
    if for_good:
        return _for_good(call, answer, by_code, for_good)
    request = request_of(call, answer)
    if "TIMEOUT" in by_code and call.is_query:
        return QueryTooLarge(
            f"{call.shop} refused {call.operation}: it ran out of time; ask for less at once"
            f"{request}"
        )
    if "TIMEOUT" in by_code or "INTERNAL_SERVER_ERROR" in by_code:
        code = "timeout" if "TIMEOUT" in by_code else "INTERNAL_SERVER_ERROR"
        return Passing(f"{call.shop} failed ({code})", ran=True, request=request)
    return _throttled(call, answer)


def _for_good(
    call: Call, answer: Answer, by_code: Mapping[str, dict[str, Any]], for_good: Sequence[str]
) -> ShopError:
    """The failure of a call of whose errors at least one can't get better."""
    where, request = f"{call.shop} refused {call.operation}", request_of(call, answer)
    settled = all(_before_the_work(call, code, entry) for code, entry in by_code.items())
    ended: type[ShopError] = NotExecuted if settled else ShopError
    if denied := by_code.get("ACCESS_DENIED"):
        return (Denied if settled else ShopError)(
            f"{where}: the app lacks {_lacks(call, denied)} (ACCESS_DENIED); add it to the app, "
            f"have the shop accept it, and run again{request}"
        )
    if "SHOP_INACTIVE" in by_code:
        return ended(f"{where}: the shop is not active; its owner has to reopen it{request}")
    if dear := by_code.get("MAX_COST_EXCEEDED"):
        ended = QueryTooLarge if call.is_query else CallRefused if settled else ShopError
        return ended(f"{where}: {call.quote(_words(dear))} (MAX_COST_EXCEEDED){request}")
    first = for_good[0]
    code = f" ({call.quote(first)})" if first else ""
    ended = CallRefused if settled else ShopError
    return ended(f"{where}: {call.quote(_words(by_code[first]))}{code}; {OUR_FAULT}{request}")


def _before_the_work(call: Call, code: str, entry: Mapping[str, Any]) -> bool:
    """Whether an error that stands in place of data says that nothing was carried out."""
    if code == "ACCESS_DENIED":
        path = entry.get("path")  # a field below the mutation is denied after the write
        return call.is_query or not isinstance(path, list) or len(path) <= 1
    return code in ("THROTTLED", "SHOP_INACTIVE") or _VALIDATION.fullmatch(code) is not None


def _lacks(call: Call, denied: Mapping[str, Any]) -> str:
    required = _object(denied.get("extensions")).get("requiredAccess") or denied.get("message")
    scopes = re.findall(r"`(\w+)`", str(required))
    if scopes:
        return f"the scope {' or '.join(scopes)}"
    return f"access ({call.quote(_words(denied))})"


def _throttled(call: Call, answer: Answer) -> Exception:
    told = cost_of(answer.payload)
    requested = float(call.cost) if told.requested is None else told.requested
    if told.maximum is not None and requested > told.maximum:
        return (QueryTooLarge if call.is_query else NotExecuted)(
            f"{call.shop} refused {call.operation}: it costs {requested:g} points, and the shop's "
            f"budget never holds more than {told.maximum:g}{request_of(call, answer)}"
        )
    return Passing(
        f"{call.shop} is throttling (THROTTLED)",
        ran=False,
        kind="throttled",
        wait=told.seconds_until(requested),
        request=request_of(call, answer),
    )


# Odd shapes


def _entries(errors: Any) -> list[dict[str, Any]]:
    """The errors of an answer, whatever their shape."""
    listed = errors if isinstance(errors, list) else [errors]
    return [_object(error) or {"message": error} for error in listed]


def _code(entry: Mapping[str, Any]) -> str:
    """An error's code; Shopify gives none when it runs out of time."""
    code = _object(entry.get("extensions")).get("code")
    if code:
        return str(code)
    return "TIMEOUT" if str(entry.get("message")).lower().startswith("timeout") else ""


def _words(error: Any) -> str:
    """What an error of any shape says."""
    message = error.get("message", error) if isinstance(error, dict) else error
    return message if isinstance(message, str) else json.dumps(message)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
