"""What puts a secret into a request, at the last moment: no variable on the way holds it."""

from __future__ import annotations

import requests
from requests.auth import AuthBase

from invsync.admin.auth import AccessToken, ClientCredentials


class NoSecret(AuthBase):
    """Nothing; but as any `auth` does, it keeps requests from adding a password out of ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request as it is."""
        return request


class TokenHeader(AuthBase):
    """An access token, in the header that Shopify takes it in."""

    def __init__(self, token: AccessToken) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request with the token."""
        request.headers["X-Shopify-Access-Token"] = self._token.token
        return request


class GrantForm(AuthBase):
    """Client credentials, as the form that asks for a token."""

    def __init__(self, credentials: ClientCredentials) -> None:
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request with the form."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        request.prepare_body(form, None)
        return request
