"""Reading a policy: JSON in, a Policy out, or one clear refusal with its place."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from shouxin.decisions.domain.conditions import (
    COMPARISONS,
    FEATURE_PREFIX,
    FIELDS,
    MEMBERSHIPS,
    ORDERINGS,
    PRESENCES,
    Comparison,
    Condition,
    FieldType,
    Group,
    field_type,
)
from shouxin.decisions.domain.personas import Persona, PersonaSet, persona_of
from shouxin.decisions.domain.policy import (
    ExposureBasis,
    OnUnknown,
    Outcome,
    PlanTerms,
    Policy,
    PolicyReason,
    Rule,
    UnableToReadPolicy,
    frozen,
)
from shouxin.grading.domain import Grade
from shouxin.kernel import Bilingual, Money, UnableToParseMoney, canonical_json, content_hash

_POLICY_KEYS = (
    "name", "decision_point", "currency", "exposure_basis", "min_amount", "max_amount",
    "hold_hours", "limits", "plans", "rules",
)  # fmt: skip
_RULE_KEYS = ("id", "meaning", "when", "outcome", "reason")
_RULE_EXTRAS = ("on_unknown", "explained_by_score")
_CURRENCY_LENGTH = 3
_NESTING_MAX = 8
_SCORE_PREFIX = "score."
# Personas compare no money in a currency; features are numbers.
_NO_CURRENCY = "XXX"
# A hold or a plan that outlives these is a slip of the keyboard; a calendar must be able to hold its end.
_HOLD_HOURS_MAX = 24 * 365
_DUE_DAYS_MAX = 3_650
# What neither UTF-8 nor PostgreSQL can hold, and what hides from a reader's eye.
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def parse_policy(source: bytes | str | Mapping[str, Any]) -> Policy:
    """Read a policy from JSON text or its parsed form; raises UnableToReadPolicy."""
    data = _loaded(source) if isinstance(source, bytes | str) else source
    _object(data, "", required=_POLICY_KEYS)
    currency = _currency(data["currency"], "/currency")
    plans = _plans(data["plans"], "/plans")
    smallest = _money(data["min_amount"], "/min_amount", currency)
    largest = _money(data["max_amount"], "/max_amount", currency)
    if not 0 < smallest <= largest:
        raise UnableToReadPolicy("/min_amount", "must be above zero and not above max_amount")
    return Policy(
        name=_text(data["name"], "/name"),
        decision_point=_text(data["decision_point"], "/decision_point"),
        currency=currency,
        exposure_basis=_choice(data["exposure_basis"], "/exposure_basis", ExposureBasis),
        min_minor=smallest,
        max_minor=largest,
        hold_hours=_positive(data["hold_hours"], "/hold_hours", most=_HOLD_HOURS_MAX),
        limits=frozen(_limits(data["limits"], "/limits", currency)),
        plans=frozen(plans),
        rules=_rules(data["rules"], "/rules", currency),
        # Last, when every text is known to be one: half a letter has no spelling.
        policy_hash=content_hash(data),
        body=canonical_json(data),
    )


def features_read(policy: Policy) -> frozenset[str]:
    """The features that the rules of a policy read."""
    return _features_of(rule.when for rule in policy.rules)


def features_of_personas(personas: PersonaSet) -> frozenset[str]:
    """The features that the conditions of personas read."""
    return _features_of(persona.when for persona in personas.personas)


def _features_of(conditions: Iterable[Condition]) -> frozenset[str]:
    names = [name for condition in conditions for name in _fields(condition)]
    return frozenset(name.removeprefix(FEATURE_PREFIX) for name in names if name.startswith(FEATURE_PREFIX))


def check_features(policy: Policy, known: Collection[str]) -> None:
    """Raise UnableToReadPolicy when a rule reads a feature that is not in the catalogue.

    Apart from reading, because a version that once decided is still read after a feature left.
    """
    for index, rule in enumerate(policy.rules):
        _check_features_of(rule.when, known, f"/rules/{index}/when")


def _check_features_of(when: Condition, known: Collection[str], pointer: str) -> None:
    for name in _fields(when):
        feature = name.removeprefix(FEATURE_PREFIX)
        if feature != name and feature not in known:
            near = difflib.get_close_matches(feature, known, n=3)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise UnableToReadPolicy(pointer, f"there is no feature {feature!r}{hint}")


def parse_personas(source: bytes | str, *, features: Collection[str]) -> PersonaSet:
    """Read personas from JSON: a list of ``code, name, meaning, when``; raises UnableToReadPolicy.

    A condition reads ``features`` (those there are), the score and the grade: what is known of a
    customer without an order.
    """
    data = _loaded('{"personas": ' + (source if isinstance(source, str) else source.decode()) + "}")
    items = _list(data["personas"], "")
    personas = tuple(_persona(item, f"/{index}", features) for index, item in enumerate(items))
    codes = [persona.code for persona in personas]
    if repeated := {code for code in codes if codes.count(code) > 1}:
        raise UnableToReadPolicy("", f"{', '.join(sorted(repeated))!r} stands twice; choose another code")
    return PersonaSet(personas, content_hash(items), items)


def _persona(data: Any, pointer: str, features: Collection[str]) -> Persona:
    _object(data, pointer, required=("code", "name", "meaning", "when"))
    when = _group(data["when"], f"{pointer}/when", "all", _NO_CURRENCY)
    for name in _fields(when):
        if not name.startswith((FEATURE_PREFIX, _SCORE_PREFIX)):
            raise UnableToReadPolicy(f"{pointer}/when", f"{name!r} belongs to an order, not to a customer")
    _check_features_of(when, features, f"{pointer}/when")
    return persona_of(
        _text(data["code"], f"{pointer}/code"),
        _bilingual(data["name"], f"{pointer}/name"),
        _bilingual(data["meaning"], f"{pointer}/meaning"),
        when,
    )


def _fields(condition: Condition) -> list[str]:
    if isinstance(condition, Group):
        return [name for part in condition.conditions for name in _fields(part)]
    return [condition.field, *([condition.other] if condition.other else [])]


def _loaded(source: bytes | str) -> Mapping[str, Any]:
    try:
        data = json.loads(source, object_pairs_hook=_named_once, parse_constant=_not_a_number)
    except RecursionError:
        raise UnableToReadPolicy("", "is nested too deep to be read") from None
    except UnableToReadPolicy:
        raise
    except ValueError as error:
        raise UnableToReadPolicy("", f"not JSON: {error}") from None
    if not isinstance(data, dict):
        raise UnableToReadPolicy("", "a policy is a JSON object")
    return data


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object. Of two with one name a person reads the first and a program the last."""
    names = [name for name, _ in pairs]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise UnableToReadPolicy("", f"names {', '.join(sorted(repeated))!r} twice in one object")
    return dict(pairs)


