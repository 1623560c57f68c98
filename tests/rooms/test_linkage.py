"""Linking a people file: what columns hold, how groups form, and that the truth only measures."""

import csv
import itertools
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from shouxin.entrypoints.cli import app
from shouxin.identity.domain.clustering import agglomerate, components
from shouxin.identity.linkage import ColumnKind, UnableToLinkFile, b_cubed, link_file, pairwise, recognise

K = ColumnKind


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("dob", ["1990-01-02", "1985-12-31", "1990-01-02"], K.DATE),
        ("出生日期", ["19900102", "19851231", "19700101"], K.DATE),
        ("contact", ["a@b.example", "c@d.example"], K.EMAIL),
        ("手机", ["10100000001", "10100000002", "10100000003"], K.NUMBER),
        ("house", ["1", "22", "3", "1"], K.CODE),
        ("sex", ["m", "f", "m", "f"], K.CLASS),
        ("surname", [f"name{letter}" for letter in "abcdefghijklmn"], K.PERSON_NAME),
        ("姓名", [f"陈{letter}" for letter in "静文明伟芳娜秀敏强磊军洋勇"], K.PERSON_NAME),
        ("city", [f"town{letter}" for letter in "abcdefghijklmn"], K.WORD),
        ("address", [f"{n} long street" for n in range(14)], K.TEXT),
    ],
)
def test_a_column_is_recognised_by_its_values_and_its_name(name, values, kind):
    found = recognise(name, values)
    assert found is not None and found.kind is kind


@pytest.mark.parametrize("values", [[], [None, None], ["same", "same"]])
def test_a_column_that_says_nothing_is_left_out(values):
    assert recognise("name", values) is None


# found     | truth     | pairwise p, r   | B-cubed p, r
MEASURES = [
    ("aabb", "aabb", (1, 1), (1, 1)),
    ("aaaa", "aabb", (2 / 6, 1), (0.5, 1)),
    ("abcd", "aabb", (1, 0), (1, 0.5)),
    ("aabc", "aaab", (1, 1 / 3), (1, (2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)),
]


@pytest.mark.parametrize(("found", "truth", "pairs", "records"), MEASURES)
def test_the_measures_of_a_drawn_case(found, truth, pairs, records):
    for measure, (precision, recall) in ((pairwise, pairs), (b_cubed, records)):
        told = measure(found, truth)
        assert told.precision == pytest.approx(precision) and told.recall == pytest.approx(recall)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=25))
def test_measures_stay_between_0_and_1_and_swap(records):
    found, truth = [a for a, _ in records], [b for _, b in records]
    for measure in (pairwise, b_cubed):
        one, other = measure(found, truth), measure(truth, found)
        assert 0 <= one.precision <= 1 and 0 <= one.recall <= 1 and 0 <= one.f1 <= 1
        assert (one.precision, one.recall) == (other.recall, other.precision)
        assert measure(truth, truth).f1 == 1


def test_a_group_is_not_carried_by_one_strong_pair():
    weights = {(0, 1): 9.0, (1, 2): 3.0, (0, 2): -9.0}
    assert agglomerate([0, 1, 2], weights, cut=0.0) == [[0, 1], [2]]
    assert agglomerate([0, 1, 2], weights | {(0, 2): 1.0}, cut=0.0) == [[0, 1, 2]]


