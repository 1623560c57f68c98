"""Visits: every request of somebody signed in goes through here, once.

One transaction a request. In this order: the form is ours, somebody is signed in, they are permitted;
only then does a page or an action run. What it refuses is rolled back and shown on a page that says why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, cast

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body
from litestar.response import Redirect

from shouxin import governance
from shouxin.entrypoints.console.forms import Form, field, token_fits
from shouxin.entrypoints.console.frame import (
    SESSION_COOKIE,
    form_basis,
    reader_of,
    refusal_outside,
    refusal_page,
)
from shouxin.entrypoints.console.rendering import PAGE_HEADERS, html
from shouxin.entrypoints.console.visit import ConsoleRequest, Refused, Visit, house_of
from shouxin.entrypoints.console.words import Language
from shouxin.governance import Permission, may

FormBody = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
Answer = Callable[[Visit], Response[Any]]


def shows(path: str, *, needs: Permission | None) -> Callable[[Answer], HTTPRouteHandler]:
    """A page at ``path`` for operators with the permission (None: for everybody signed in)."""

    def register(answer: Answer) -> HTTPRouteHandler:
        def page(request: ConsoleRequest) -> Response[Any]:
            return serve(request, answer, needs=needs)

        page.__name__, page.__doc__ = answer.__name__, answer.__doc__
        return get(path, sync_to_thread=True, include_in_schema=False)(page)

    return register


def does(path: str, *, needs: Permission | None) -> Callable[[Answer], HTTPRouteHandler]:
    """An action at ``path`` for operators with the permission; its form must be ours."""

    def register(answer: Answer) -> HTTPRouteHandler:
        def action(request: ConsoleRequest, data: FormBody) -> Response[Any]:
            return serve(request, answer, needs=needs, form=data)

        action.__name__, action.__doc__ = answer.__name__, answer.__doc__
        return post(path, sync_to_thread=True, include_in_schema=False, status_code=200)(action)

    return register


def serve(
    request: ConsoleRequest, answer: Answer, *, needs: Permission | None, form: Form | None = None
) -> Response[Any]:
    """Let ``answer`` speak inside one transaction, or say why not."""
    if form is not None and not form_is_ours(request, form):
        return refusal_outside(request, Refused("stale_form"))
    try:
        return _visit(request, answer, needs=needs, form=form or {})
    except Refused as refused:
        # The transaction is rolled back; the page that says so needs one of its own.
        why = refused
    return _visit(request, lambda visit: refusal_page(visit, why), needs=None, form={})


def _visit(request: ConsoleRequest, answer: Answer, *, needs: Permission | None, form: Form) -> Response[Any]:
    house = house_of(request)
    now = house.clock()
    token = request.cookies.get(SESSION_COOKIE, "")
    with house.database.begin() as db:
        session = governance.find_session(db, token, now=now) if token else None
        if session is None:
            return _to_sign_in(request)
        if needs is not None and not may(session.operator, needs):
            raise Refused("forbidden")
        reader = reader_of(request, default=cast(Language, session.operator.language))
        return answer(Visit(request, house, db, session.operator, reader, now, form))


def form_is_ours(request: ConsoleRequest, form: Form) -> bool:
    """Whether this form came from a page of ours in the same browser; other sites are turned away first."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return False
    token = field(form, "form_token") or request.headers.get("X-Form-Token", "")
    return token_fits(form_basis(request), token)


def _to_sign_in(request: ConsoleRequest) -> Response[Any]:
    if request.headers.get("HX-Request") == "true":
        return html("", status=401, headers={"HX-Redirect": "/sign-in"})
    return redirect("/sign-in")


def redirect(path: str, *, said: str | None = None) -> Response[Any]:
    """After an action: go and look at ``path``, where ``said`` (a key of the words) is shown once."""
    joint = "&" if "?" in path else "?"
    return Redirect(
        f"{path}{joint}said={said}" if said else path, status_code=303, headers=dict(PAGE_HEADERS)
    )