def _not_a_number(text: str) -> Any:
    raise ValueError(f"{text} is not a number of JSON")


def _rules(data: Any, pointer: str, currency: str) -> tuple[Rule, ...]:
    rules = tuple(
        _rule(item, f"{pointer}/{index}", currency) for index, item in enumerate(_list(data, pointer))
    )
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.rule_id in seen or rule.rule_id.startswith("house."):
            raise UnableToReadPolicy(f"{pointer}/{index}/id", f"{rule.rule_id!r} is taken; choose another id")
        seen.add(rule.rule_id)
    return rules


def _rule(data: Any, pointer: str, currency: str) -> Rule:
    _object(data, pointer, required=_RULE_KEYS, optional=_RULE_EXTRAS)
    outcome = _choice(data["outcome"], f"{pointer}/outcome", Outcome)
    if outcome is Outcome.APPROVE:
        raise UnableToReadPolicy(
            f"{pointer}/outcome", "no rule approves; approval is what is left when no rule applies"
        )
    reason = _object(data["reason"], f"{pointer}/reason", required=("code", "zh", "en"))
    explained = data.get("explained_by_score", False)
    if not isinstance(explained, bool):
        raise UnableToReadPolicy(f"{pointer}/explained_by_score", "must be true or false")
    return Rule(
        rule_id=_text(data["id"], f"{pointer}/id"),
        meaning=_bilingual(data["meaning"], f"{pointer}/meaning"),
        when=_group(data["when"], f"{pointer}/when", "all", currency),
        outcome=outcome,
        reason=PolicyReason(
            _text(reason["code"], f"{pointer}/reason/code"),
            _bilingual({"zh": reason["zh"], "en": reason["en"]}, f"{pointer}/reason"),
        ),
        on_unknown=_choice(data.get("on_unknown", "review"), f"{pointer}/on_unknown", OnUnknown),
        explained_by_score=explained,
    )


