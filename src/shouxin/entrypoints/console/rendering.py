"""Rendering: templates, the words and formats they use, and the headers that every page carries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar import MediaType, Response
from litestar.datastructures import Cookie

from shouxin.entrypoints.console import formats
from shouxin.entrypoints.console.words import Language, own_titles, words_in, words_known
from shouxin.governance import Operator
from shouxin.kernel import Bilingual

HERE = Path(__file__).parent
STATIC = HERE / "static"
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # A set-up link is a secret: no other site learns where a reader came from.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
# Pages show customers; neither the browser's disk nor a proxy keeps them.
PAGE_HEADERS: Mapping[str, str] = {
    **SECURITY_HEADERS,
    "Cache-Control": "no-store",
    "Vary": "Cookie, HX-Request",
}
# Who acts without being an operator, by what stands where an operator's id would stand.
_NOT_PEOPLE: Mapping[str, str] = {
    "early_warning": "person.system",
    "cases": "person.system",
    "credit": "person.system",
    "system": "person.system",
    "command line": "person.command_line",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the page: the language and theme they chose, the token of their forms, where they are."""

    language: Language
    theme: str
    form_token: str
    path: str
    visitor: str | None = None  # a new cookie for somebody who has none yet


def render(template: str, reader: Reader, **context: Any) -> str:
    """The HTML of a template in the language of its reader."""
    return environment(reader.language).get_template(template).render(reader=reader, **context)


def html(
    content: str, *, status: int = 200, reader: Reader | None = None, headers: Mapping[str, str] | None = None
) -> Response[str]:
    """A page as an answer, with the headers of every page."""
    cookies = [private_cookie("shouxin_visitor", reader.visitor)] if reader and reader.visitor else []
    return Response(
        content,
        status_code=status,
        media_type=MediaType.HTML,
        headers={**PAGE_HEADERS, **(headers or {})},
        cookies=cookies,
    )


def private_cookie(key: str, value: str, *, secure: bool = False, max_age: int | None = None) -> Cookie:
    """A cookie that scripts can not read and other sites can not send."""
    return Cookie(
        key=key, value=value, httponly=True, samesite="strict", secure=secure, path="/", max_age=max_age
    )


@cache
def environment(language: Language) -> Environment:
    """The templates with the words and formats of one language; an unknown name is an error."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    word = words_in(language)

    def say(text: Bilingual) -> str:
        return text.in_language(language)

    def roles(operator: Operator) -> str:
        return " · ".join(word(f"role.{role}") for role in sorted(operator.roles))

    @pass_context
    def person(context: Context, who: str | None) -> str:
        """What an operator is called; a room that acted by itself is the system."""
        if not who:
            return word("nobody")
        people: Mapping[str, str] = context.get("people", {})
        return word(_NOT_PEOPLE[who]) if who in _NOT_PEOPLE else people.get(who, who)

    env.globals |= {"t": word, "known": words_known(language), "asset": asset, "roles": roles}
    env.filters |= {
        "say": say,
        "person": person,
        "told": lambda text: say(own_titles()[text]) if text in own_titles() else text,
        "minor": formats.minor,
        "money": formats.money,
        "money_exactly": formats.money_exactly,
        "percent": formats.percent,
        "percent_short": formats.percent_shortly,
        "count": formats.count,
        "shortly": formats.when_shortly,
        "fully": formats.when_fully,
        "day": formats.day,
    }
    return env


@cache
def asset(name: str) -> str:
    """The address of a static file, with the start of its hash: it may be cached for ever."""
    file = STATIC / name
    version = hashlib.sha256(file.read_bytes()).hexdigest()[:10] if file.exists() else "missing"
    return f"/static/{name}?v={version}"
