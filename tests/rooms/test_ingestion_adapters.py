"""Adapters: the traps of the public data sets, decided with a reason each."""

import shutil

import pytest

from shouxin import ingestion
from shouxin.governance import Keyring
from shouxin.kernel import Money

KEYS = Keyring.from_master(b"k" * 32)
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
SALE = "536365,85123A,LANTERN,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom"


def retail(db, now, tmp_path, *lines, name="lines.csv", header=HEADER):
    path = tmp_path / name
    path.write_text("\n".join((header, *lines)) + "\n")
    return ingestion.load_online_retail(db, path, keyring=KEYS, now=now)


def retail_events(db, now, ref="17850"):
    return ingestion.list_events(db, [("online-retail", ref)], as_of=now)


def test_a_line_is_an_event_in_pounds_at_london_time(db, now, tmp_path):
    summer = "540000,POST,POSTAGE,1,2011-07-01 08:26:00,18,17850,France"
    assert retail(db, now, tmp_path, SALE, summer).accepted == 2
    sale, postage = retail_events(db, now)
    assert (sale.kind, sale.order_ref, sale.amount) == ("order_line_placed", "536365", Money(1530, "GBP"))
    assert sale.payload == {
        "sku": "85123A",
        "quantity": 6,
        "unit_price_minor": 255,
        "country": "United Kingdom",
    }
    assert sale.occurred_at.isoformat() == "2010-12-01T08:26:00+00:00"
    assert postage.occurred_at.isoformat() == "2011-07-01T07:26:00+00:00"
    assert postage.received_at == postage.occurred_at
    assert postage.payload["product"] is False


def test_a_cancellation_has_positive_quantity_and_amount(db, now, tmp_path):
    retail(db, now, tmp_path, "C536379,22139,SET,-3,2010-12-01 09:41:00,4.25,17850.0,United Kingdom")
    (event,) = retail_events(db, now)
    assert (event.kind, event.order_ref) == ("order_line_cancelled", "C536379")
    assert (event.payload["quantity"], event.amount) == (3, Money(1275, "GBP"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (SALE.replace("17850.0", ""), "customer_ref: missing"),
        (SALE.replace(",6,", ",-6,"), "Quantity: negative, and the invoice is no cancellation"),
        (SALE.replace(",6,", ",0,"), "Quantity: zero"),
        (SALE.replace(",6,", ",six,"), "Quantity: not a whole number"),
        (SALE.replace("536365", "C536365"), "Quantity: positive on a cancellation"),
        (SALE.replace("2.55", "0"), "UnitPrice: not above zero"),
        (SALE.replace("2.55", "-11062.06"), "UnitPrice: not above zero"),
        (SALE.replace("2.55", "0.001"), "UnitPrice: not a whole number of pence"),
        (SALE.replace("2.55", "dear"), "UnitPrice: not a number"),
        (SALE.replace("2010-12-01", "2010-13-01"), "InvoiceDate: not a time"),
        (SALE.replace("536365", "A536365"), "InvoiceNo: neither an invoice nor a cancellation"),
        (SALE + ",more", "row: has 9 fields instead of 8"),
    ],
)
def test_a_line_that_is_not_a_sale_is_refused_with_its_reason(db, now, tmp_path, line, reason):
    for _ in range(2):
        receipt = retail(db, now, tmp_path, line)
        assert (receipt.read, receipt.accepted, receipt.reasons) == (1, 0, {reason: 1})
    assert len(ingestion.list_quarantine(db)) == 1
    replayed = ingestion.replay_quarantine(db, KEYS, now)
    assert (replayed.read, replayed.quarantined) == (1, 1)


def test_an_exact_copy_of_a_line_is_a_duplicate_whether_taken_or_refused(db, now, tmp_path):
    nobody = SALE.replace("17850.0", "")
    receipt = retail(db, now, tmp_path, SALE, nobody, SALE, nobody)
    assert (receipt.accepted, receipt.duplicates, receipt.quarantined) == (1, 2, 1)


def test_daily_files_and_one_file_in_another_spelling_agree(db, now, tmp_path):
    folder = tmp_path / "days"
    folder.mkdir()
    (folder / "1.csv").write_text(f"{HEADER}\n{SALE}\n")
    second = "536366,22633,\xa3 WARMER,6,2010-12-02 08:28:00,1.85,17850.0,United Kingdom"
    (folder / "2.csv").write_text(f"{HEADER}\n{second}\n")
    assert ingestion.load_online_retail(db, folder, keyring=KEYS, now=now).accepted == 2
    spelled = [
        SALE.replace("2010-12-01 08:26:00", "12/1/2010 8:26").replace("17850.0", "17850"),
        second.replace("2010-12-02 08:28:00", "12/2/2010 8:28"),
    ]
    whole = tmp_path / "data.csv"
    whole.write_bytes("\r\n".join((HEADER, *spelled)).encode("cp1252"))
    receipt = ingestion.load_online_retail(db, whole, keyring=KEYS, now=now)
    assert (receipt.accepted, receipt.duplicates) == (0, 2)


