"""A definition of a sequence compiled to DuckDB SQL. Pure: each function returns text and runs nothing.

Text is built from our own definitions only; what comes from outside is a bound parameter.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from shouxin.features.compiler import DUCKDB, linked_select
from shouxin.features.compiler.terms import column, named
from shouxin.features.sequences.domain.definition import (
    AGE_DAYS_MAX,
    DEVICE_FIELD,
    DEVICES,
    FIRST,
    KNOWN,
    NEW,
    NONE,
    SAME,
    OutcomeRule,
    SequenceDefinition,
)
from shouxin.features.sequences.domain.layout import ALPHABET, BASE

_MICROS_PER_SECOND, _MICROS_PER_DAY = 1_000_000, 86_400_000_000
_KNOWN_AT = "occurred_us <= $as_of AND received_us <= $as_of"
# In which order events stand, as ``domain.encoding`` has it.
_ORDER = "occurred_us, received_us, kind, source, source_id"
_WITHIN = "PARTITION BY customer_id"


def sequences_sql(definition: SequenceDefinition, *, withdrawn: Collection[str]) -> str:
    """``customer_id, sequence`` of each customer of the table ``wanted``, as known at ``$as_of``.

    Reads the tables ``history``, ``link`` and ``withdrawn``; ``withdrawn`` are the purposes in it.
    """
    told = (
        f"SELECT customer_id, {_ORDER}, order_ref, amount_minor, payload,"
        f" {_device('payload')} AS device FROM ({_linked()})"
        f" WHERE {_KNOWN_AT} AND kind IN ({_texts(definition.kinds)})"
        f" AND customer_id IN (SELECT customer_id FROM wanted){_barred(definition, withdrawn)}"
    )
    return (
        f"WITH told AS ({told}), placed AS ({_placed(definition, withdrawn)}),"
        f" latest AS (SELECT * FROM placed WHERE back <= {definition.length}),"
        f" joined AS (SELECT customer_id, string_agg({_letters(definition)}, '' ORDER BY back DESC) AS events"
        " FROM latest GROUP BY customer_id)"
        f" SELECT wanted.customer_id, {_text(definition.layout.prefix)} || coalesce(events, '') AS sequence"
        " FROM wanted LEFT JOIN joined USING (customer_id) ORDER BY wanted.customer_id"
    )


def _linked() -> str:
    """Every event with its customer and what a sequence reads of it."""
    carried = ("source", "source_id", "order_ref", "amount_minor", "payload")
    return DUCKDB.sql(linked_select(DUCKDB, [named(column(name, "history"), name) for name in carried]))


def _placed(definition: SequenceDefinition, withdrawn: Collection[str]) -> str:
    """Every event with what depends on those before it; ``back`` counts from the latest, from 1."""
    device = _device_number(definition, withdrawn)
    return (
        f"SELECT *, lag(occurred_us) OVER ({_WITHIN} ORDER BY {_ORDER}) AS before_us,"
        f" row_number() OVER ({_WITHIN} ORDER BY occurred_us DESC, received_us DESC, kind DESC, source DESC,"
        f" source_id DESC) AS back, {device} AS device_number FROM told"
    )


def _device_number(definition: SequenceDefinition, withdrawn: Collection[str]) -> str:
    latest = f"lag(device IGNORE NULLS) OVER ({_WITHIN} ORDER BY {_ORDER})"
    count = f"row_number() OVER ({_WITHIN}, device ORDER BY {_ORDER})"
    numbered = (
        f"CASE WHEN device IS NULL THEN {DEVICES.index(NONE)}"
        f" WHEN {latest} IS NULL THEN {DEVICES.index(FIRST)}"
        f" WHEN {latest} = device THEN {DEVICES.index(SAME)} WHEN {count} = 1 THEN {DEVICES.index(NEW)}"
        f" ELSE {DEVICES.index(KNOWN)} END"
    )
    needed = sorted(definition.device_purposes & set(withdrawn))
    if not needed:
        return numbered
    barred = f"customer_id IN (SELECT customer_id FROM withdrawn WHERE purpose IN ({_texts(needed)}))"
    return f"CASE WHEN {barred} THEN {DEVICES.index(NONE)} ELSE {numbered} END"


def _barred(definition: SequenceDefinition, withdrawn: Collection[str]) -> str:
    """What keeps out the kinds that need a purpose of ``withdrawn``, for whoever took it back."""
    parts = []
    for purpose in sorted(withdrawn):
        kinds = [kind for kind in definition.kinds if purpose in definition.purposes[kind]]
        if kinds:
            parts.append(
                f" AND NOT (kind IN ({_texts(kinds)}) AND customer_id IN"
                f" (SELECT customer_id FROM withdrawn WHERE purpose = {_text(purpose)}))"
            )
    return "".join(parts)


def _letters(definition: SequenceDefinition) -> str:
    """The letters of one event."""
    gap = f"(occurred_us - before_us) // {_MICROS_PER_SECOND}"
    numbers = (
        _place_of("kind", definition.kinds, first=0),
        f"CASE WHEN before_us IS NULL THEN 0 ELSE 1 + {_bin(gap, definition.gap_edges)} END",
        f"least(($as_of - occurred_us) // {_MICROS_PER_DAY}, {AGE_DAYS_MAX})",
        f"date_part('hour', make_timestamptz(occurred_us) AT TIME ZONE {_text(definition.zone)})",
        _word(definition, "category", definition.categories),
        f"CASE WHEN amount_minor IS NULL THEN 0 ELSE 1 + {_bin('amount_minor', definition.amount_edges)} END",
        "device_number",
        _word(definition, "method", definition.methods),
        _outcome(definition),
    )
    spelt = []
    for field, number in zip(definition.layout.fields, numbers, strict=True):
        for power in reversed(range(field.letters)):
            letter = f"(({number}) // {BASE**power}) % {BASE}" if field.letters > 1 else f"({number})"
            spelt.append(f"substr('{ALPHABET}', ({letter})::INTEGER + 1, 1)")
    return " || ".join(spelt)


def _bin(number: str, edges: Sequence[int]) -> str:
    cases = " ".join(f"WHEN {number} < {edge} THEN {place}" for place, edge in enumerate(edges))
    return f"(CASE {cases} ELSE {len(edges)} END)"


def _place_of(column: str, words: Sequence[str], *, first: int) -> str:
    cases = " ".join(f"WHEN {_text(word)} THEN {place}" for place, word in enumerate(words, first))
    return f"CASE {column} {cases} ELSE {first + len(words)} END"


def _word(definition: SequenceDefinition, field: str, known: Sequence[str]) -> str:
    cases = []
    for where, what in definition.fields:
        kind, _, name = where.partition(".")
        if what == field:
            value = _string("payload", name)
            cases.append(
                f"WHEN kind = {_text(kind)} AND {value} IS NOT NULL THEN {_place_of(value, known, first=1)}"
            )
    return f"CASE {' '.join(cases)} ELSE 0 END" if cases else "0"


def _outcome(definition: SequenceDefinition) -> str:
    cases = " ".join(
        f"WHEN kind = {_text(rule.kind)} AND {_says(rule)}"
        f" THEN {1 + definition.outcome_names.index(rule.outcome)}"
        for rule in definition.outcomes
    )
    return f"CASE {cases} ELSE 0 END" if cases else "0"


def _says(rule: OutcomeRule) -> str:
    if isinstance(rule.says, str):
        return f"{_string('payload', rule.field)} = {_text(rule.says)}"
    value = f"payload ->> {_text('$.' + rule.field)}"
    number = f"json_type(payload, {_text('$.' + rule.field)}) IN ('UBIGINT', 'BIGINT', 'HUGEINT', 'DOUBLE')"
    return f"({number} AND try_cast(({value}) AS DOUBLE) >= {rule.says})"


def _device(column: str) -> str:
    return _string(column, DEVICE_FIELD)


def _string(column: str, name: str) -> str:
    """The field where it is a text, as the reading in Python has it."""
    path = _text("$." + name)
    return f"CASE WHEN json_type({column}, {path}) = 'VARCHAR' THEN {column} ->> {path} END"


def _texts(values: Sequence[str]) -> str:
    return ", ".join(map(_text, values))


def _text(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"'{quoted}'"
