"""A small server on loopback that speaks the desk's knowledge search as the desk does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-for-tests"
CUT = 0  # instead of a status: the connection ends without an answer

Row = Mapping[str, Any]


def rows(outcome: str, *article_ids: str) -> list[Row]:
    return [
        {
            "article_id": article_id,
            "title": article_id.replace("-", " ").capitalize(),
            "score": round(0.9 - 0.1 * place, 2),
            "outcome": outcome,
        }
        for place, article_id in enumerate(article_ids)
    ]


# The first whose words a question has all of.
ARTICLES: Mapping[str, Sequence[Row]] = {
    "vpn phone": rows("answer", "vpn-phone", "vpn-connect"),
    "vpn movil": rows("answer", "vpn-movil", "vpn-connect"),
    "keyboard spanish": rows("answer", "keyboard-spanish"),
    "keyboard": rows("answer", "keyboard-layout"),
    "vpn": rows("answer", "vpn-connect", "vpn-slow", "wifi-join"),
    "password": rows("answer", "password-reset"),
    "contrasena": rows("answer", "contrasena-restablecer", "cuenta-bloqueada"),
    "printer": rows("offer", "printer-add", "printer-offline", "printer-jam"),
    "escaner": rows("answer", "escaner-instalar"),
    "scanner": rows("answer", "scanner-set-up"),
    "impresora": rows("offer", "impresora-instalar", "impresora-atasco"),
}


@dataclass
class KnowledgeServer:
    """What the server answers with, and what it was asked."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)  # taken one a request; empty: 200
    asked: list[dict[str, str]] = field(default_factory=list)
    was_asked: Event = field(default_factory=Event)
    raw: bytes | None = None  # sent as it is, instead of rows

    def answer(self, query: str) -> bytes:
        if self.raw is not None:
            return self.raw
        plain = query.lower().translate(str.maketrans("ñáéíóú", "naeiou"))
        found: Sequence[Row] = next(
            (rows for words, rows in ARTICLES.items() if all(w in plain for w in words.split())), ()
        )
        return json.dumps(found).encode()


@contextmanager
def knowledge_server(port: int = 0) -> Iterator[KnowledgeServer]:
    desk = KnowledgeServer()

    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            target = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(target.query).items()}
            authorised = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            if target.path != "/api/v1/knowledge/search" or not authorised:
                self._send(404 if authorised else 401, b"{}")
                return
            desk.asked.append(query)
            desk.was_asked.set()
            status = desk.statuses.pop(0) if desk.statuses else 200
            if status == CUT:
                self.close_connection = True
                return
            self._send(status, desk.answer(query["q"]) if status == 200 else b"{}")

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Requests) as server:
        server.daemon_threads = True
        desk.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield desk
        finally:
            server.shutdown()
            thread.join()
