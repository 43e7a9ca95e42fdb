"""One HTTP request and its answer, as both doors carry them."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

#: API versions that are served, oldest first.
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")


def answering(version: str) -> str:
    """The version that answers a request for `version`.

    Itself, or the oldest one served if it is gone.
    """
    return version if version in VERSIONS else VERSIONS[0]


class GraphqlMissing(ImportError):
    """graphql-core is not installed; `str()` is the line that says what to install."""


def require_graphql() -> None:
    """Check that graphql-core is there. Raises GraphqlMissing."""
    try:
        import graphql  # noqa: F401
    except ImportError:
        python = shlex.quote(sys.executable)
        pip = (
            f"{python} -m pip install" if find_spec("pip") else f"uv pip install --python {python}"
        )
        raise GraphqlMissing(
            "the sandbox needs graphql-core, which is not installed beside invsync; add it: "
            f"`{pip} graphql-core`"
        ) from None


class Cut(Exception):
    """The connection breaks, and the client hears nothing."""


@dataclass
class Request:
    """A request as it arrived.

    `headers` has lower-case names; `base_url` is `https://host`, no slash.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    base_url: str = "https://sandbox.myshopify.com"
    #: The part of the URL behind the question mark.
    query_string: str = ""
    #: Running number at its door, from 1.
    number: int = 0

    @cached_property
    def graphql(self) -> Mapping[str, Any]:
        """The GraphQL request in the body: `query`, `variables`, `operationName`.

        Empty if there is none.
        """
        try:
            found = json.loads(self.body) if self.body else None
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @cached_property
    def operation(self) -> str | None:
        """The name of the GraphQL operation, or None."""
        named = self.graphql.get("operationName")
        return str(named) if named else next(iter(self.operation_names[:1]), None)

    @cached_property
    def operation_names(self) -> tuple[str, ...]:
        """What a rule may call this request: its operation's name, and its top-level fields."""
        text = self.graphql.get("query")
        if not isinstance(text, str):
            return ()
        from invsync.sandbox.execution import named

        return named(text)


@dataclass
class Answer:
    """What goes back. The body is bytes, or a file that is streamed."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Path = b""
    #: Send no more than so many bytes of the body, then break the connection.
    truncate_at: int | None = None
    #: Break the connection instead of answering.
    cut: bool = False
    #: How long the client waited for it, in seconds.
    delay: float = 0.0

    def size(self) -> int:
        """The length of the whole body in bytes."""
        return len(self.body) if isinstance(self.body, bytes) else self.body.stat().st_size


def json_answer(document: Any, status: int = 200, **headers: str) -> Answer:
    """An answer with a JSON body."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return Answer(status, {"Content-Type": "application/json; charset=utf-8", **headers}, body)
