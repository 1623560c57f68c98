"""Where the three engines differ. One class an engine; the rest of the compiler knows none of them.

Whole numbers are 64 bits and *wide* ones at least 100: what is added up or multiplied stays exact.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from sqlglot import exp

from shouxin.features.compiler.terms import (
    Term,
    bigint,
    called,
    chosen,
    column,
    double,
    equals,
    minus,
    real,
    text,
    times,
    where,
    whole,
)
from shouxin.features.domain import Origin

_MICROS = 1_000_000
_UTC = "UTC"


class Dialect(ABC):
    """How one engine says what the others say differently."""

    name: ClassVar[str]
    wide_type: ClassVar[str]

    def sql(self, term: Term) -> str:
        """The text of a tree."""
        return term.sql(dialect=self.name)

    def readable(self, term: Term) -> str:
        """The text of a tree in lines for people."""
        return term.sql(dialect=self.name, pretty=True)

    def given(self, name: str) -> Term:
        """A value that is bound when the query runs."""
        return exp.Placeholder(this=name)

    @abstractmethod
    def micros(self, instant: Term) -> Term:
        """Whole microseconds since 1970 of an instant."""

    @abstractmethod
    def clock(self, origin: Origin, zone: str) -> Term:
        """What a clock in ``zone`` tells of an event; a whole number."""

    @abstractmethod
    def payload_text(self, name: str) -> Term:
        """A field of the payload as a text."""

    @abstractmethod
    def payload_number(self, name: str) -> Term:
        """A field of the payload as a double; null where it is none."""

    def wide(self, term: Term) -> Term:
        """A whole number that may grow beyond 64 bits."""
        return exp.cast(term, self.wide_type)

    def summed(self, term: Term) -> Term:
        """The sum of whole numbers, never overflowing."""
        return exp.Sum(this=term)

    def quotient(self, left: Term, right: Term) -> Term:
        """``left / right`` of two doubles; never asked for with a zero below."""
        return exp.paren(exp.Div(this=left, expression=right, typed=True, safe=False))

    def whole_quotient(self, left: Term, right: Term) -> Term:
        """``left / right`` of whole numbers without the fraction."""
        return exp.paren(exp.IntDiv(this=left, expression=right))

    def wide_quotient(self, left: Term, right: Term) -> Term:
        """The same of wide numbers."""
        return self.whole_quotient(left, right)

    def halved(self, term: Term, times_over: Term) -> Term:
        """A whole number halved so many times, each time without the fraction."""
        return exp.paren(exp.BitwiseRightShift(this=term, expression=exp.cast(times_over, "INT")))

    @abstractmethod
    def largest(self, values: Sequence[Term], condition: Term) -> Callable[[int], Term]:
        """The largest of some tuples of whole numbers, first value first; gives its n-th value."""


class DuckDb(Dialect):
    """DuckDB over the Parquet history."""

    name = "duckdb"
    wide_type = "INT128"

    def micros(self, instant: Term) -> Term:
        """See ``Dialect``; the zone of the session must be UTC."""
        return called("epoch_us", exp.cast(instant, "TIMESTAMPTZ"))

    def clock(self, origin: Origin, zone: str) -> Term:
        """See ``Dialect``."""
        local = exp.AtTimeZone(this=called("make_timestamptz", column("occurred_us")), zone=text(zone))
        if origin is Origin.MONTH:
            years = times(called("year", local), whole(12))
            return bigint(exp.Add(this=years, expression=called("month", local)))
        if origin is Origin.DAY:
            return bigint(minus(exp.cast(local, "DATE"), exp.cast(text("1970-01-01"), "DATE")))
        return bigint(called("hour" if origin is Origin.HOUR else "isodow", local))

    def payload_text(self, name: str) -> Term:
        """See ``Dialect``."""
        return exp.paren(called("json_extract_string", column("payload"), text(f"$.{name}")))

    def payload_number(self, name: str) -> Term:
        """See ``Dialect``."""
        return exp.TryCast(this=self.payload_text(name), to=exp.DataType.build("DOUBLE"))

    def largest(self, values: Sequence[Term], condition: Term) -> Callable[[int], Term]:
        """See ``Dialect``."""
        pairs = [exp.PropertyEQ(this=exp.to_identifier(f"v{i}"), expression=v) for i, v in enumerate(values)]
        best = where(exp.Max(this=exp.Struct(expressions=pairs)), condition)
        return lambda place: called("struct_extract", best.copy(), text(f"v{place}"))


class Postgres(Dialect):
    """PostgreSQL over the event log itself."""

    name = "postgres"
    wide_type = "NUMERIC"

    def given(self, name: str) -> Term:
        """As psql and SQLAlchemy write it; psycopg alone would want a percent sign."""
        return exp.Var(this=f":{name}")

    def micros(self, instant: Term) -> Term:
        """See ``Dialect``; ``extract`` is exact since PostgreSQL 14."""
        epoch = exp.Extract(this=exp.var("epoch"), expression=instant)
        return bigint(times(epoch, whole(_MICROS)))

    def clock(self, origin: Origin, zone: str) -> Term:
        """See ``Dialect``."""
        local = exp.AtTimeZone(this=column("occurred_at"), zone=text(zone))
        if origin is Origin.MONTH:
            years = times(_part("year", local), whole(12))
            return bigint(exp.Add(this=years, expression=_part("month", local)))
        if origin is Origin.DAY:
            return bigint(minus(exp.cast(local, "DATE"), exp.cast(text("1970-01-01"), "DATE")))
        return bigint(_part("hour" if origin is Origin.HOUR else "isodow", local))

    def payload_text(self, name: str) -> Term:
        """See ``Dialect``."""
        return called("jsonb_extract_path_text", column("payload"), text(name))

    def payload_number(self, name: str) -> Term:
        """See ``Dialect``."""
        held = called("jsonb_typeof", called("jsonb_extract_path", column("payload"), text(name)))
        return chosen([(equals(held, text("number")), double(self.payload_text(name)))])

    def whole_quotient(self, left: Term, right: Term) -> Term:
        """Between whole numbers the plain sign drops the fraction."""
        return exp.paren(exp.Div(this=left, expression=right, typed=True, safe=False))

    def wide_quotient(self, left: Term, right: Term) -> Term:
        """See ``Dialect``."""
        return called("div", left, right)

    def largest(self, values: Sequence[Term], condition: Term) -> Callable[[int], Term]:
        """See ``Dialect``; arrays are compared value by value."""
        array = exp.Array(expressions=[bigint(value) for value in values])
        best = where(exp.Max(this=array), condition)
        return lambda place: exp.Bracket(this=exp.paren(best.copy()), expressions=[whole(place)])


class Spark(Dialect):
    """Spark SQL; the zone of the session must be UTC."""

    name = "spark"
    wide_type = "DECIMAL(38, 0)"

    def micros(self, instant: Term) -> Term:
        """See ``Dialect``."""
        return called("unix_micros", instant)

    def clock(self, origin: Origin, zone: str) -> Term:
        """See ``Dialect``."""
        local = called("from_utc_timestamp", column("occurred_at"), text(zone))
        if origin is Origin.MONTH:
            years = times(called("year", local), whole(12))
            return bigint(exp.Add(this=years, expression=called("month", local)))
        if origin is Origin.DAY:
            return bigint(called("unix_date", exp.cast(local, "DATE")))
        if origin is Origin.WEEKDAY:
            return bigint(exp.Add(this=called("weekday", local), expression=whole(1)))
        return bigint(called("hour", local))

    def payload_text(self, name: str) -> Term:
        """See ``Dialect``."""
        return called("get_json_object", column("payload"), text(f"$.{name}"))

    def payload_number(self, name: str) -> Term:
        """See ``Dialect``."""
        return exp.TryCast(this=self.payload_text(name), to=exp.DataType.build("DOUBLE"), safe=True)

    def summed(self, term: Term) -> Term:
        """A sum of 64-bit numbers would have 64 bits here."""
        return exp.Sum(this=self.wide(term))

    def largest(self, values: Sequence[Term], condition: Term) -> Callable[[int], Term]:
        """See ``Dialect``."""
        named = [part for i, value in enumerate(values) for part in (text(f"v{i}"), bigint(value))]
        best = where(exp.Max(this=called("named_struct", *named)), condition)
        return lambda place: exp.Dot(this=exp.paren(best.copy()), expression=exp.to_identifier(f"v{place}"))


DIALECTS: dict[str, Dialect] = {engine.name: engine for engine in (DuckDb(), Postgres(), Spark())}


def log_term(count: Term, bits: float) -> Term:
    """log2 of a count in whole millionths of a bit; ``bits`` is what ln is multiplied by."""
    scaled = exp.Add(this=times(called("ln", double(count)), real(bits)), expression=real(0.5))
    return bigint(called("floor", scaled))


def _part(name: str, instant: Term) -> Term:
    return exp.Extract(this=exp.var(name), expression=instant)
