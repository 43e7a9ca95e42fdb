"""Credentials: what turns the configured ones into the token that a call carries.

Two kinds: an access token that a person copied from an admin-created custom app, and the client id
and secret of a Dev Dashboard app, for which Shopify grants a token that lives 24 hours
(https://shopify.dev/docs/apps/build/authentication-authorization/client-credentials-grant). No
secret is in a `repr`, a message or a log; the token file holds a token, never the client secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from invsync.errors import ConfigError, ShopError

#: A token is asked for anew this long before it expires, as Shopify's own sample does
#: (https://shopify.dev/docs/apps/build/dev-dashboard/get-api-access-tokens).
RENEW_BEFORE = timedelta(seconds=60)

#: How long a token is taken to live when the grant does not say; Shopify grants 24 hours and always
#: says so.
UNSTATED_LIFETIME = timedelta(hours=1)

# Shorter secrets would be "found" in ordinary words.
_SHORTEST_CONCEALED = 8


@dataclass(frozen=True, slots=True)
class GrantAnswer:
    """Shopify's answer to a request for a token.

    `fields` of a JSON object, if it is one; `text` of whatever came; `request` names it in a
    message, or is empty.
    """

    status: int
    fields: Mapping[str, Any] | None = field(repr=False)
    text: str = field(repr=False)
    request: str = ""


class GrantDoor(Protocol):
    """What asking for a token needs of the client."""

    @property
    def shop(self) -> str:
        """Host of the shop (with the port, where one is given).

        A token is good for this shop only.
        """

    def server_now(self) -> datetime:
        """Now, by the shop's clock."""

    def request_grant(self, credentials: ClientCredentials) -> GrantAnswer:
        """Ask once for a token, repeated only where the way there failed.

        Answers success, 400, 401 and 404.
        """


class TokenStore(Protocol):
    """Where a granted token is kept from run to run; none of its methods raises."""

    def read(self) -> bytes | None:
        """What is kept; None where nothing is."""

    def write(self, content: bytes) -> None:
        """Keep this instead."""

    def remove(self) -> None:
        """Let go of what is kept."""


class Credentials(Protocol):
    """Where the client gets its tokens from."""

    @property
    def scopes(self) -> frozenset[str] | None:
        """Scopes that came with the token; None where nobody said."""

    @property
    def mend(self) -> str:
        """What to check when the shop refuses the token."""

    def current(self, door: GrantDoor) -> AccessToken:
        """The token to send now."""

    def replacement(self, refused: AccessToken, door: GrantDoor) -> AccessToken | None:
        """Another token after the shop answered 401 to `refused`.

        None when there is none to try.
        """

    def forget(self) -> None:
        """Let go of the token, so that the next one is asked for anew.

        Scopes may have been added since.
        """

    def conceal(self, text: str) -> str:
        """`text` without any secret that stands in it."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token: as credentials, one that does not change.

    Raises `ConfigError` for what can't be a token; the message does not repeat it.
    """

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        # Also keeps it out of the exceptions that a header with such characters would raise further
        # down.
        if not re.fullmatch(r"[!-~]+", self.token):
            raise ConfigError(
                "access_token is empty or holds a blank, a line break or a letter that no token has"
            )

    @property
    def scopes(self) -> frozenset[str] | None:
        """Unknown: the token does not tell."""
        return None

    @property
    def mend(self) -> str:
        """What to check when the shop refuses the token."""
        return "check access_token: it is mistyped, revoked, or another shop's"

    def current(self, door: GrantDoor) -> AccessToken:
        """Itself."""
        return self

    def replacement(self, refused: AccessToken, door: GrantDoor) -> AccessToken | None:
        """None: there is only this one."""
        return None

    def forget(self) -> None:
        """Nothing: it was typed in by a person, and gains scopes as its app does."""

    def conceal(self, text: str) -> str:
        """`text` without the token."""
        return _without(self.token, text)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """Client id and secret of a Dev Dashboard app."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Granted:
    """A token with what came with it; `expires_at` by the shop's clock."""

    token: AccessToken
    expires_at: datetime
    scopes: frozenset[str]

    def is_good_at(self, now: datetime) -> bool:
        return now + RENEW_BEFORE < self.expires_at


