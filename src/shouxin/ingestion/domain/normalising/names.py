"""Names of people, Chinese and international."""

from __future__ import annotations

import re

from shouxin.ingestion.domain.normalising.problems import Normal, Problem, folded, unusable

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_HAN_NAME = re.compile(rf"[{_HAN}]+(?:·[{_HAN}]+)*")
_DOTS = re.compile(r"\s*[·•・‧∙●.．]\s*")
_HONORIFIC_HAN = re.compile(r"(?:先生|女士|小姐|太太|老师|经理|师傅)$")
_HONORIFIC = re.compile(r"^(?:mr|mrs|ms|miss|dr|prof)\.?\s+", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
# Family names of two characters that are in use; all others have one (in the great majority).
COMPOUND_FAMILY_NAMES = frozenset(
    {
        *("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "司徒", "令狐"),
        *("夏侯", "宇文", "长孙", "闻人", "端木", "独孤", "南宫", "百里", "呼延", "轩辕", "第五"),
    }
)
_SHORTEST_WITH_TITLE = 3


def normal_name(text: str) -> Normal:
    """A name without titles and stray spaces; parts ``family`` and ``given`` where they can be told.

    A Chinese name has no spaces or commas, and a middle dot only between the parts of a transcribed name. In
    "Li, Wei" the family name stands first; of other international names the last word is taken for it.
    Letters keep their case; who compares names folds it.
    """
    given = folded(text)
    if not given:
        return unusable(text, Problem.EMPTY)
    joined = _DOTS.sub("·", given.replace(" ", "").replace(",", ""))
    bare = _HONORIFIC_HAN.sub("", joined) if len(joined) >= _SHORTEST_WITH_TITLE else joined
    if bare and _HAN_NAME.fullmatch(bare):
        return Normal(text, bare, (), _han_parts(bare))
    if not _LETTER.search(given) or any(letter.isdigit() for letter in given):
        return unusable(text, Problem.NOT_A_NAME)
    return _international(text, given)


def _han_parts(name: str) -> dict[str, str]:
    if "·" in name or len(name) == 1:
        return {"given": name}
    length = 2 if len(name) > 2 and name[:2] in COMPOUND_FAMILY_NAMES else 1
    return {"family": name[:length], "given": name[length:]}


def _international(raw: str, given: str) -> Normal:
    name = given
    while stripped := _HONORIFIC.match(name):
        name = name[stripped.end() :]
    family, comma, first = (part.strip() for part in name.partition(","))
    if comma and family and first:
        name = f"{first} {family}"
    words = name.replace(",", " ").split()
    if not words or not _LETTER.search("".join(words)):
        return unusable(raw, Problem.NOT_A_NAME)
    if len(words) == 1:
        return Normal(raw, words[0], (), {"given": words[0]})
    if not comma or not (family and first):
        first, family = " ".join(words[:-1]), words[-1]
    return Normal(raw, " ".join(words), (), {"family": family, "given": first})
