"""A world of more than one block: the bytes do not depend on who draws it, and blocks never meet."""

from datetime import date

import duckdb
import pytest

from shouxin import simulation
from shouxin.simulation import UnableToSimulate, Wanted, blocks, simulate
from shouxin.simulation.service import check_room
from shouxin.simulation.world import BLOCK_CUSTOMERS

ASKED = {"months": 3, "start": date(2024, 9, 1), "seed": 5, "live_days": 10}
TWO_BLOCKS = BLOCK_CUSTOMERS + 100


def digests(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("two")
    return out, simulate(out, customers=TWO_BLOCKS, **ASKED)


def test_two_workers_write_the_same_bytes_as_one(world, tmp_path):
    seen = []
    simulate(tmp_path, customers=TWO_BLOCKS, workers=2, progress=lambda *step: seen.append(step), **ASKED)
    assert digests(tmp_path) == digests(world[0])
    assert seen == [(n, seen[0][1]) for n in range(1, seen[0][1] + 1)]


def test_a_block_does_not_depend_on_how_many_follow_it(world, tmp_path):
    asked = ASKED | {"live_checkouts": 0, "live_days": 0}
    simulate(tmp_path / "one", customers=BLOCK_CUSTOMERS, **asked)
    simulate(tmp_path / "two", customers=TWO_BLOCKS, **asked)
    alone, first = digests(tmp_path / "one/events"), digests(tmp_path / "two/events")
    assert alone == {name: held for name, held in first.items() if "-b000" in name}
    assert len(first) == 2 * len(alone) == 6


def test_nobody_and_nothing_of_two_blocks_has_the_same_name(world):
    out, report = world
    events = f"'{out}/events/*.parquet', '{out}/live/events/*.parquet'"
    facts, told, phones, people, refs, orders, placed = duckdb.execute(
        f"""SELECT count(DISTINCT source_id), count(*), count(DISTINCT personal ->> '$.phone'),
          (SELECT count(DISTINCT person) FROM '{out}/truth/customers.parquet'),
          count(DISTINCT customer_ref), count(DISTINCT order_ref),
          count(DISTINCT source_id) FILTER (kind = 'order_placed')
        FROM read_parquet([{events}])"""
    ).fetchall()[0]
    assert facts == report.events + report.live_events <= told
    assert phones == people
    assert refs == TWO_BLOCKS
    assert orders == placed


def test_the_report_adds_the_blocks_up(world):
    out, report = world
    counted = duckdb.sql(f"SELECT kind, count(DISTINCT source_id) FROM '{out}/events/*.parquet' GROUP BY 1")
    assert dict(counted.fetchall()) == report.by_kind
    assert sum(report.orders_by_channel.values()) == pytest.approx(report.by_kind["order_placed"], rel=0.001)


def test_checkouts_are_shared_out_and_all_in_order_of_time(world):
    out, report = world
    intents = list(simulation.read_checkouts(out / "live/checkouts.parquet"))
    assert len(intents) == report.live_checkouts
    assert [intent.at for intent in intents] == sorted(intent.at for intent in intents)
    asked = Wanted(customers=1_000_000, months=3, start=date(2024, 9, 1), seed=5, live_checkouts=777)
    assert sum(block.checkouts for block in blocks(asked)) == 777
    assert sum(block.customers for block in blocks(asked)) == 1_000_000


def test_a_world_that_does_not_fit_the_disk_is_refused(tmp_path):
    wanted = Wanted(customers=1_000_000, months=24, start=date(2024, 9, 1), seed=5)
    check_room(wanted, tmp_path, free=50 * 10**9)
    with pytest.raises(UnableToSimulate, match=r"has 1\.0 GB free"):
        check_room(wanted, tmp_path, free=10**9)


@pytest.mark.parametrize("workers", [0, 65])
def test_an_impossible_number_of_workers_is_refused(tmp_path, workers):
    with pytest.raises(UnableToSimulate, match="workers must be"):
        simulate(tmp_path, customers=100, workers=workers, **ASKED)