class GrantedToken:
    """Tokens by the client credentials grant.

    Kept in `store` until shortly before they expire. Both commands, and runs beside each other,
    share it: it is read again before a new token is asked for. What is of another shop or app there
    is as good as none. `store` None: the token is kept in memory only.
    """

    def __init__(self, credentials: ClientCredentials, store: TokenStore | None) -> None:
        self._credentials = credentials
        self._store = store
        self._granted: _Granted | None = None
        self._asked_after_refusal = False

    def __repr__(self) -> str:
        return f"GrantedToken({self._credentials!r})"

    @property
    def scopes(self) -> frozenset[str] | None:
        """Scopes granted with the token; None before there is one."""
        return None if self._granted is None else self._granted.scopes

    @property
    def mend(self) -> str:
        """What to check when the shop refuses the token."""
        return "it was granted just now: check that the app is still installed on the shop"

    def current(self, door: GrantDoor) -> AccessToken:
        """The token in use, the one in the store, or a new one.

        Raises `ShopError` when none is granted.
        """
        now = door.server_now()
        if self._granted is None or not self._granted.is_good_at(now):
            kept = self._read(door.shop)
            self._granted = kept if kept and kept.is_good_at(now) else self._ask(door)
        return self._granted.token

    def replacement(self, refused: AccessToken, door: GrantDoor) -> AccessToken | None:
        """What another run has put into the store meanwhile, else a new one (asked for once)."""
        kept = self._read(door.shop)
        if kept and kept.token != refused and kept.is_good_at(door.server_now()):
            self._granted = kept
        elif self._asked_after_refusal:
            return None
        else:
            self._asked_after_refusal = True
            self._granted = self._ask(door)
        return self._granted.token

    def forget(self) -> None:
        """Drop the token, wherever it is kept.

        A token keeps the scopes of the day it was granted, up to 24 hours long.
        """
        self._granted = None
        if self._store is not None:
            self._store.remove()

    def conceal(self, text: str) -> str:
        """`text` without the client secret and the token."""
        text = _without(self._credentials.client_secret, text)
        return text if self._granted is None else self._granted.token.conceal(text)

    def _ask(self, door: GrantDoor) -> _Granted:
        answer = door.request_grant(self._credentials)
        granted = self._judge(answer, door)
        self._write(granted, door.shop)
        return granted

    def _judge(self, answer: GrantAnswer, door: GrantDoor) -> _Granted:
        if not 200 <= answer.status < 300:
            raise ShopError(f"{door.shop} {self._refusal(answer)}{answer.request}")
        fields = answer.fields or {}
        try:
            token = AccessToken(fields["access_token"])
        except (KeyError, TypeError, ConfigError):
            raise ShopError(
                f"{door.shop} answered the request for an access token without one: check shop and "
                "api_url"
                f"{answer.request}"
            ) from None
        expires_in, lifetime = fields.get("expires_in"), UNSTATED_LIFETIME
        if (
            isinstance(expires_in, int | float)
            and 0 < expires_in <= timedelta(days=366).total_seconds()
        ):
            lifetime = timedelta(seconds=expires_in)
        scopes = frozenset(re.findall(r"\w+", str(fields.get("scope") or "")))
        return _Granted(token, door.server_now() + lifetime, scopes)

    def _refusal(self, answer: GrantAnswer) -> str:
        """Why no token was granted, and the mend.

        Bodies are JSON, HTML or text: the code is looked for in any.
        """
        if "shop_not_permitted" in answer.text:
            return (
                "grants this app no access token (shop_not_permitted): app and shop belong to "
                "different organizations; "
                "use an app of the organization that owns the shop"
            )
        if "app_not_installed" in answer.text:
            return (
                "grants no access token (app_not_installed): install the app on the shop, then "
                "run again"
            )
        if answer.status == 404:
            return "was not found (404): check shop, there seems to be none of that name"
        if "invalid_client" in answer.text:
            return (
                "grants no access token (invalid_client): client_id or client_secret is wrong; "
                "copy both again from "
                "the app's settings in the Dev Dashboard"
            )
        fields = answer.fields or {}
        said = [
            str(fields[key]) for key in ("error", "error_description", "errors") if fields.get(key)
        ]
        if not said:
            return (
                f"answered {answer.status} to the request for an access token: check that shop is "
                "the "
                "*.myshopify.com name, and client_id and client_secret"
            )
        words = " ".join(self.conceal(": ".join(said)).split())[:300]
        return (
            f"grants no access token ({answer.status}, {words}): check client_id, "
            "client_secret "
            "and the app"
        )

    def _read(self, shop: str) -> _Granted | None:
        if self._store is None:
            return None
        try:
            kept = json.loads(self._store.read() or b"")
            if (kept["shop"], kept["client_id"]) != (shop, self._credentials.client_id):
                return None
            expires_at = datetime.fromisoformat(kept["expires_at"]).astimezone(UTC)
            return _Granted(
                AccessToken(kept["token"]), expires_at, frozenset(map(str, kept["scope"]))
            )
        except (
            ValueError,
            TypeError,
            LookupError,
            ArithmeticError,
            RecursionError,
            ConfigError,
        ):
            return None

    def _write(self, granted: _Granted, shop: str) -> None:
        if self._store is None:
            return
        about = {
            "shop": shop,
            "client_id": self._credentials.client_id,
            "scope": sorted(granted.scopes),
            "expires_at": granted.expires_at.isoformat(timespec="seconds"),
        }
        content = json.dumps({**about, "token": granted.token.token}, indent=1)
        self._store.write(content.encode())


def credentials_for(
    configured: AccessToken | ClientCredentials, store: TokenStore | None
) -> Credentials:
    """What the client needs, from what the configuration holds."""
    return configured if isinstance(configured, AccessToken) else GrantedToken(configured, store)


def _without(secret: str, text: str) -> str:
    return text.replace(secret, "…") if len(secret) >= _SHORTEST_CONCEALED else text
