"""The catalogue as a page of the manual, written from the definitions."""

from __future__ import annotations

from collections.abc import Sequence

from shouxin.features.domain.definition import Direction, FeatureDefinition, Missing
from shouxin.features.domain.telling import told
from shouxin.features.domain.topics import Topic

_HEAD = """# The catalogue of features

Written from the definitions (`src/shouxin/features/domain/catalogue/`, one file a topic) by
`shouxin features document --out docs/features-catalogue.md`. How they are computed is told in
[features](features.md). {count} features of {topics} topics.

- *days*: how far it looks back; *all* is the whole history. *of nothing*: what it is where nothing can
  be counted; null stays null, and models treat it apart.
- *higher is*: what credit sense says of it, whatever is predicted; models are held to it. Most have no word.
- *purposes*: what the customer must not have taken back the consent for; without one it is a fact of the
  contract itself.
- Amounts are in major units of the shop's currency; the edges of price bands, and of small and large orders,
  are those of a shop in China.
- A shop that sends order lines has its lines where one order is looked at.

Nothing reads sex, origin, religion, health or age, and nothing reads what a customer agreed to or took back.
"""
_COLUMNS = (
    "feature", "meaning", "含义", "computed as", "days", "unit", "of nothing", "higher is", "purposes",
    "owner",
)  # fmt: skip
_HIGHER = {None: "", Direction.HIGHER_IS_RISKIER: "riskier", Direction.HIGHER_IS_SAFER: "safer"}
_OF_NOTHING = {Missing.IS_ZERO: "0", Missing.STAYS_NULL: "null"}


def catalogue_page(definitions: Sequence[FeatureDefinition]) -> str:
    """The page in Markdown: a table a topic."""
    by_topic = {topic: [item for item in definitions if item.topic is topic] for topic in Topic}
    filled = {topic: items for topic, items in by_topic.items() if items}
    parts = [_HEAD.format(count=len(definitions), topics=len(filled))]
    parts += [_section(topic, items) for topic, items in filled.items()]
    return "\n".join(parts)


def _section(topic: Topic, items: Sequence[FeatureDefinition]) -> str:
    rows = [
        f"## {topic.words.en} · {topic.words.zh}",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|---" * len(_COLUMNS) + "|",
        *map(_row, items),
        "",
    ]
    return "\n".join(rows)


def _row(item: FeatureDefinition) -> str:
    days = "all" if item.window_days is None else str(item.window_days)
    cells = (
        f"`{item.name}`",
        item.meaning.en,
        item.meaning.zh,
        told(item.formula).replace("|", "or"),
        days,
        item.unit,
        _OF_NOTHING[item.missing],
        _HIGHER[item.direction],
        ", ".join(sorted(item.purposes)),
        item.owner,
    )
    return f"| {' | '.join(cells)} |"
