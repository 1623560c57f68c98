"""The words that SQL trees are built of. Everything here is the same in every dialect."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

Term = exp.Expr

DAY_MICROS = 86_400_000_000


def column(name: str, table: str | None = None) -> Term:
    """A column, of a table if one is named."""
    return exp.column(name, table=table)


def whole(number: int) -> Term:
    """A whole number."""
    return exp.Literal.number(number)


def text(value: str) -> Term:
    """A text."""
    return exp.Literal.string(value)


def real(number: float) -> Term:
    """A double: written as text, because engines take a bare 0.5 for a decimal."""
    return exp.cast(text(repr(float(number))), "DOUBLE")


def double(term: Term) -> Term:
    """The term as a double."""
    return exp.cast(term, "DOUBLE")


def bigint(term: Term) -> Term:
    """The term as a whole number of 64 bits."""
    return exp.cast(term, "BIGINT")


def plus(left: Term, right: Term) -> Term:
    """``left + right``."""
    return exp.paren(exp.Add(this=left, expression=right))


def minus(left: Term, right: Term) -> Term:
    """``left - right``."""
    return exp.paren(exp.Sub(this=left, expression=right))


def times(left: Term, right: Term) -> Term:
    """``left * right``."""
    return exp.paren(exp.Mul(this=left, expression=right))


def equals(left: Term, right: Term) -> Term:
    """``left = right``."""
    return exp.EQ(this=left, expression=right)


def above(left: Term, right: Term) -> Term:
    """``left > right``."""
    return exp.GT(this=left, expression=right)


def at_least(left: Term, right: Term) -> Term:
    """``left >= right``."""
    return exp.GTE(this=left, expression=right)


def at_most(left: Term, right: Term) -> Term:
    """``left <= right``."""
    return exp.LTE(this=left, expression=right)


def one_of(term: Term, values: Sequence[Term]) -> Term:
    """``term IN (values)``."""
    return exp.In(this=term, expressions=list(values))


def present(term: Term) -> Term:
    """``term IS NOT NULL``."""
    return exp.not_(absent(term))


def absent(term: Term) -> Term:
    """``term IS NULL``."""
    return exp.Is(this=term, expression=exp.null())


def both(*conditions: Term | None) -> Term:
    """All conditions that there are; true where there is none."""
    kept = [condition for condition in conditions if condition is not None]
    return exp.and_(*kept) if kept else exp.true()


def either(*conditions: Term) -> Term:
    """Any of some conditions."""
    return exp.or_(*conditions)


def chosen(cases: Sequence[tuple[Term, Term]], otherwise: Term | None = None) -> Term:
    """The value of the first condition that is met."""
    case = exp.case()
    for condition, value in cases:
        case = case.when(condition, value)
    return case if otherwise is None else case.else_(otherwise)


def called(name: str, *arguments: Term) -> Term:
    """A function by its name, as it stands."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def or_else(term: Term, fallback: Term) -> Term:
    """The term, or where it is null the fallback."""
    return exp.Coalesce(this=term, expressions=[fallback])


def count_all() -> Term:
    """``count(*)``."""
    return exp.Count(this=exp.Star())


def where(aggregate: Term, condition: Term) -> Term:
    """An aggregate over the rows that meet the condition."""
    if condition == exp.true():
        return aggregate
    return exp.Filter(this=aggregate, expression=exp.Where(this=condition))


def over(aggregate: Term, *, by: Sequence[str], order: str | None = None) -> Term:
    """An aggregate over the rows of the same ``by``, up to and with this one where there is an order."""
    ordered = exp.Order(expressions=[exp.Ordered(this=column(order))]) if order else None
    return exp.Window(this=aggregate, partition_by=[column(name) for name in by], order=ordered)


def named(term: Term, name: str) -> Term:
    """The term under a name."""
    return exp.alias_(term, name)