@settings(max_examples=60)
@given(
    st.integers(2, 7).flatmap(
        lambda n: st.lists(st.integers(-9, 9), min_size=n * (n - 1) // 2, max_size=n * (n - 1) // 2)
    )
)
def test_every_record_is_in_one_part(bits):
    count = next(n for n in range(2, 8) if n * (n - 1) // 2 == len(bits))
    weights = dict(zip(itertools.combinations(range(count), 2), map(float, bits), strict=True))
    parts = agglomerate(list(range(count)), weights, cut=0.0)
    assert sorted(itertools.chain(*parts)) == list(range(count))
    assert components(count, [pair for pair, weight in weights.items() if weight > 0]) is not None


FAMILY = "陈王李张刘杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "静文明伟芳娜秀敏强磊军洋勇艳杰娟涛超霞平刚桂英华"


def write_people(path, *, people=150, seed=4):
    """Every other person has a second record in which something is wrong."""
    rng = random.Random(seed)
    rows = []
    for number in range(people):
        row = {
            "姓名": rng.choice(FAMILY) + rng.choice(GIVEN) + rng.choice(GIVEN),
            "手机": f"1010{rng.randrange(10**7):07d}",
            "出生日期": f"19{rng.randrange(50, 99)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
            "邮箱": f"u{rng.randrange(10**6)}@mail.example",
            "城市": f"{rng.choice('甲乙丙丁戊己庚辛')}{rng.choice('东西南北')}城",
        }
        rows.append((number, row))
        if number % 2:
            again = dict(row)
            for field in rng.sample(sorted(row), 2):
                again[field] = "" if rng.random() < 0.5 else row[field][:-1] + rng.choice("0123456789")
            rows.append((number, again))
    rng.shuffle(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["编号", "真人", *rows[0][1]])
        writer.writerows([f"R{i}", number, *row.values()] for i, (number, row) in enumerate(rows))
    return path


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("linkage") / "people.csv")


@pytest.fixture(scope="module")
def linked(people):
    return link_file(people, truth_column="真人")


def test_people_are_found_and_measured(linked):
    assert linked.records == 225
    assert linked.pairwise.f1 > 0.95
    assert {c.name: c.kind for c in linked.columns}["手机"] is K.NUMBER
    assert "编号" not in {c.name for c in linked.columns} and "真人" not in {c.name for c in linked.columns}


def test_the_bar_reaches_its_end(people):
    seen = []
    link_file(people, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_truth_only_measures(people, linked):
    """Linked without its truth the file gives the same people; the id and the truth are never compared."""
    rows = list(csv.reader(people.open(encoding="utf-8")))
    blind = people.with_name("blind.csv")
    with blind.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([row[:1] + row[2:] for row in rows])
    again = link_file(blind, id_column="编号")
    assert again.clusters == linked.clusters
    assert again.weights == linked.weights and again.pairwise is None and not again.peer


def test_the_command_prints_one_object_and_writes_the_people(people, tmp_path):
    out = tmp_path / "people_out.csv"
    done = CliRunner().invoke(
        app, ["link", "--csv", str(people), "--truth", "真人", "--out", str(out), "--no-peer", "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert {"records", "clusters", "pairwise", "b_cubed"} <= set(told) and "splink" not in told
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert len(rows) == told["records"] and len({row["person"] for row in rows}) == told["clusters"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs a header and two records"),
        ("a,a\n1,2\n3,4\n", "a different name for every column"),
        ("a,b\n1,2\n3\n4,5\n", "record 3 has 1 fields instead of 2"),
        ("a,b\n1,2\n3,4\n5,6\n", "no column says anything"),
    ],
)
def test_a_file_that_can_not_be_linked_says_why(tmp_path, text, said):
    file = tmp_path / "people.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UnableToLinkFile, match=said):
        link_file(file)


def test_a_column_that_is_not_there_is_named(people):
    with pytest.raises(UnableToLinkFile, match="no column rec_id"):
        link_file(people, truth_column="rec_id")


@pytest.mark.parametrize("name", ["febrl/dataset1.csv", "splink/fake_1000.csv"])
def test_gold_sets_are_linked_no_worse_than_by_splink(public_data, name):
    file = public_data / name
    if not file.is_file():
        pytest.skip(f"the gold set is not at {file}")
    report = link_file(file, truth_column="rec_id" if "febrl" in name else "cluster")
    assert set(report.peer) >= {0.5, 0.95}
    assert report.pairwise.f1 >= max(peer.f1 for peer in report.peer.values())
