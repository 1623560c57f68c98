"""Paper: pages that leave the house as one file, in both languages, and fetch nothing from anywhere."""

from __future__ import annotations

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

STYLE = Markup(
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;"
    "color:#1a1a1a;background:#fff}h2{margin-top:2rem}table{border-collapse:collapse;width:100%}"
    "td,th{min-width:3.5rem;text-align:left;vertical-align:top;padding:.35rem .6rem;"
    "border-bottom:1px solid #ccc;overflow-wrap:anywhere}th{font-weight:600}.none{color:#666}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}td,th{border-color:#444}"
    ".none{color:#aaa}}"
)


def paper(template: str, **values: object) -> str:
    """The template with its values, every one of them escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(template).render(style=STYLE, **values)
