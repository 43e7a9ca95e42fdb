"""Search terms, as Shopify's search index takes them. Pure.

https://shopify.dev/docs/api/usage/search-syntax
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def quote(term: str) -> str:
    """`term` as one phrase."""
    return "'" + term.replace("\\", "\\\\").replace("'", "\\'") + "'"


def any_of(field_name: str, values: Iterable[str]) -> str:
    """Terms for objects whose `field_name` is one of `values`; empty for no values."""
    return either([f"{field_name}:{quote(value)}" for value in values])


def either(terms: Sequence[str]) -> str:
    """The terms, of which one is to be true; empty for none."""
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})" if terms else ""


def since_moment(moment: str) -> str:
    """The term for objects that changed since `moment` (UTC text)."""
    return f"updated_at:>='{moment}'"


def beyond(terms: str, after: int) -> str | None:
    """`terms`, and an id that is larger than `after`; no term for 0, of which Shopify warns.

    None where nothing is left to search for: nobody has seen Shopify take a search that is empty.
    """
    return (f"{terms} id:>{after}" if after else terms).strip() or None


def number(gid: str) -> int:
    """The number in `gid://shopify/Product/123`."""
    return int(gid.rpartition("/")[2])
