"""The parts of the console that need no server: words, charts, formats, forms, templates."""

import json
import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.entrypoints.console import formats, forms, rendering, svg, svg_parts, words
from shouxin.entrypoints.console.bands import bands_of
from shouxin.grading import STANDARD_SCALE
from shouxin.kernel import Money
from shouxin.scoring import SCALINGS

CONSOLE = Path(rendering.__file__).parent
TEMPLATES = sorted((CONSOLE / "templates").glob("*.html"))
BANDS = bands_of(STANDARD_SCALE, points_at=SCALINGS["600@50:1/20"].points_at)
numbers = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False)
labels = st.text(max_size=12)


def drawn(markup):
    """The chart as a tree; it must be well-formed, titled, and free of inline style."""
    root = ET.fromstring(str(markup))  # noqa: S314  our own markup
    assert root.tag == "svg" and root[0].tag == "title" and root.get("role") == "img"
    for node in root.iter():
        assert "style" not in node.attrib and not any(name.startswith("on") for name in node.attrib)
        for value in node.attrib.values():
            assert not re.search(r"\b(nan|inf)\b", value)
    return root


def test_every_word_has_both_languages_and_the_same_places():
    raw = json.loads((CONSOLE / "words.json").read_text())
    for key, texts in raw.items():
        assert set(texts) == {"zh", "en"}, key
        places = [set(re.findall(r"\{(\w+)\}", texts[language])) for language in ("zh", "en")]
        assert places[0] == places[1], key
    assert set(raw) <= set(words.catalogue())


def test_every_word_that_a_template_or_page_asks_for_is_there():
    known = set(words.catalogue())
    prefixes = {key.split(".")[0] for key in known}
    asked, begun = set(), set()
    for path in TEMPLATES:
        text = path.read_text()
        asked |= set(re.findall(r'\bt\("([\w.-]+)"\s*[,)]', text))
        asked |= {
            key for pair in re.findall(r't\("([\w.]+)" if [\w.]+ else "([\w.]+)"\)', text) for key in pair
        }
        begun |= set(re.findall(r'\bt\("(\w+)\." ~', text))
    for path in CONSOLE.rglob("*.py"):
        asked |= set(re.findall(r'\bword\("([\w.-]+)"', path.read_text()))
    assert not asked - known
    assert not begun - prefixes
    assert {
        f"said.{key}" for p in CONSOLE.rglob("*.py") for key in re.findall(r'said="(\w+)"', p.read_text())
    } <= known


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_inline_style_or_script(path):
    text = path.read_text()
    assert not re.search(r"\sstyle=|<style|\shx-on|\son[a-z]+=|\|safe\b", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    for field in re.findall(r"<(?:input|select|textarea)[^>]*>", text):
        hidden = 'type="hidden"' in field or "aria-label" in field or "aria-hidden" in field
        named = re.search(r'id="([\w{}. -]+)"', field)
        assert hidden or (named and f'for="{named[1]}"' in text), field


def test_the_style_sheet_is_small_and_asks_nobody():
    css = (CONSOLE / "static/console.css").read_text()
    assert len(css.encode()) < 20_000
    assert "url(" not in css and "@import" not in css


@given(st.lists(numbers, min_size=1, max_size=30))
def test_a_sparkline_draws_any_numbers_and_the_same_ones_alike(values):
    markup = svg.sparkline(values, title="t")
    assert markup == svg.sparkline(values, title="t")
    drawn(markup)


@given(st.lists(st.tuples(*[st.floats(min_value=0, max_value=1e12)] * 2), min_size=1, max_size=40))
def test_stacked_areas_never_leave_the_plot(rows):
    series = [svg.Series(f"<{i}>", f"m{i + 1}", tuple(row[i] for row in rows)) for i in range(2)]
    root = drawn(svg.area_chart([str(i) for i in range(len(rows))], series, title="a & b"))
    for path in root.iter("path"):
        if path.get("class", "").startswith("area"):
            for y in re.findall(r"[ML]?\s?-?[\d.]+ (-?[\d.]+)", path.get("d")):
                assert 9 <= float(y) <= 225


@given(st.lists(st.tuples(st.sampled_from("SABCD"), st.integers(0, 10**7)), max_size=5))
def test_bars_have_the_height_of_their_counts(bars):
    root = drawn(svg.bar_chart(bars, title="bars"))
    heights = [float(rect.get("height")) for rect in root.iter("rect")]
    for (_, a), x in zip(bars, heights, strict=True):
        for (_, b), y in zip(bars, heights, strict=True):
            assert a >= b or x <= y + 0.1


@given(st.floats(min_value=-1000, max_value=2000))
def test_a_gauge_shows_any_score_and_keeps_its_needle_on_the_dial(score):
    root = drawn(svg.gauge(score, BANDS, title="score"))
    needle = next(path for path in root.iter("path") if path.get("class") == "needle")
    places = [float(place) for place in re.findall(r"-?[\d.]+", needle.get("d"))]
    assert all(-1 <= x <= 221 for x in places[::2]) and all(-1 <= y <= 137 for y in places[1::2])
    assert f"{score:.0f}" in [text.text for text in root.iter("text")]


@given(st.lists(st.integers(300, 850), min_size=1, max_size=24))
def test_the_score_chart_draws_one_score_and_many(scores):
    root = drawn(svg.score_chart([str(i) for i in range(len(scores))], scores, BANDS, title="score"))
    assert len(list(root.iter("circle"))) >= len(scores)


@given(st.lists(st.tuples(labels, st.integers(-400, 400)), min_size=1, max_size=10))
def test_reasons_are_drawn_to_the_side_they_push(bars):
    clean = [("".join(c for c in label if c.isprintable()), points) for label, points in bars]
    root = drawn(svg.contribution_chart(clean, title="why"))
    tones = [rect.get("class") for rect in root.iter("rect")]
    assert tones == ["bar-good" if points >= 0 else "bar-bad" for _, points in clean]


def test_markup_in_data_stays_text():
    evil = '<script>alert("x")</script>'
    for markup in (
        svg.contribution_chart([(evil, 3)], title=evil),
        svg.bar_chart([("S", 1)], title=evil),
        svg.area_chart([evil], [svg.Series(evil, "m1", (1.0,))], title=evil),
    ):
        assert "<script" not in markup
        drawn(markup)


def test_charts_of_nothing_are_nothing():
    assert svg.sparkline([], title="t") == svg.score_chart([], [], BANDS, title="t") == ""
    assert svg.area_chart([], [], title="t") == svg.contribution_chart([], title="t") == ""
    drawn(svg.bar_chart([], title="t"))


def test_the_bands_of_the_gauge_follow_the_master_scale():
    assert [band.grade for band in BANDS] == list("DCBAS")
    assert all(left.high == right.low for left, right in pairwise(BANDS))
    assert [band.low for band in BANDS] == sorted(band.low for band in BANDS)


@pytest.mark.parametrize(
    ("minor", "language", "text"),
    [
        (18_640_000_000, "zh", "¥ 1.86 亿"),
        (18_640_000_000, "en", "¥ 186.4 M"),
        (312_000_000, "zh", "¥ 312.0 万"),
        (95_000, "zh", "¥ 950"),
        (95_000, "en", "¥ 950"),
        (-1_234_500, "en", "¥ -12.3 K"),
    ],
)
def test_large_amounts_are_short(minor, language, text):
    assert formats.money_shortly(Money(minor, "CNY"), language) == text


def test_time_is_told_in_the_zone_of_the_console():
    late = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)
    assert formats.when_fully(late) == "2026-03-02 00:30"
    assert formats.when_fully(None) == formats.day(None) == formats.money(None) == "–"


