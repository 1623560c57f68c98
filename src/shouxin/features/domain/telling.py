"""A formula in one line, as somebody who checks a definition reads it."""

from __future__ import annotations

from shouxin.features.domain.aggregates import Aggregate, Difference, Formula, Ratio
from shouxin.features.domain.fields import Comparison, Condition, Field

_SETTINGS = ("periods", "percent", "half_life_days")


def told(formula: Formula) -> str:
    """``sum(amount) of order_placed, 90 d, where payment_method = credit`` and the like."""
    match formula:
        case Aggregate():
            return _aggregate(formula)
        case Ratio(above, below):
            return f"({told(above)}) / ({told(below)})"
        case Difference(left, right):
            return f"({told(left)}) - ({told(right)})"


def _aggregate(part: Aggregate) -> str:
    field = f"({_field(part.field)})" if part.field else ""
    window = "all history" if part.window_days is None else f"{part.window_days} d"
    words = [f"{part.aggregation}{field} of {' + '.join(part.kinds)}", window]
    if part.ends_days_ago:
        words.append(f"until {part.ends_days_ago} d ago")
    words += [f"{name} {value}" for name in _SETTINGS if (value := getattr(part, name)) is not None]
    words += [f"where {_condition(condition)}" for condition in part.where]
    words += [f"while {_condition(condition)}" for condition in part.holds]
    return ", ".join(words)


def _condition(condition: Condition) -> str:
    field = _field(condition.field)
    if condition.comparison in (Comparison.PRESENT, Comparison.ABSENT):
        return f"{field} is {condition.comparison}"
    value = condition.value
    told_value = " | ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"{field} {condition.comparison} {told_value}"


def _field(field: Field) -> str:
    if field.edges:
        return f"{field.origin} {' '.join(map(str, field.edges))}"
    return field.name if field.name and "/" not in field.name else f"{field.origin} {field.name}".strip()