def _group(data: Any, pointer: str, quantifier: str, currency: str) -> Group:
    items = _list(data, pointer)
    return Group(quantifier, tuple(_condition(c, f"{pointer}/{i}", currency) for i, c in enumerate(items)))


def _condition(data: Any, pointer: str, currency: str) -> Condition:
    if pointer.count("/") > len(("rules", "0", "when", "0")) + 2 * _NESTING_MAX:
        raise UnableToReadPolicy(pointer, f"is nested too deep; {_NESTING_MAX} levels are enough for anybody")
    if isinstance(data, dict) and len(data) == 1 and (quantifier := next(iter(data))) in {"all", "any"}:
        return _group(data[quantifier], f"{pointer}/{quantifier}", quantifier, currency)
    _object(data, pointer, required=("field", "op"), optional=("value", "other"))
    name = _field(data["field"], f"{pointer}/field")
    kind = field_type(name)
    assert kind is not None
    op = _op(data["op"], f"{pointer}/op", kind)
    given = [key for key in ("value", "other") if key in data]
    if op in PRESENCES:
        if given:
            raise UnableToReadPolicy(f"{pointer}/{given[0]}", f"{op} compares with nothing; leave it out")
        return Comparison(name, op)
    if len(given) != 1:
        raise UnableToReadPolicy(pointer, "give either a value or the name of another fact in `other`")
    if given == ["other"]:
        return Comparison(name, op, other=_other(data["other"], f"{pointer}/other", kind, op))
    return Comparison(name, op, value=_operand(data["value"], f"{pointer}/value", kind, op, currency))