@pytest.mark.parametrize(
    ("change", "unit", "text"),
    [
        (0.031, "money", "▲ 3.1%"),
        (-0.0018, "ratio", "▼ 0.18 pp"),
        (0.0, "count", "＝ 0.0%"),
        (None, "count", ""),
    ],
)
def test_changes_say_their_unit(change, unit, text):
    assert formats.tile_change(change, unit) == text


def test_a_form_token_fits_only_its_own_browser():
    token = forms.form_token("cookie")
    assert token != forms.form_token("cookie"), "each page has its own"
    assert forms.token_fits("cookie", token)
    for basis, sent in (
        ("other", token),
        ("", token),
        ("cookie", ""),
        ("cookie", "."),
        ("cookie", token + "0"),
    ):
        assert not forms.token_fits(basis, sent)


@given(st.text(max_size=40))
def test_nobody_is_sent_to_another_site(path):
    for tried in (path, "/" + path, "//" + path, "/\\" + path):
        safe = forms.local_path(tried)
        assert safe.startswith("/") and not safe.startswith("//") and "\\" not in safe


@given(st.text(alphabet="abc 近天（）", min_size=1, max_size=120).map(str.strip).filter(bool))
def test_a_folded_label_has_two_lines_at_most_and_loses_nothing_unsaid(label):
    lines = svg_parts.fold(label, width=200)
    assert 1 <= len(lines) <= 2
    joined = "".join(lines).replace(" ", "")
    whole = label.replace(" ", "")
    assert joined == whole or (joined.endswith("…") and whole.startswith(joined[:-1]))


def test_a_score_beyond_the_bands_is_still_on_the_gauge_and_on_ground():
    markup = str(svg.gauge(BANDS[0].low - 100, BANDS, title="g"))
    assert f">{BANDS[0].low - 100:.0f}</text>" in markup
    low = BANDS[0].low
    assert 'class="ground-D"' in svg.score_chart(["1", "2"], [low - 120, low - 60], BANDS, title="s")


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_a_title_that_the_house_gave_is_told_in_the_readers_language(language):
    title = next(iter(words.own_titles().values()))
    told = rendering.environment(language).filters["told"]
    assert told(title.zh) == told(title.en) == title.in_language(language)
    assert told("核对收货地址") == "核对收货地址"
