"""Consents: who agreed to what, on which text, and what each source needs consent for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.visit import Visit
from shouxin.entrypoints.console.visits import shows
from shouxin.governance import Permission
from shouxin.ingestion import consent
from shouxin.ingestion.consent import ConsentState, ConsentText

STATE_TONE = {"granted": "good", "withdrawn": "bad", "never_asked": ""}


@dataclass(frozen=True, slots=True)
class PurposeRow:
    """One purpose: how many references have agreed and taken back, and the text in force."""

    purpose: str
    granted: int
    withdrawn: int
    text: ConsentText | None


@dataclass(frozen=True, slots=True)
class TextRow:
    """One version of a text, and how many references hold to it; a text may be known by its name only."""

    purpose: str
    text_version: str
    text: ConsentText | None
    granted: int
    in_force: bool


@shows("/consents", needs=Permission.CUSTOMERS_READ)
def consents(visit: Visit) -> Response[Any]:
    """References counted by purpose and by text, and the policies of the sources."""
    counted = consent.counts(visit.db, as_of=visit.now)
    published = consent.texts(visit.db)
    purposes = [_purpose_row(purpose, counted, published, visit) for purpose in consent.PURPOSES]
    policies = [
        (one, name, part, need)
        for one in consent.policies(visit.db)
        for part, needs in (("kind", one.policy.kinds), ("field", one.policy.fields))
        for name, need in sorted(needs.items())
    ]
    return page(
        visit,
        "consents.html",
        here="consents",
        purposes=purposes,
        texts=_text_rows(counted, published, purposes),
        policies=policies,
        left_out=consent.left_out(visit.db),
    )


def _purpose_row(
    purpose: str, counted: list[consent.ConsentCount], published: list[ConsentText], visit: Visit
) -> PurposeRow:
    def total(state: ConsentState) -> int:
        return sum(one.references for one in counted if (one.purpose, one.state) == (purpose, state))

    own = [text for text in published if text.purpose == purpose]
    in_force = consent.text_in_force(own, as_of=visit.now)
    return PurposeRow(purpose, total(ConsentState.GRANTED), total(ConsentState.WITHDRAWN), in_force)


def _text_rows(
    counted: list[consent.ConsentCount], published: list[ConsentText], purposes: list[PurposeRow]
) -> list[TextRow]:
    """Every published version and every version that somebody agreed to, in the order of the purposes."""
    texts = {(text.purpose, text.text_version): text for text in published}
    agreed = {
        (one.purpose, one.text_version): one.references
        for one in counted
        if one.state is ConsentState.GRANTED and one.text_version is not None
    }
    in_force = {(row.purpose, row.text.text_version) for row in purposes if row.text}
    place = {purpose: number for number, purpose in enumerate(consent.PURPOSES)}
    names = sorted(texts.keys() | agreed.keys(), key=lambda name: (place[name[0]], name[1] or ""))
    return [
        TextRow(
            purpose,
            version or "",
            texts.get((purpose, version or "")),
            agreed.get((purpose, version), 0),
            (purpose, version) in in_force,
        )
        for purpose, version in names
    ]


HANDLERS: tuple[HTTPRouteHandler, ...] = (consents,)