def _field(value: Any, pointer: str) -> str:
    name = _text(value, pointer)
    if field_type(name) is None:
        near = difflib.get_close_matches(name, FIELDS, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UnableToReadPolicy(pointer, f"there is no fact {name!r}{hint}")
    return name


def _op(value: Any, pointer: str, kind: FieldType) -> str:
    op = _text(value, pointer)
    known = [*COMPARISONS, *sorted(PRESENCES)]
    if op not in known:
        raise UnableToReadPolicy(pointer, f"{op!r} is not one of {', '.join(known)}")
    if op in ORDERINGS and kind in {FieldType.TEXT, FieldType.GRADE, FieldType.FLAG}:
        raise UnableToReadPolicy(pointer, f"a {kind} has no order; use == or in")
    return op


def _other(value: Any, pointer: str, kind: FieldType, op: str) -> str:
    name = _field(value, pointer)
    if field_type(name) is not kind or op in MEMBERSHIPS:
        raise UnableToReadPolicy(pointer, f"must name a single fact that is {kind} too")
    return name


def _operand(value: Any, pointer: str, kind: FieldType, op: str, currency: str) -> Any:
    if op in MEMBERSHIPS:
        items = _list(value, pointer)
        return tuple(_literal(item, f"{pointer}/{i}", kind, currency) for i, item in enumerate(items))
    return _literal(value, pointer, kind, currency)


def _literal(value: Any, pointer: str, kind: FieldType, currency: str) -> Any:
    if kind is FieldType.MONEY:
        return _money(value, pointer, currency)
    if kind is FieldType.TEXT:
        return _text(value, pointer)
    if kind is FieldType.GRADE:
        return _grade(value, pointer)
    if kind is FieldType.FLAG:
        if not isinstance(value, bool):
            raise UnableToReadPolicy(pointer, "must be true or false")
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or (isinstance(value, float) and not math.isfinite(value)):
        raise UnableToReadPolicy(pointer, "must be a number")
    return value


def _limits(data: Any, pointer: str, currency: str) -> dict[str, int]:
    limits = _object(data, pointer)
    return {
        _grade(grade, f"{pointer}/{grade}"): _money(value, f"{pointer}/{grade}", currency)
        for grade, value in limits.items()
    }


def _plans(data: Any, pointer: str) -> dict[str, PlanTerms]:
    plans = {name: _plan(name, item, f"{pointer}/{name}") for name, item in _object(data, pointer).items()}
    if not plans:
        raise UnableToReadPolicy(pointer, "must offer at least one plan")
    return plans


def _plan(name: str, data: Any, pointer: str) -> PlanTerms:
    _text(name, pointer)
    _object(data, pointer, required=("meaning", "due_days", "grades"))
    days = tuple(
        _positive(day, f"{pointer}/due_days/{index}", most=_DUE_DAYS_MAX)
        for index, day in enumerate(_list(data["due_days"], f"{pointer}/due_days"))
    )
    if list(days) != sorted(set(days)):
        raise UnableToReadPolicy(
            f"{pointer}/due_days", "must rise: each instalment is due after the one before"
        )
    grades = [_grade(grade, f"{pointer}/grades") for grade in _list(data["grades"], f"{pointer}/grades")]
    return PlanTerms(name, _bilingual(data["meaning"], f"{pointer}/meaning"), days, frozenset(grades))


def _object(
    data: Any, pointer: str, *, required: Sequence[str] = (), optional: Sequence[str] = ()
) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise UnableToReadPolicy(pointer, "must be a JSON object")
    for key in required:
        if key not in data:
            raise UnableToReadPolicy(f"{pointer}/{key}", "is missing")
    if required:
        for key in data:
            if key not in required and key not in optional:
                raise UnableToReadPolicy(f"{pointer}/{key}", "is not known here; take it out")
    return data


def _list(data: Any, pointer: str) -> Sequence[Any]:
    if not isinstance(data, list | tuple) or not data:
        raise UnableToReadPolicy(pointer, "must be a list that is not empty")
    return data


def _text(value: Any, pointer: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UnableToReadPolicy(pointer, "must be a text that is not empty")
    if _UNREADABLE.search(value):
        raise UnableToReadPolicy(pointer, "must be a text without control characters")
    return value


def _grade(value: Any, pointer: str) -> str:
    # A grade that does not exist would never match, and nobody would notice.
    return str(_choice(value, pointer, Grade))


def _bilingual(value: Any, pointer: str) -> Bilingual:
    texts = _object(value, pointer, required=("zh", "en"))
    return Bilingual(_text(texts["zh"], f"{pointer}/zh"), _text(texts["en"], f"{pointer}/en"))


def _positive(value: Any, pointer: str, *, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise UnableToReadPolicy(pointer, "must be a whole number above zero")
    if value > most:
        raise UnableToReadPolicy(pointer, f"must be at most {most}")
    return value


def _currency(value: Any, pointer: str) -> str:
    if not (
        isinstance(value, str) and len(value) == _CURRENCY_LENGTH and value.isascii() and value.isupper()
    ):
        raise UnableToReadPolicy(pointer, "must be an ISO 4217 code such as CNY")
    return value


def _money(value: Any, pointer: str, currency: str) -> int:
    try:
        amount = Money.parse(_text(value, pointer), currency)
    except UnableToParseMoney as error:
        raise UnableToReadPolicy(pointer, str(error)) from None
    if amount.minor < 0:
        raise UnableToReadPolicy(pointer, "must not be negative")
    return amount.minor


def _choice(value: Any, pointer: str, choices: Any) -> Any:
    try:
        return choices(value)
    except ValueError:
        raise UnableToReadPolicy(
            pointer, f"{value!r} is not one of {', '.join(str(choice) for choice in choices)}"
        ) from None
