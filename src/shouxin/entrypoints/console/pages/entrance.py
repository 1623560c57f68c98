"""The entrance: setting up an account, signing in and out, and the reader's preferences."""

from __future__ import annotations

from typing import Any

import segno
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from markupsafe import Markup

from shouxin import governance
from shouxin.entrypoints.console.forms import field, local_path
from shouxin.entrypoints.console.frame import SESSION_COOKIE, landing, reader_of, refusal_outside
from shouxin.entrypoints.console.rendering import html, private_cookie, render
from shouxin.entrypoints.console.visit import ConsoleRequest, Refused, house_of
from shouxin.entrypoints.console.visits import FormBody, form_is_ours, redirect
from shouxin.entrypoints.console.words import LANGUAGES, words_in
from shouxin.governance import SetupRefusal, SetupSecret, SignInRefusal
from shouxin.kernel import Bilingual

_YEAR_SECONDS = 365 * 24 * 3600


@get("/sign-in", sync_to_thread=True, include_in_schema=False)
def sign_in_page(request: ConsoleRequest) -> Response[Any]:
    """The form for name, password and code."""
    return _sign_in_form(request, status=200)


@post("/sign-in", sync_to_thread=True, include_in_schema=False, status_code=200)
def sign_in(request: ConsoleRequest, data: FormBody) -> Response[Any]:
    """Let somebody in, or say no without saying which part was wrong."""
    if not form_is_ours(request, data):
        return refusal_outside(request, Refused("stale_form"))
    house = house_of(request)
    # A refusal is a value, so this commits and the failure counts towards the lock-out.
    with house.database.begin() as db:
        answer = governance.sign_in(
            db,
            house.keyring,
            name=field(data, "name"),
            password=str(data.get("password", "")),
            code=field(data, "code"),
            now=house.clock(),
        )
    if isinstance(answer, SignInRefusal):
        return _sign_in_form(request, status=422, refused=answer.text, name=field(data, "name"))
    response = redirect(landing(answer.operator))
    secure = request.url.scheme == "https"
    response.set_cookie(private_cookie(SESSION_COOKIE, answer.session_token, secure=secure))
    return response


@post("/sign-out", sync_to_thread=True, include_in_schema=False, status_code=200)
def sign_out(request: ConsoleRequest, data: FormBody) -> Response[Any]:
    """End the session on the server and forget its cookie."""
    if not form_is_ours(request, data):
        return refusal_outside(request, Refused("stale_form"))
    house = house_of(request)
    with house.database.begin() as db:
        governance.sign_out(db, request.cookies.get(SESSION_COOKIE, ""), now=house.clock())
    response = redirect("/sign-in", said="signed_out")
    response.delete_cookie(SESSION_COOKIE)
    return response


@get("/setup/{setup_token:str}", sync_to_thread=True, include_in_schema=False)
def setup_page(request: ConsoleRequest) -> Response[Any]:
    """Choose a password, scan the code, confirm it."""
    return _setup_form(request, status=200)


@post("/setup/{setup_token:str}", sync_to_thread=True, include_in_schema=False, status_code=200)
def set_up(request: ConsoleRequest, data: FormBody) -> Response[Any]:
    """Use the invitation up."""
    if not form_is_ours(request, data):
        return refusal_outside(request, Refused("stale_form"))
    house = house_of(request)
    with house.database.begin() as db:
        answer = governance.complete_setup(
            db,
            house.keyring,
            request.path_params["setup_token"],
            password=str(data.get("password", "")),
            code=field(data, "code"),
            now=house.clock(),
        )
    if isinstance(answer, SetupRefusal):
        return _setup_form(request, status=422, refused=answer.text)
    return redirect("/sign-in", said="setup")


@post("/preferences", sync_to_thread=True, include_in_schema=False, status_code=200)
def set_preferences(request: ConsoleRequest, data: FormBody) -> Response[Any]:
    """Remember the language or the theme for a year, and go back."""
    if not form_is_ours(request, data):
        return refusal_outside(request, Refused("stale_form"))
    response = redirect(local_path(field(data, "back")))
    for name, allowed in (("language", LANGUAGES), ("theme", ("light", "dark"))):
        value = field(data, name)
        if value in allowed:
            response.set_cookie(private_cookie(f"shouxin_{name}", value, max_age=_YEAR_SECONDS))
    return response


def _sign_in_form(
    request: ConsoleRequest, *, status: int, refused: Bilingual | None = None, name: str = ""
) -> Response[Any]:
    reader = reader_of(request)
    done = request.query_params.get("said", "")
    word = words_in(reader.language)
    content = render(
        "sign_in.html",
        reader,
        name=name,
        said=word(f"said.{done}") if done in {"setup", "signed_out"} else None,
        refused=refused.in_language(reader.language) if refused else None,
    )
    return html(content, status=status, reader=reader)


def _setup_form(request: ConsoleRequest, *, status: int, refused: Bilingual | None = None) -> Response[Any]:
    house, setup_token = house_of(request), request.path_params["setup_token"]
    with house.database.begin() as db:
        secret = governance.prepare_setup(db, house.keyring, setup_token, now=house.clock())
    if isinstance(secret, SetupRefusal):
        return refusal_outside(request, Refused("not_found", secret.text))
    reader = reader_of(request, default="en" if secret.operator.language == "en" else "zh")
    content = render(
        "setup.html",
        reader,
        invited=secret.operator,
        setup_token=setup_token,
        secret=_in_fours(secret.totp_secret),
        code=_qr_code(secret, title=words_in(reader.language)("setup.qr")),
        said=None,
        refused=refused.in_language(reader.language) if refused else None,
    )
    return html(content, status=status, reader=reader)


def _qr_code(secret: SetupSecret, *, title: str) -> Markup:
    """The set-up address as an inline SVG; drawn by segno from our own text, so it is markup already."""
    drawn = segno.make(secret.totp_uri, error="m", micro=False)
    return Markup(drawn.svg_inline(omitsize=True, title=title, svgclass=None, lineclass=None))  # noqa: S704


def _in_fours(secret: str) -> str:
    return " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    sign_in_page,
    sign_in,
    sign_out,
    setup_page,
    set_up,
    set_preferences,
)
