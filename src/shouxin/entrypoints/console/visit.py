"""A visit: one request of one operator, and the ways in which it may be refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from litestar import Request
from sqlalchemy import Connection

from shouxin import governance
from shouxin.entrypoints.console.forms import Form, clean, field
from shouxin.entrypoints.console.rendering import Reader
from shouxin.entrypoints.console.words import words_in
from shouxin.entrypoints.house import House
from shouxin.governance import Operator, Permission, may
from shouxin.kernel import Bilingual

ConsoleRequest = Request[Any, Any, Any]
PER_PAGE = 50
_PAGE_MAX = 10_000
_NUMBER_MAX = 10**15


class Refused(Exception):
    """Nothing was done: ``why`` is not_found, forbidden, stale_form or not_usable (a key of the words)."""

    def __init__(self, why: str, text: Bilingual | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.text = text


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of one operator, inside its transaction."""

    request: ConsoleRequest
    house: House
    db: Connection
    operator: Operator
    reader: Reader
    now: datetime
    form: Form

    def asked(self, name: str) -> str:
        """A value from the address, trimmed; '' when absent."""
        return clean(str(self.request.query_params.get(name, "")))

    def page_number(self) -> int:
        """Which page of a list is asked for; 1 unless it is a sensible number."""
        text = self.asked("page")
        return min(max(int(text), 1), _PAGE_MAX) if text.isdecimal() and len(text) < 9 else 1

    def place(self, name: str) -> str:
        """A part of the path."""
        return clean(str(self.request.path_params[name]))

    def number(self, name: str) -> int:
        """A number in the path; one that no row could have is not found."""
        value = int(self.request.path_params[name])
        if not 0 <= value < _NUMBER_MAX:
            raise Refused("not_found")
        return value

    def sent(self, name: str) -> str:
        """A field of the form."""
        return field(self.form, name)

    def may(self, permission: Permission) -> bool:
        """Whether this operator is permitted."""
        return may(self.operator, permission)

    @property
    def by_htmx(self) -> bool:
        """Whether a part of a page is asked for rather than a page."""
        return self.request.headers.get("HX-Request") == "true"

    def word(self, key: str, **values: Any) -> str:
        """A word in the language of the reader."""
        return words_in(self.reader.language)(key, **values)

    def audit(self, action: str, subject: str, **detail: Any) -> None:
        """Write what was done into the chain, in this transaction."""
        governance.record_audit(
            self.db,
            actor=self.operator.operator_id,
            action=action,
            subject=subject,
            detail=detail,
            now=self.now,
        )


def house_of(request: ConsoleRequest) -> House:
    """The open house that the application was made with."""
    house: House = request.app.state.house
    return house


def address(path: str, values: Mapping[str, str | None]) -> str:
    """``path`` with the values that are set as its query."""
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{path}?{query}" if query else path
