"""Telling a watchdog how runs go, in the style of healthchecks.io.

https://healthchecks.io/docs/http_api/

POST to `ping_url` + `/start` when a run has begun, to `ping_url` itself when it is done (exit 0 and
3: a pool that needs a person is no failure of the run), to `/fail` when it failed or was stopped;
the body says how it went. A dry run pings nothing, and neither does a run that finds another one at
work: that one tells for itself, unless the same one is found for the third time running. A ping
that fails is a warning in the log and never more. The URL is a secret: only its host is ever shown.

`invsync check` posts to `/log`, which healthchecks.io keeps without taking it for a success or a
failure. (Anything sent to `ping_url` itself is a success there, a HEAD too.) An unknown check is
answered there with 200 and the words `OK (not found)`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from invsync import __version__
from invsync.admin.wire import Task
from invsync.errors import LockHeld
from invsync.state.lock import LONG

#: Seconds to connect, and again to get an answer.
TIMEOUT = 5.0
#: Seconds that a ping may take with all its tries, whatever its answer looks like.
PATIENCE = 6.0
#: Tries of the ping that ends a run; the one that begins it must not hold up the stock.
TRIES = 2
#: Characters of a body; the watchdog keeps no more than 100 kB.
LONGEST_BODY = 10_000
#: What healthchecks.io says, with status 200, where it knows no such check.
_UNKNOWN = b"OK (not found)"

_log = logging.getLogger("invsync")


class Ping:
    """The pings of one run. Without a URL they do nothing.

    `loud`: a ping that fails is a warning. Where nobody watches the run it is none: cron would mail
    it every ten minutes, and that no ping comes is what the watchdog tells.
    """

    def __init__(self, url: str | None, *, loud: bool = True) -> None:
        self._url = url
        self._level = logging.WARNING if loud else logging.INFO

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
        trouble = _post(self._url + path, body, tries=tries)
        if trouble is None:
            return
        _log.log(
            self._level,
            "ping_url: %s: it was not told of this run's %s; the run itself is not concerned",
            trouble.words,
            {"/start": "start", "": "success", "/fail": "failure"}[path],
        )


class Trouble(NamedTuple):
    """Why a ping did not arrive: the host and what it did, and the status of its answer if any."""

    words: str
    status: int | None = None


def note(url: str) -> Trouble | None:
    """Leave a note that is neither a success nor a failure of a run; None if it was taken."""
    return _post(f"{url}/log", "invsync check: a note, no run", tries=TRIES)


def _post(url: str, body: str, *, tries: int) -> Trouble | None:
    """What went wrong; None if nothing did. An answer that drips is left behind."""
    task = Task(lambda: _tried(url, body, tries))
    if task.done.wait(PATIENCE):
        return task.result()
    return Trouble(f"{urlsplit(url).hostname} was not done answering after {PATIENCE:g} s")


def _tried(url: str, body: str, tries: int) -> Trouble | None:
    for _ in range(tries):
        trouble = _try(url, body[:LONGEST_BODY])
        if trouble is None:
            return None
    return trouble


def _try(url: str, body: str) -> Trouble | None:
    """What went wrong; None if nothing did.

    What requests says of a failure holds the URL, so it is not quoted.
    """
    host = urlsplit(url).hostname
    try:
        with requests.post(
            url,
            data=body.encode(errors="replace"),
            headers={
                "Content-Type": "text/plain; charset=utf-8",
                "User-Agent": f"invsync/{__version__}",
            },
            auth=lambda request: request,  # keeps requests from adding a password out of ~/.netrc
            timeout=TIMEOUT,
            allow_redirects=False,
            stream=True,  # an answer without end must not hold up the run
        ) as response:
            said = next(response.iter_content(len(_UNKNOWN)), b"")
    except requests.Timeout:
        return Trouble(f"{host} gave no answer within {TIMEOUT:g} s")
    except (OSError, ValueError) as error:  # requests' own exceptions are OSErrors
        return Trouble(f"{host} could not be reached ({type(error).__name__})")
    if not response.ok or response.is_redirect:
        return Trouble(f"{host} answered {response.status_code}", response.status_code)
    if said == _UNKNOWN:
        return Trouble(f"{host} knows no such check", response.status_code)
    return None
