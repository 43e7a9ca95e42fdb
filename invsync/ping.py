"""Telling a watchdog how runs go, in the style of healthchecks.io.

https://healthchecks.io/docs/http_api/

POST to `ping_url` + `/start` when a run has begun, to `ping_url` itself when it is done (exit 0 and
3: a pool that needs a person is no failure of the run), to `/fail` when it failed or was stopped;
the body says how it went. A dry run pings nothing, and neither does a run that finds another one at
work: that one tells for itself, unless the same one is found for the third time running. A ping
that fails is a warning in the log and never more. The URL is a secret: only its host is ever shown.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests

from invsync import __version__
from invsync.errors import LockHeld
from invsync.state.lock import LONG

#: Seconds to connect, and again to get an answer.
TIMEOUT = 5.0
#: Tries of the ping that ends a run; the one that begins it must not hold up the stock.
TRIES = 2
#: Characters of a body; the watchdog keeps no more than 100 kB.
LONGEST_BODY = 10_000

_log = logging.getLogger("invsync")


class Ping:
    """The pings of one run. Without a URL they do nothing."""

    def __init__(self, url: str | None) -> None:
        self._url = url

    def __repr__(self) -> str:
        return "Ping()"

    def start(self) -> None:
        """The run has begun."""
        self._post("/start", "", tries=1)

    def end(self, exit_code: int, summary: str, error: Exception | None = None) -> None:
        """The run is over, with this closing line; `error` is what ended it early."""
        body = summary if error is None else f"{error}\n{summary}"
        self._post("" if exit_code in (0, 3) else "/fail", body, tries=TRIES)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Tell of a run that fails without an outcome.

        Of one that finds another at work, once that lasts.
        """
        try:
            yield
        except LockHeld as held:
            if held.times >= LONG:
                self._post("/fail", str(held), tries=TRIES)
            raise
        except Exception as error:
            self._post("/fail", str(error), tries=TRIES)
            raise

    def _post(self, path: str, body: str, *, tries: int) -> None:
        if self._url is None:
            return
        for _ in range(tries):
            problem = _try(self._url + path, body[:LONGEST_BODY])
            if problem is None:
                return
        _log.warning(
            "ping_url: %s %s: it was not told of this run's %s; the run itself is not concerned",
            urlsplit(self._url).hostname,
            problem,
            {"/start": "start", "": "success", "/fail": "failure"}[path],
        )


def _try(url: str, body: str) -> str | None:
    """What went wrong; None if nothing did.

    What requests says of a failure holds the URL, so it is not quoted.
    """
    try:
        response = requests.post(
            url,
            data=body.encode(errors="replace"),
            headers={
                "Content-Type": "text/plain; charset=utf-8",
                "User-Agent": f"invsync/{__version__}",
            },
            auth=lambda request: request,  # keeps requests from adding a password out of ~/.netrc
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except requests.Timeout:
        return f"gave no answer within {TIMEOUT:g} s"
    except (OSError, ValueError) as error:  # requests' own exceptions are OSErrors
        return f"could not be reached ({type(error).__name__})"
    return None if response.ok and not response.is_redirect else f"answered {response.status_code}"