def test_files_of_a_folder_may_order_their_columns_differently(db, now, tmp_path):
    folder = tmp_path / "days"
    folder.mkdir()
    (folder / "1.csv").write_text(f"{HEADER}\n{SALE}\n")
    turned = [",".join(reversed(line.split(","))) for line in (HEADER, SALE)]
    (folder / "2.csv").write_text("\n".join(turned))
    receipt = ingestion.load_online_retail(db, folder, keyring=KEYS, now=now)
    assert (receipt.read, receipt.accepted, receipt.duplicates) == (2, 1, 1)


def test_a_file_of_another_kind_is_named(db, now, tmp_path):
    with pytest.raises(ingestion.UnableToRead, match=r"lines\.csv: the header lacks InvoiceNo"):
        retail(db, now, tmp_path, header="a,b,c")


def test_real_days_of_online_retail_load_once(db, now, tmp_path, public_data):
    for day in ("2010-12-01", "2010-12-02", "2010-12-03"):
        shutil.copy(public_data / "online_retail" / f"{day}.csv", tmp_path)
    first = ingestion.load_online_retail(db, tmp_path, keyring=KEYS, now=now)
    again = ingestion.load_online_retail(db, tmp_path, keyring=KEYS, now=now)
    lines = sum(len(path.read_text().splitlines()) - 1 for path in tmp_path.iterdir())
    assert first.read == again.read == lines
    assert first.accepted == ingestion.event_count(db) > 4000
    assert (again.accepted, again.duplicates) == (0, first.accepted + first.duplicates)
    assert again.quarantined == first.quarantined


ORDERS = (
    "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
    "order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date\n"
    "o1,k1,delivered,2018-03-27 18:00:43,2018-03-27 19:00:00,2018-03-29 21:00:00,"
    "2018-04-20 01:00:00,2018-04-18 00:00:00\n"
    "o2,k2,canceled,2018-03-28 10:00:00,,,,2018-04-18 00:00:00\n"
)
ITEMS = (
    "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value\n"
    "o1,1,p1,s1,2018-04-01,12.99,7.01\no1,2,p1,s1,2018-04-01,10.00,0.5\no9,1,p1,s1,2018-04-01,1,1\n"
)


def olist(db, now, tmp_path, **files):
    for name, content in ({"orders": ORDERS, "order_items": ITEMS} | files).items():
        (tmp_path / f"{name}.csv").write_text(content)
    return ingestion.load_olist(db, tmp_path, keyring=KEYS, now=now)


def test_an_olist_order_is_told_as_its_steps(db, now, tmp_path):
    customers = "customer_id,customer_unique_id\nk1,person-1\nk2,person-1\n"
    receipt = olist(db, now, tmp_path, customers=customers)
    assert receipt.reasons == {"amount: missing": 1, "order_id: no such order in this folder": 1}
    events = ingestion.list_events(db, [("olist", "person-1")], as_of=now)
    assert [event.kind for event in events] == [
        "order_placed",
        "order_paid",
        "order_cancelled",
        "order_shipped",
        "order_delivered",
    ]
    placed, delivered = events[0], events[-1]
    assert placed.amount == Money(3050, "BRL")
    assert placed.payload == {"items": 2, "merchant_ref": "s1", "payment_method": "unknown"}
    assert placed.occurred_at.isoformat() == "2018-03-27T21:00:43+00:00"
    assert delivered.payload == {"days_late": 2}
    again = olist(db, now, tmp_path)
    assert (again.accepted, again.duplicates) == (0, 5)


def test_an_olist_folder_without_orders_says_what_to_put_there(db, now, tmp_path):
    with pytest.raises(ingestion.UnableToRead, match=r"holds no olist_orders_dataset\.csv"):
        ingestion.load_olist(db, tmp_path, keyring=KEYS, now=now)


@pytest.mark.parametrize("sample", ["sample_a", "sample_b"])
def test_real_olist_samples_load(db, now, public_data, sample):
    receipt = ingestion.load_olist(db, public_data / "olist" / sample, keyring=KEYS, now=now)
    assert receipt.read > 39_000
    assert set(receipt.reasons) <= {"amount: missing", "payload/items: missing"}
