"""The document of a model as one file that anybody can read, in both languages."""

from __future__ import annotations

from shouxin.entrypoints.console.paper import paper
from shouxin.kernel import Bilingual
from shouxin.reporting import ModelDocument

_PAGE = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{{ document.name }}</title>
<style>{{ style }}</style></head><body>
<h1>模型文档 <span lang="en">/ Model document</span></h1>
<p>{{ document.name }} · {{ document.model_hash }}</p>
<ol>{% for section in document.sections %}
<li><a href="#{{ section.code }}">{{ section.heading.zh }} <span lang="en">/ {{ section.heading.en
}}</span></a></li> {% endfor %}</ol> {% for section in document.sections %} <h2 id="{{ section.code }}">{{
loop.index }}. {{ section.heading.zh }} <span lang="en">/ {{ section.heading.en }}</span></h2> {% for line in
section.lines %}<p>{{ line.zh }}{% if line.en != line.zh %}<br><span lang="en">{{ line.en }}</span>{% endif
%}</p>{% endfor %} {% for table in section.tables %} <h3>{{ both(table.title) }}</h3> {% if table.rows
%}<table><thead><tr>{% for head in table.heads %}<th>{{ both(head) }}</th>{% endfor %}</tr></thead><tbody> {%
for row in table.rows %}<tr>{% for cell in row %}<td>{{ both(cell) }}</td>{% endfor %}</tr> {% endfor
%}</tbody></table> {% else %}<p class="none">无 <span lang="en">/ none</span></p>{% endif %} {% endfor %} {%
endfor %} </body></html>
"""


def document_page(document: ModelDocument) -> str:
    """The HTML of a document; every value is escaped."""
    return paper(_PAGE, document=document, both=_both)


def _both(cell: str | Bilingual) -> str:
    if isinstance(cell, str):
        return cell
    return cell.zh if cell.zh == cell.en else f"{cell.zh} / {cell.en}"
