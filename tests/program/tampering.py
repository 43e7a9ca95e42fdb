"""A server between program and shop, which answers what a test tells it in the shop's place."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

#: What a request asks (operation, variables) → a status and a JSON document in the place of the
#: shop's answer, or what becomes of the body of that; None: the shop's own answer.
Tamper = Callable[[str, dict[str, Any]], "tuple[int, Any] | Callable[[bytes], bytes] | None"]

_KEPT = ("content-type", "x-shopify-access-token", "accept")


class Tampering:
    """Hands every request to the shop at `url`, but for those that `tamper` answers."""

    def __init__(self, url: str, tamper: Tamper) -> None:
        self.tamper = tamper
        #: The operations of all requests, and the variables of the adjustments that were tampered
        #: with.
        self.asked: list[str] = []
        self.tampered: list[dict[str, Any]] = []
        outer, shop = self, urlsplit(url)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, answer = outer._answer(self.path, dict(self.headers), body, shop)
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(
        self, path: str, headers: dict[str, str], body: bytes, shop: Any
    ) -> tuple[int, dict[str, str], bytes]:
        asked = json.loads(body)
        operation = asked["query"].split("(")[0].split("{")[0].split()[-1]
        self.asked.append(operation)
        told = self.tamper(operation, asked["variables"])
        if told is not None:
            self.tampered.append(asked["variables"])
        if isinstance(told, tuple):
            return told[0], {"Content-Type": "application/json"}, json.dumps(told[1]).encode()
        kept = {name: value for name, value in headers.items() if name.lower() in _KEPT}
        connection = http.client.HTTPConnection(shop.hostname, shop.port)
        connection.request("POST", path, body, kept)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        content = told(content) if told else content
        passed = {
            name: answer.headers[name]
            for name in ("Content-Type", "Date")
            if name in answer.headers
        }
        return answer.status, passed, content
