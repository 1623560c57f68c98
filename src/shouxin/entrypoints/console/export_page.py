"""An export as a page that anybody can read: one file, both languages, nothing fetched from anywhere."""

from __future__ import annotations

import re
from typing import Any

from shouxin.entrypoints.console.paper import paper
from shouxin.entrypoints.console.words import catalogue
from shouxin.ingestion.consent import PURPOSES
from shouxin.reporting import CustomerExport
from shouxin.reporting.domain.export import COLUMNS, SECTIONS

# The house writes instants in UTC.
_INSTANT = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::[\d.]+)?\+00:00$")
_CONSENT_STATES = {key: text for key, text in catalogue().items() if key.startswith("consent_state.")}
_PAGE = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{{ export.customer_id }}</title>
<style>{{ style }}</style></head><body>
<h1>客户数据 <span lang="en">/ Customer data</span></h1>
<p>{{ export.customer_id }} · {{ cell(export.exported_at.isoformat(), "at") }}
{% if export.erased_at %}<br>个人信息已删除 <span lang="en">/ Personal values erased</span>:
{{ cell(export.erased_at.isoformat(), "at") }}{% endif %}</p>
{% for name, rows in export.sections.items() %}
<h2>{{ sections[name].zh }} <span lang="en">/ {{ sections[name].en }}</span></h2>
{% if rows %}{% set columns = columns_of(rows) %}
<table><thead><tr>{% for column in columns %}
<th>{{ words[column].zh }} <span lang="en">/ {{ words[column].en }}</span></th>{% endfor %}
</tr></thead><tbody>
{% for row in rows %}<tr>{% for column in columns %}
<td>{{ cell(row.get(column), column) }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table>
{% else %}<p class="none">无 <span lang="en">/ none</span></p>{% endif %}
{% endfor %}
</body></html>
"""


def export_page(export: CustomerExport) -> str:
    """The HTML of an export; every value is escaped."""
    return paper(_PAGE, export=export, sections=SECTIONS, words=COLUMNS, columns_of=_columns, cell=_cell)


def _columns(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _cell(value: Any, column: str = "") -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是 / yes" if value else "否 / no"
    if isinstance(value, dict):
        return _cell_of_parts(value)
    if isinstance(value, list):
        return "; ".join(map(_cell, value))
    if column == "purpose" and value in PURPOSES:
        return _both(PURPOSES[value].as_data())
    if state := _CONSENT_STATES.get(f"consent_state.{value}"):
        return _both(state.as_data())
    return _INSTANT.sub(r"\1 \2 UTC", str(value))


def _cell_of_parts(parts: dict[str, Any]) -> str:
    if parts.keys() == {"zh", "en"}:
        return _both(parts)
    if parts.keys() == {"value", "currency"}:
        return f"{parts['value']} {parts['currency']}"
    # A token names a value that stands in clear above; to the customer it says nothing.
    told = {name: value for name, value in parts.items() if not name.endswith("_token")}
    return "; ".join(f"{name}: {_cell(value)}" for name, value in told.items())


def _both(text: dict[str, str]) -> str:
    return f"{text['zh']} / {text['en']}"
