"""Wording: a decoder's complaint as field and reason, and free text without ways to reach a person."""

from __future__ import annotations

import re

import msgspec

from shouxin.ingestion.domain.receipts import Refusal

_COMPLAINT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<at>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>.*)`")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")
# Seven digits or more in a row (spaces and hyphens between them allowed), or an e-mail address.
_CONTACT = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+|\+?\d(?:[ -]?\d){6,}")


def refusal_of_decoder(error: Exception, *, prefix: str = "") -> Refusal:
    """Field and reason of an error of msgspec; ``prefix`` is where the decoded text stood."""
    if not isinstance(error, msgspec.ValidationError):
        return Refusal(prefix, "not valid JSON")
    match = _COMPLAINT.match(str(error))
    assert match is not None, "the pattern matches any text"
    what, path = match["what"], [prefix] if prefix else []
    path += [part for part in re.split(r"[.\[\]]+", (match["at"] or "$")[1:]) if part]
    unknown, missing = _UNKNOWN.fullmatch(what), _MISSING.fullmatch(what)
    if unknown:
        # The name came from outside; one that is not a plain word may be a value in the wrong place.
        name = unknown["field"] if _PLAIN_NAME.fullmatch(unknown["field"]) else "?"
        return Refusal("/".join([*path, name]), "unknown field")
    if missing:
        return Refusal("/".join([*path, missing["field"]]), "missing")
    if what.startswith("Invalid enum value"):
        return Refusal("/".join(path), "not one of the allowed values")
    return Refusal("/".join(path), what.replace("`", "").replace("Expected", "expected"))


def without_contacts(text: str) -> str:
    """Free text with telephone-like numbers and e-mail addresses masked: people write them in reviews."""
    return _CONTACT.sub("[…]", text)
