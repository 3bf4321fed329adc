"""How pages are made: templates, the reader's language and time zone, and protective headers."""

from __future__ import annotations

import hashlib
import json
from functools import cache, partial
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from console.letters import has_remote_pictures
from console.markdown import message_html, to_html, to_plain
from console.numbers import decimal
from console.rooms import rooms_for, section_of, tabs_for
from console.texts import accepted_language, translate
from console.times import Times
from console.words import catalogue, classification, figures, links, sla, states, teams
from console.words.changes import change_in_words
from console.words.contents import content_in_words, reaction_in_words
from console.words.states import Translate
from core.domain.actor import Role
from core.domain.downloads import PICTURES_TO_SHOW
from core.domain.files import ending_of, plain_name
from core.domain.languages import CONSOLE_LANGUAGES, LANGUAGES
from core.services.access.access import SignedIn
from core.services.catalogue.telling import in_words

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

LANGUAGE_COOKIE = "desk_language"
ZONE_COOKIE = "desk_zone"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["markdown"] = to_html
    environment.filters["message"] = message_html
    environment.filters["plain"] = to_plain
    environment.filters["plain_name"] = plain_name
    environment.filters["ending"] = ending_of
    environment.tests["remote_pictures"] = has_remote_pictures
    environment.tests["picture"] = PICTURES_TO_SHOW.__contains__
    environment.globals.update(
        words=states,
        change_in_words=change_in_words,
        content_in_words=content_in_words,
        reaction_in_words=reaction_in_words,
        team_words=teams,
        sla=sla,
        sort_words=classification,
        ask_words=catalogue,
        value_of=in_words,
        link_words=links,
        figures=figures,
        asset=asset,
        vendor=vendor,
        Role=Role,
        LANGUAGES=LANGUAGES,
        CONSOLE_LANGUAGES=CONSOLE_LANGUAGES,
        rooms_for=rooms_for,
        section_of=section_of,
        tabs_for=tabs_for,
    )
    return environment


@cache
def _vendor_versions() -> dict[str, str]:
    package = (resources.files("console") / "package.json").read_bytes()
    versions: dict[str, str] = json.loads(package)["dependencies"]
    return versions


def vendor(name: str) -> str:
    """Return the address of a file of an npm package."""
    return f"/console/vendor/{name}?v={_vendor_versions()[name.partition('/')[0]]}"


@cache
def asset(name: str) -> str:
    """Return the address of a static file; it changes with the content, so it caches for good."""
    content = (resources.files("console") / "static" / name).read_bytes()
    return f"/console/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def signed_in_of(request: Request) -> SignedIn | None:
    """Return who is signed in, where the page asked for that."""
    found: SignedIn | None = getattr(request.state, "signed_in", None)
    return found


def language_of(request: Request) -> str:
    """Return the language to answer `request` in."""
    if (signed_in := signed_in_of(request)) is not None:
        return signed_in.agent.language
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in CONSOLE_LANGUAGES:
        return chosen
    return accepted_language(request.headers.get("accept-language"))


def translator(request: Request) -> Translate:
    """Return what puts a sentence in the reader's language."""
    return partial(translate, language_of(request))


def times_for(request: Request) -> Times:
    """Return what tells moments in the reader's language and by their clock."""
    return Times(language_of(request), request.cookies.get(ZONE_COOKIE))


def render(request: Request, template: str, **values: Any) -> str:
    """Return a template filled in for the reader of `request`."""
    language = language_of(request)
    signed_in = signed_in_of(request)
    return (
        _environment()
        .get_template(template)
        .render(
            t=partial(translate, language),
            times=times_for(request),
            decimal=partial(decimal, language),
            language=language,
            me=None if signed_in is None else signed_in.agent,
            csrf=None if signed_in is None else signed_in.csrf_token,
            path=request.url.path,
            **{"oob": False, "notice": ""} | values,
        )
    )


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page, or a part of one."""
    return HTMLResponse(render(request, template, **values), status, HEADERS)
