"""Ground: what the benchmarks measure on, made when it is first needed and taken away at the end.

Everything is simulated and lies in a temporary folder. Only ``console`` looks at the home it is given.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from shouxin import decisions, features, scoring, simulation
from shouxin.database import Home, opened
from shouxin.decisions.domain import features_read
from shouxin.entrypoints.bench.sizes import Sizes
from shouxin.entrypoints.bench.timing import Say
from shouxin.entrypoints.demo import DemoSettings, run_demo
from shouxin.entrypoints.house import House
from shouxin.governance import load_keyring
from shouxin.kernel import Bar, Progress, silent_bar

_START = date(2024, 8, 1)
_MONTHS = 18
_SEED = 7
_SHARED = ("device", "card", "delivery_address", "address", "phone", "email")
_OUTCOME = features.OUTCOMES["defaults-next-180d"]
_DIRECTIONS = {features.Direction.HIGHER_IS_RISKIER: 1, features.Direction.HIGHER_IS_SAFER: -1}


@dataclass(frozen=True, slots=True)
class World:
    """A simulated shop on disk: events as a shop sends them, and as the history keeps them."""

    events: tuple[Path, ...]
    history: Path
    links: pa.Table
    ends_at: datetime


@dataclass(eq=False)
class Ground:
    """Sizes, a folder of its own, and what is made in it. ``home`` is only read by ``console``."""

    sizes: Sizes
    home: Home
    say: Say
    folder: Path
    stack: ExitStack = field(default_factory=ExitStack)
    bar: Bar = silent_bar

    @classmethod
    @contextmanager
    def made(cls, sizes: Sizes, *, home: Home, say: Say, bar: Bar = silent_bar) -> Iterator[Ground]:
        """A ground in a temporary folder that goes with it."""
        with (
            tempfile.TemporaryDirectory(prefix="shouxin-bench-", ignore_cleanup_errors=True) as name,
            ExitStack() as stack,
        ):
            folder = Path(name)
            folder.chmod(0o711)  # started by root, the database runs as somebody else
            yield cls(sizes, home, say, folder, stack, bar)

    @cached_property
    def world(self) -> World:
        """The events of a simulated shop, and their history as ingestion would have exported it."""
        shop = self.folder / "world"
        self.say(f"simulating a shop of {self.sizes.customers:,} customers")
        with self.bar("simulating") as progress:
            report = simulation.simulate(
                shop, customers=self.sizes.customers, months=_MONTHS, start=_START, seed=_SEED,
                live_days=30, progress=progress,
            )  # fmt: skip
        events = tuple(sorted((shop / "events").glob("*.parquet")))
        links = written_history(events, self.folder / "history")
        if self.sizes.copies > 1:
            self.say(f"copying the shop {self.sizes.copies - 1} times, each with customers of its own")
            with self.bar("copying") as progress:
                links = copied(self.folder / "history", links, count=self.sizes.copies, progress=progress)
        return World(events, self.folder / "history", links, datetime.fromisoformat(report.history_ends_at))

    @cached_property
    def features(self) -> pa.Table:
        """The catalogue over everybody at the end of the history."""
        return features.compute(self.world.history, self.world.links, as_of=self.world.ends_at)

    @cached_property
    def labelled(self) -> pa.Table:
        """Features 180 days before the end, and who defaulted since."""
        as_of = self.world.ends_at - timedelta(days=_OUTCOME.window_days)
        return features.training_set(
            self.world.history, self.world.links, as_ofs=[as_of], outcome=_OUTCOME,
            known_until=self.world.ends_at,
        )  # fmt: skip

    @cached_property
    def models(self) -> dict[str, scoring.Artefact]:
        """A scorecard and an EBM trained on the simulated shop."""
        return {model: self._trained(model, columns_of(self.labelled)) for model in ("scorecard", "ebm")}

    @cached_property
    def trees(self) -> scoring.Artefact:
        """Boosted trees trained on the simulated shop, on what the other models and a checkout read."""
        return self._trained("lightgbm", self.learnt())

    @cached_property
    def shop(self) -> House:
        """A small shop that went through the whole chain: graded, lent to, some late."""
        self.say(f"living a shop of {self.sizes.shop_customers:,} customers through the whole chain")
        house = self.empty_house("shop")
        settings = DemoSettings(
            self.sizes.shop_customers, _MONTHS, _SEED, live_days=30, today=house.clock().date(),
            model="scorecard",
        )  # fmt: skip
        run_demo(house, settings, bar=self.bar, told=lambda *_: None)
        return house

    def empty_house(self, name: str) -> House:
        """A new house on an embedded server of its own, as durable as the real one."""
        home = Home(self.folder / name)
        return House(self.stack.enter_context(opened(home)), load_keyring(home), home)

    def resampled(self, rows: int) -> dict[str, npt.NDArray[Any]]:
        """``rows`` customers drawn from the simulated ones, as columns of what a checkout reads."""
        drawn = np.random.default_rng(_SEED).integers(0, self.features.num_rows, rows)
        return {name: values[drawn] for name, values in self._read_of(self.features).items()}

    def learnt(self) -> dict[str, npt.NDArray[Any]]:
        """The same columns of the labelled customers, for a peer to learn from."""
        return self._read_of(self.labelled)

    def _read_of(self, table: pa.Table) -> dict[str, npt.NDArray[Any]]:
        of_models = {name for model in self.models.values() for name in model.names}
        read = of_models | features_read(decisions.STANDARD_CHECKOUT)
        return {name: values for name, values in columns_of(table).items() if name in read}

    def _trained(self, model: str, columns: dict[str, npt.NDArray[Any]]) -> scoring.Artefact:
        self.say(f"training the {model}")
        return scoring.train_columns(
            columns,
            self.labelled["event"].to_numpy(),
            model=model,
            outcome=_OUTCOME.name,
            directions={d.name: _DIRECTIONS[d.direction] for d in features.CATALOGUE if d.direction},
            meanings={d.name: d.meaning for d in features.CATALOGUE},
        ).artefact


def columns_of(table: pa.Table) -> dict[str, npt.NDArray[Any]]:
    """The features of a table as float64 columns, missing as NaN."""
    names = [definition.name for definition in features.CATALOGUE]
    return {name: table[name].to_numpy().astype(np.float64) for name in names}


@contextmanager
def quiet_engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB whose clock is UTC, and whose bar is not drawn among the figures."""
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        yield engine


