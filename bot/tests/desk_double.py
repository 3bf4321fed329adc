"""A small server on loopback that speaks the desk's search and catalogue as the desk does."""

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


def _field(name: str, kind: str, en: str, es: str, **more: Any) -> Row:
    return {
        "id": name,
        "kind": kind,
        "label": en,
        "labels": {"es": es},
        "choices": [],
        "choice_labels": {},
        "required": True,
        **more,
    }


def item(name: str, en: str, es: str, *fields: Row) -> Row:
    return {"id": name, "name": en, "names": {"es": es}, "archived": False, "fields": list(fields)}


LAPTOP = item(
    "laptop",
    "New laptop",
    "Portátil nuevo",
    _field(
        "model", "choice", "Model", "Modelo",
        choices=["Light", "Powerful"], choice_labels={"es": ["Ligero", "Potente"]},
    ),
    _field("day", "date", "Needed by", "Para el"),
    _field("count", "number", "How many", "Cuántos"),
    _field("bag", "yes_no", "With a bag", "Con bolsa"),
    _field("why", "text", "Why", "Para qué", required=False),
)  # fmt: skip
LENT = item("lent", "Laptop to borrow", "Portátil prestado")
LICENCE = item("licence", "Software licence", "Licencia de software")
CATALOGUE: Mapping[str, Sequence[Row]] = {
    "new laptop": [LAPTOP],
    "portatil nuevo": [LAPTOP],
    "laptop": [LAPTOP, LENT],
    "licence": [LICENCE],
    "licencia": [LICENCE],
}
"""What the desk finds for words: the first of which a wish has all."""


@dataclass
class KnowledgeServer:
    """What the server answers with, and what it was asked."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)  # taken one a request; empty: 200
    asked: list[dict[str, str]] = field(default_factory=list)
    was_asked: Event = field(default_factory=Event)
    raw: bytes | None = None  # sent as it is, instead of rows

    def answer(self, query: str) -> bytes:
        return json.dumps(_first(ARTICLES, query)).encode() if self.raw is None else self.raw

    def catalogue(self, name: str, query: str | None) -> bytes | None:
        """Return what the catalogue answers: one item, those that `query` names, or all."""
        items = [LAPTOP, LENT, LICENCE]
        if name:
            found = [one for one in items if one["id"] == name]
            return json.dumps(found[0]).encode() if found else None
        chosen: Sequence[Row] = items if query is None else _first(CATALOGUE, query)
        return json.dumps({"items": chosen, "next": None}).encode()


def _first(shelf: Mapping[str, Sequence[Row]], query: str) -> Sequence[Row]:
    plain = query.lower().translate(str.maketrans("ñáéíóú", "naeiou"))
    found = (rows for words, rows in shelf.items() if all(w in plain for w in words.split()))
    return next(found, ())


@contextmanager
def knowledge_server(port: int = 0) -> Iterator[KnowledgeServer]:
    desk = KnowledgeServer()

    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            target = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(target.query).items()}
            authorised = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            is_catalogue = target.path.startswith("/api/v1/catalogue")
            if not authorised or not (is_catalogue or target.path == "/api/v1/knowledge/search"):
                self._send(404 if authorised else 401, b"{}")
                return
            if is_catalogue:
                name = target.path.removeprefix("/api/v1/catalogue").strip("/")
                body = desk.catalogue(name, query.get("q"))
                self._send(404 if body is None else 200, body or b"{}")
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
