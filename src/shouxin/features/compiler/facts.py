"""From the events of a history to typed facts of customers: who, when, and the fields that are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from shouxin.features.compiler.dialects import Dialect
from shouxin.features.compiler.terms import (
    Term,
    absent,
    at_most,
    bigint,
    both,
    called,
    chosen,
    column,
    either,
    equals,
    named,
    one_of,
    or_else,
    present,
    real,
    text,
    times,
    whole,
)
from shouxin.features.domain import THOUSANDTHS_DIGITS, Aggregate, Field, Origin, kinds_of
from shouxin.features.domain.fields import BY_THE_CLOCK, NUMBER_MAX, THOUSAND
from shouxin.ingestion.consent.domain import WITHDRAWN, WORD_KINDS
from shouxin.kernel import OWN_SOURCE
from shouxin.kernel.money import exponent

# The currencies of ISO 4217 that shops use and that do not have two decimals.
_NOT_CENTS = ("JPY", "KRW", "VND", "CLP", "KWD", "BHD", "OMR", "TND", "JOD")
_CENTS_SCALE = 10 ** (THOUSANDTHS_DIGITS - 2)


def known(dialect: Dialect) -> Term:
    """Whether a fact had happened and had been learnt by ``as_of``; law."""
    as_of = dialect.given("as_of")
    return both(at_most(column("occurred_us"), as_of), at_most(column("received_us"), as_of.copy()))


def of_kinds(kinds: Sequence[str]) -> Term:
    """Whether a fact is of one of some kinds."""
    return one_of(column("kind"), [text(kind) for kind in kinds])


def linked_select(dialect: Dialect, columns: Sequence[Term]) -> exp.Select:
    """Columns of every event whose customer is known; reads the tables ``history`` and ``link``."""
    ours = equals(column("source", "history"), text(OWN_SOURCE))
    return (
        exp.select(
            named(or_else(column("customer_id", "link"), column("customer_ref", "history")), "customer_id"),
            named(column("kind", "history"), "kind"),
            named(dialect.micros(column("occurred_at", "history")), "occurred_us"),
            named(dialect.micros(column("received_at", "history")), "received_us"),
            *columns,
        )
        .from_("history")
        .join(
            "link",
            on=both(
                equals(column("source", "link"), column("source", "history")),
                equals(column("customer_ref", "link"), column("customer_ref", "history")),
            ),
            join_type="left",
        )
        .where(either(present(column("customer_id", "link")), ours))
    )


def event_select(dialect: Dialect, kinds: Sequence[str]) -> exp.Select:
    """The events of some kinds (none named: of all) with all that their fields are read from."""
    carried = [
        named(column(name, "history"), name)
        for name in ("occurred_at", "order_ref", "amount_minor", "currency", "payload")
    ]
    events = linked_select(dialect, carried)
    return (
        events.where(one_of(column("kind", "history"), [text(kind) for kind in kinds])) if kinds else events
    )


def fact_select(dialect: Dialect, parts: Sequence[Aggregate]) -> exp.Select:
    """The facts that some aggregates read, with every field they need as a typed column."""
    columns = [column(name) for name in ("customer_id", "kind", "occurred_us", "received_us")]
    for field in dict.fromkeys(field for part in parts for field in part.fields()):
        if field.origin is Origin.KIND:
            continue
        # A field is read from the kinds that need it only: taking JSON apart is the dearest step.
        kinds = kinds_of([part for part in parts if field in part.fields()])
        value = chosen([(of_kinds(kinds), field_term(dialect, field))])
        columns.append(named(value, field.column))
    events = event_select(dialect, kinds_of(parts)).subquery("event")
    return exp.select(*columns).from_(events)


def word_select(dialect: Dialect) -> exp.Select:
    """Every word of a customer about a purpose; reads the tables ``history`` and ``link``."""
    names = ("customer_id", "kind", "occurred_us", "received_us", "source", "customer_ref")
    carried = [named(column(name, "history"), name) for name in ("source", "customer_ref", "payload")]
    words = linked_select(dialect, carried).where(
        one_of(column("kind", "history"), [text(kind) for kind in WORD_KINDS])
    )
    purpose = named(dialect.payload_text("purpose"), "purpose")
    return exp.select(*(column(name) for name in names), purpose).from_(words.subquery("event"))


def withdrawn_select(dialect: Dialect) -> exp.Select:
    """``customer_id, purpose`` of what stood withdrawn at ``as_of``; reads the table ``word``.

    Each reference counts with its last word, at a tie with its "no"; one "no" is the customer's.
    """
    is_no = chosen([(equals(column("kind"), text(WITHDRAWN)), whole(1))], whole(0))
    last = dialect.largest([column("occurred_us"), column("received_us"), is_no], exp.true())(2)
    by_reference = (
        exp.select(column("customer_id"), column("purpose"), named(last, "is_no"))
        .from_("word")
        .where(known(dialect))
        .group_by("customer_id", "source", "customer_ref", "purpose")
    )
    return (
        exp.select(column("customer_id"), column("purpose"))
        .distinct()
        .from_(by_reference.subquery("spoken"))
        .where(equals(column("is_no"), whole(1)))
    )


def field_term(dialect: Dialect, field: Field) -> Term:
    """The value of a field of an event, at the scale of the field."""
    if field.origin in BY_THE_CLOCK:
        return dialect.clock(field.origin, field.name)
    return _FIELDS[field.origin](dialect, field)


def _amount(_dialect: Dialect, _field: Field) -> Term:
    return times(column("amount_minor"), _money_scale())


def _money_scale() -> Term:
    cases = [
        (equals(column("currency"), text(currency)), whole(10 ** (THOUSANDTHS_DIGITS - exponent(currency))))
        for currency in _NOT_CENTS
    ]
    return chosen(cases, whole(_CENTS_SCALE))


def _amount_band(dialect: Dialect, field: Field) -> Term:
    amount = _amount(dialect, field)
    below = [
        (exp.LT(this=amount.copy(), expression=whole(edge * THOUSAND)), whole(band))
        for band, edge in enumerate(field.edges)
    ]
    return chosen([(absent(column("amount_minor")), exp.null()), *below], whole(len(field.edges)))


def _number(dialect: Dialect, field: Field) -> Term:
    number = dialect.payload_number(field.name)
    scaled = exp.Add(this=times(number.copy(), real(THOUSAND)), expression=real(0.5))
    return _if_exact(number, bigint(called("floor", scaled)))


def _minor(dialect: Dialect, field: Field) -> Term:
    number = dialect.payload_number(field.name)
    value = times(bigint(called("floor", number.copy())), _money_scale())
    held = both(present(column("amount_minor")), _is_exact(number))
    return chosen([(held, value)])


def _if_exact(number: Term, value: Term) -> Term:
    return chosen([(_is_exact(number), value)])


def _is_exact(number: Term) -> Term:
    return at_most(called("abs", number), real(NUMBER_MAX))


def _flag(dialect: Dialect, field: Field) -> Term:
    told = dialect.payload_text(field.name)
    return chosen([(equals(told, text("true")), whole(1)), (equals(told.copy(), text("false")), whole(0))])


_FIELDS: dict[Origin, Callable[[Dialect, Field], Term]] = {
    Origin.ORDER: lambda _dialect, _field: column("order_ref"),
    Origin.TEXT: lambda dialect, field: dialect.payload_text(field.name),
    Origin.AMOUNT: _amount,
    Origin.AMOUNT_BAND: _amount_band,
    Origin.MINOR: _minor,
    Origin.NUMBER: _number,
    Origin.FLAG: _flag,
}