def written_history(events: tuple[Path, ...], folder: Path) -> pa.Table:
    """Write the events as the history has them, with tokens of what is shared; returns everybody's link."""
    folder.mkdir()
    files = [str(path) for path in events]
    tokens = "json_object(" + ", ".join(
        f"'{name}_token', 'tok_' || md5('{name}' || (personal ->> '$.{name}'))" for name in _SHARED
    ) + ")"  # fmt: skip
    with quiet_engine() as engine:
        engine.execute(
            "COPY (SELECT DISTINCT ON (source, source_id) row_number() OVER () AS event_no,"
            " source, source_id, kind, customer_ref, occurred_at, received_at, order_ref, amount_minor,"
            f" currency, CASE WHEN personal IS NULL THEN payload"
            f" ELSE json_merge_patch(payload, {tokens})::VARCHAR END AS payload FROM read_parquet($files))"
            f" TO '{folder / 'events-000000.parquet'}' (FORMAT parquet, COMPRESSION zstd)",
            {"files": files},
        )
        return engine.sql(
            "SELECT DISTINCT source, customer_ref, 'cus_' || md5(source || customer_ref) AS customer_id"
            " FROM read_parquet($files)",
            params={"files": files},
        ).to_arrow_table()


def copied(history: Path, links: pa.Table, *, count: int, progress: Progress) -> pa.Table:
    """``count`` shops in place of one: the same events of other customers; returns everybody's link."""
    (first,) = history.glob("*.parquet")
    rows = pq.read_metadata(first).num_rows
    tables = [links]
    with quiet_engine() as engine:
        engine.register("link", links)
        for number in range(1, count):
            other = f"/{number}"
            engine.execute(
                f"COPY (SELECT * REPLACE (event_no + {rows * number} AS event_no, source_id || '{other}' AS"
                f" source_id, customer_ref || '{other}' AS customer_ref, order_ref || '{other}' AS order_ref)"
                f" FROM read_parquet('{first}')) TO '{history / f'events-{number:06}.parquet'}'"
                " (FORMAT parquet, COMPRESSION zstd)"
            )
            tables.append(
                engine.sql(
                    f"SELECT source, customer_ref || '{other}' AS customer_ref, customer_id || '{other}'"
                    " AS customer_id FROM link"
                ).to_arrow_table()
            )
            progress(number, count - 1)
    return pa.concat_tables(tables)
