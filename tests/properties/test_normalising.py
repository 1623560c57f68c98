"""Normalising: doing it again changes nothing, and nothing that was written is lost."""

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shouxin.ingestion.domain.normalising import (
    normal_bank_card,
    normal_business_code,
    normal_date,
    normal_email,
    normal_money,
    normal_name,
    normal_national_id,
    normal_phone,
    parse_address,
)
from shouxin.ingestion.domain.normalising.corpus import marked_addresses, measure

ALL = (
    normal_bank_card, normal_business_code, normal_date, normal_email, normal_money, normal_name,
    normal_national_id, normal_phone,
)  # fmt: skip
DIGITS = st.text(alphabet=string.digits + "０１２３ -+()Xx转", max_size=24)
WORDS = st.text(alphabet="浙江省杭州市西湖区北京上海路街道镇村1234号室- ，null中国内蒙古自治", max_size=40)
ANYTHING = st.text(max_size=40) | DIGITS | WORDS | st.from_regex(r"[\w.]{1,8}@[\w.]{1,10}", fullmatch=True)


@pytest.mark.parametrize("normalise", ALL)
def test_normalising_again_changes_nothing(normalise):
    @settings(max_examples=150)
    @given(ANYTHING)
    def idempotent(text):
        once = normalise(text)
        assert once.raw == text
        assert (once.value is None) <= bool(once.problems)  # who gives no form says why
        if once.value is not None:
            again = normalise(once.value)
            assert (again.value, again.parts) == (once.value, once.parts)
            assert not once.refusals

    idempotent()


@settings(max_examples=300)
@given(WORDS | ANYTHING)
@example("湖州织里_永康路_381")
@example("浙江省杭州市杭州市余杭区良运街143号")
def test_every_letter_of_an_address_is_in_one_span(text):
    read = parse_address(text)
    joined = "".join(part for _, part in read.spans)
    assert parse_address(joined).spans == read.spans
    assert sorted(joined.replace(" ", "")) == sorted("".join(_fold(text)))
    for wide, narrow in ((read.province, read.city), (read.province, read.district)):
        if wide and narrow and "contradicting_divisions" not in read.problems:
            assert narrow.code[:2] == wide.code[:2]


def _fold(text):
    import unicodedata

    for _ in range(2):
        text = " ".join(unicodedata.normalize("NFKC", text).split())
    return text.replace(" ", "")


def test_a_corpus_is_measured_part_by_part():
    first = ["浙 B-prov", "江 I-prov", "杭 B-city", "州 I-city", "市 I-city", "1 B-roadno"]
    lines = [*first, "", "西 B-district", "湖 I-district"]
    figures = measure(marked_addresses(lines)).as_data()
    assert figures["addresses"] == 2
    assert figures["levels"]["city"] == {"precision": 1.0, "recall": 1.0, "marked": 1}
    assert figures["levels"]["number"]["recall"] == 0.0


def test_the_real_corpus_is_read(public_data):
    """No address of the dev part was looked at while the rules were made, only its figures."""
    folder = public_data / "chinese_address"
    if not folder.is_dir():
        pytest.skip(f"the address corpus is not at {folder}")
    lines = (folder / "dev.txt").read_text(encoding="utf-8").splitlines()
    figures = measure(marked_addresses(lines)).as_data()
    assert figures["addresses"] == 2985
    assert figures["parse_rate"] > 0.92
    assert figures["levels"]["city"]["precision"] > 0.95 and figures["levels"]["district"]["recall"] > 0.94
