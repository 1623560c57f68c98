"""Registration: what is checked, who is known already, and that nothing refused is lost."""

import pytest
import sqlalchemy
from stdnum.cn import ric

from shouxin import ingestion
from shouxin.governance import Keyring
from shouxin.ingestion.registration import register, register_file

KEYRING = Keyring.from_master(bytes(range(32)))


def national_id(birthday="19900101", serial="001"):
    body = f"990101{birthday}{serial}"
    return body + ric.calc_check_digit(body + "0")


def person(ref="C1", **changes):
    row = {"customer_ref": ref, "name": "陈文静", "channel": "app", "phone": "1010 0000 001"} | changes
    return {name: value for name, value in row.items() if value is not None}


def door(db, now, *rows, source="shop"):
    return register(db, rows, source=source, keyring=KEYRING, now=now)


# what is changed of a good registration                     -> the fields refused
REFUSED = [
    ({"name": None}, ["name"]),
    ({"name": "12345"}, ["name"]),
    ({"phone": None}, ["phone"]),
    ({"phone": "1380"}, ["phone"]),
    ({"email": "chen(at)mail"}, ["email"]),
    ({"national_id": "990101199001010010"}, ["national_id"]),
    ({"national_id": national_id("29900101")}, ["national_id"]),
    ({"birth_date": "1990-02-30"}, ["birth_date"]),
    ({"birth_date": "3/5/1990"}, ["birth_date"]),
    ({"birth_date": "1991-01-01", "national_id": national_id()}, ["birth_date"]),
    ({"card": "6222 0212 3456 7890"}, ["card"]),
    ({"business_code": "91110000600037341A"}, ["business_code"]),
    ({"channel": "pigeon"}, ["payload/channel"]),
    ({"name": None, "phone": "1380", "email": "chen"}, ["name", "phone", "email"]),
]


@pytest.mark.parametrize(("changes", "fields"), REFUSED)
def test_a_refusal_names_every_wrong_field_in_two_languages_and_no_value(db, now, changes, fields):
    (answer,) = door(db, now, person(**changes))
    assert answer.outcome == "refused"
    assert [one.field for one in answer.refusals] == fields
    for one in answer.refusals:
        assert one.text.zh and one.text.en
        assert not any(str(value) in one.text.en for value in changes.values() if value and len(value) > 3)
    assert ingestion.event_count(db) == 0
    (row,) = ingestion.list_quarantine(db)
    assert row.field == fields[0] and row.source == "shop"


def test_a_good_registration_is_an_event_with_everything_sealed(db, now):
    row = person(
        email="Chen@mail.example",
        national_id=national_id(),
        birth_date="1990年1月1日",
        address="浙江省杭州市西湖区文三路1号",
        card="6222 0212 3456 7894",
        business_code="91110000600037341L",
    )
    (answer,) = door(db, now, row)
    assert answer.outcome == "accepted" and not answer.refusals
    (event,) = ingestion.list_events(db, [("shop", "C1")], as_of=now)
    assert event.kind == "customer_registered" and event.payload["business_code"] == "91110000600037341L"
    stored = str(
        db.execute(sqlalchemy.text("SELECT e.*, p.* FROM ingestion.event e, ingestion.personal p")).all()
    )
    for clear in ("陈文静", "10100000", "chen@", "Chen@", row["national_id"], "文三路", "6222"):
        assert clear not in stored
    assert {"card_token", "birth_date_token", "phone_token"} <= set(event.payload)


def test_doubts_are_told_and_do_not_stop_anybody(db, now):
    (answer,) = door(db, now, person(national_id=national_id(), address="文三路1号"))
    assert answer.outcome == "accepted"
    assert [one.field for one in answer.warnings] == ["phone", "national_id", "address"]


def test_registering_again_is_a_duplicate_and_other_values_are_refused(db, now):
    assert door(db, now, person())[0].outcome == "accepted"
    assert door(db, now, person(phone="+86 10100000001"))[0].outcome == "duplicate"  # the same phone
    (other,) = door(db, now, person(phone="10100000002"))
    assert (other.outcome, other.refusals[0].field) == ("refused", "customer_ref")
    assert ingestion.event_count(db) == 1


def test_one_national_id_registers_once_at_a_shop(db, now):
    first, second = door(
        db, now, person("C1", national_id=national_id()), person("C2", national_id=national_id())
    )
    assert (first.outcome, second.outcome) == ("accepted", "refused")
    assert second.refusals[0].field == "national_id"
    assert door(db, now, person("C3", national_id=national_id()))[0].outcome == "refused"
    assert door(db, now, person("C2", national_id=national_id()), source="other")[0].outcome == "accepted"


def test_a_family_may_share_a_phone_and_is_told(db, now):
    door(db, now, person("C1"))
    (answer,) = door(db, now, person("C2", name="陈大明"))
    assert answer.outcome == "accepted"
    assert "Another account" in answer.warnings[-1].text.en


def people_file(tmp_path, text, name="people.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


GOOD_FILE = f"""客户编号,姓名,手机,身份证号,备注
C1,陈文静,10100000001,{national_id()},x
C2,王大明,10100000002,,
C3,李,138,,
C4,赵磊,10100000004,990101199001010010,
C5,孙悦
C2,王大明,10100000002,,
"""


def load(database, file, now):
    return register_file(database.begin, file, source="shop", keyring=KEYRING, now=now)


def test_a_file_is_registered_row_by_row(fresh_database, tmp_path, now):
    file = people_file(tmp_path, GOOD_FILE)
    report = load(fresh_database, file, now)
    receipt = report.receipt
    assert (receipt.read, receipt.accepted, receipt.duplicates, receipt.quarantined) == (6, 2, 1, 3)
    told = {(one.place, problem.field) for one in report.refused for problem in one.problems}
    assert told == {("people.csv:4", "phone"), ("people.csv:5", "national_id"), ("people.csv:6", "row")}
    again = load(fresh_database, file, now)
    assert (again.receipt.accepted, again.receipt.duplicates, again.receipt.quarantined) == (0, 3, 3)
    with fresh_database.begin() as db:
        assert ingestion.event_count(db) == 2
        assert len(ingestion.list_quarantine(db)) == 3


def test_refused_rows_are_read_again_by_the_same_rules(fresh_database, tmp_path, now):
    load(fresh_database, people_file(tmp_path, GOOD_FILE), now)
    with fresh_database.begin() as db:
        receipt = ingestion.replay_quarantine(db, KEYRING, now)
        assert (receipt.read, receipt.accepted, receipt.quarantined) == (3, 0, 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column means customer_ref or name"),
        ("姓名,手机\n陈,1\n", "no column means customer_ref"),
        ("客户编号,姓名,name\n1,2,3\n", "two columns mean name"),
    ],
)
def test_a_file_that_can_not_be_read_says_how_to_mend_it(fresh_database, tmp_path, now, text, said):
    with pytest.raises(ingestion.UnableToRead, match=said):
        load(fresh_database, people_file(tmp_path, text), now)


def test_a_file_that_is_not_utf8_says_how_to_convert_it(fresh_database, tmp_path, now):
    file = tmp_path / "gbk.csv"
    file.write_bytes("客户编号,姓名\nC1,陈\n".encode("gb18030"))
    with pytest.raises(ingestion.UnableToRead, match="iconv"):
        load(fresh_database, file, now)
