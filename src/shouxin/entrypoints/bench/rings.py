"""rings: a million customers' links, and whether links alone find the rings of a shop with families."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shouxin.entrypoints.bench.ground import Ground, World, quiet_engine
from shouxin.entrypoints.bench.lines import Line
from shouxin.entrypoints.bench.timing import seconds_of
from shouxin.features import graph
from shouxin.features.shopwide import last_midnight
from shouxin.scoring.domain.metrics import delong

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_SECONDS_GOAL = 120.0
_AUC_GOAL = 0.9
_LEARNT_DAYS_BEFORE = 365
_NIGHT = datetime(2026, 1, 1, tzinfo=UTC)
_NAMES = tuple(feature.name for feature in graph.FEATURES)


@dataclass(frozen=True, slots=True, eq=False)
class _People:
    """Everybody of a shop, by id: the kind of life behind each, and when each was first known."""

    ids: pa.Array
    kind: npt.NDArray[np.str_]
    known_at: pa.Array


def measure(ground: Ground) -> list[Line]:
    """Seconds of the night's links; then rings that were learnt of, told of customers who came later."""
    return [_time(ground), *_found(ground)]


def _time(ground: Ground) -> Line:
    customers = ground.sizes.rows
    ground.say(f"writing a history of {customers:,} customers and {10 * customers:,} links")
    history = ground.folder / "links"
    links = _written_links(history, customers)
    ground.say("looking at it as at night")
    seconds = seconds_of(lambda: graph.link_features(history, links, night=_NIGHT))
    note = f"{customers:,} customers, {10 * customers:,} links, seven tokens in ten of one customer only"
    return Line("links at night", seconds, "s", goal=_SECONDS_GOAL, note=note)


def _found(ground: Ground) -> list[Line]:
    ground.say("looking for the rings of the simulated shop among its families")
    history = _with_families(ground.world, ground.folder / "families")
    night = last_midnight(ground.world.ends_at)
    before = night - timedelta(days=_LEARNT_DAYS_BEFORE)
    people = _people(ground, history)
    ring, gang = people.kind == "ring", np.isin(people.kind, ("ring", "farm"))
    early, now = _known(people, before), _known(people, night)
    later = now & ~early
    if min(ring[early].sum(), ring[later].sum()) < 2:
        ground.say("there are too few rings in so small a shop to say anything of them")
        return []
    learnt = _values(history, ground.world.links, people, night=before)[early]
    told = _values(history, ground.world.links, people, night=night)[later]
    risk = _learnt(learnt, gang[early], told)
    rings = graph.find_rings(history, ground.world.links, night=night)
    listed = pc.is_in(
        people.ids, value_set=pa.array([m for _, members in rings for m in members], pa.string())
    )
    return [
        *_lines_of_ranking(ring[later], gang[later], risk),
        *_lines_of_list(gang & now, np.asarray(listed.to_numpy(zero_copy_only=False))),
    ]


def _lines_of_ranking(ring: Flags, gang: Flags, risk: Floats) -> list[Line]:
    """Members of rings against everybody who is in no gang; and who is told first, farms among them."""
    judged = ring | ~gang
    area, members = delong(ring[judged].astype(np.float64), risk[judged]), int(gang.sum())
    caught = float(gang[np.argsort(-risk, kind="stable")[:members]].mean())
    note = (
        f"{int(ring.sum())} members among {int(judged.sum()):,} customers who came after what was learnt;"
        f" three in ten have a family; 95 %: {area.low:.4f} to {area.high:.4f}"
    )
    first = f"of the {members} whom links make most suspect, how many are of rings or farms"
    return [
        Line("AUC of ring members", area.value, "", goal=_AUC_GOAL, keeps=">=", note=note),
        Line("members among the first", caught, "share", note=first),
    ]


def _lines_of_list(gang: Flags, listed: Flags) -> list[Line]:
    told = f"{int(listed.sum())} customers listed as suspects, {int(gang.sum())} members of rings and farms"
    precision = float(gang[listed].mean()) if listed.any() else 0.0
    return [
        Line("listed who are members", precision, "share", note=told),
        Line("members who are listed", float(listed[gang].mean()), "share"),
    ]


def _people(ground: Ground, history: Path) -> _People:
    truth = pq.read_table(ground.folder / "world/truth/customers.parquet", columns=["customer_ref", "kind"])
    with quiet_engine() as engine:
        engine.register("truth", truth)
        engine.register("link", ground.world.links)
        found = engine.sql(
            "SELECT customer_id, any_value(truth.kind) AS kind, "
            " min(greatest(occurred_at, received_at)) AS known_at"
            " FROM read_parquet($files) AS event JOIN link USING (source, customer_ref)"
            " JOIN truth USING (customer_ref) GROUP BY customer_id ORDER BY customer_id",
            params={"files": [str(path) for path in sorted(history.glob("*.parquet"))]},
        ).to_arrow_table()
    kind = np.array(found["kind"].to_pylist())
    return _People(found["customer_id"].combine_chunks(), kind, found["known_at"].combine_chunks())


def _known(people: _People, night: datetime) -> Flags:
    known = pc.less_equal(people.known_at, pa.scalar(night, people.known_at.type))
    return np.asarray(known.to_numpy(zero_copy_only=False))


def _values(history: Path, links: pa.Table, people: _People, *, night: datetime) -> Floats:
    """The features of links of everybody, as a linear model can take them: logarithms, missing as 0."""
    found = graph.link_features(history, links, night=night)
    place = pc.index_in(people.ids, value_set=found["customer_id"].combine_chunks())
    alone = graph.alone()
    columns = []
    for name in _NAMES:
        values = found[name].combine_chunks().take(place).to_numpy(zero_copy_only=False)
        shares = pc.is_valid(place).to_numpy(zero_copy_only=False)
        nothing = np.nan if alone[name] is None else float(alone[name] or 0.0)
        columns.append(np.log1p(np.nan_to_num(np.where(shares, values, nothing))))
    return np.column_stack(columns)


def _learnt(values: Floats, ring: Flags, later: Floats) -> Floats:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    risk: Floats = model.fit(values, ring).predict_proba(later)[:, 1]
    return risk


def _with_families(world: World, folder: Path) -> Path:
    """The same history, where three customers in ten have a family.

    The simulated shop has none, and rings would be found too easily. Three who live together share an
    address, every second family a device, every fifth a card.
    """
    folder.mkdir()
    for path in world.history.glob("*.parquet"):
        (folder / path.name).symlink_to(path)
    with quiet_engine() as engine:
        engine.execute(
            "COPY (WITH person AS (SELECT source, customer_ref, min(occurred_at) AS occurred_at,"
            " max(received_at) AS received_at, row_number() OVER (ORDER BY md5(customer_ref)) // 3 AS family"
            " FROM (SELECT source, customer_ref, occurred_at, received_at, kind FROM read_parquet($files)"
            " WHERE kind = 'customer_registered') WHERE hash(md5(customer_ref)) % 10 < 3"
            " GROUP BY source, customer_ref)"
            " SELECT 0::BIGINT AS event_no, source, 'family-' || customer_ref AS source_id,"
            " 'order_placed' AS kind, customer_ref, occurred_at, received_at, NULL::VARCHAR AS order_ref,"
            " NULL::BIGINT AS amount_minor, NULL::VARCHAR AS currency, json_merge_patch('{}', json_object("
            " 'delivery_address_token', 'tok_home_' || family,"
            " 'device_token', CASE WHEN family % 2 = 0 THEN 'tok_tablet_' || family END,"
            " 'card_token', CASE WHEN family % 5 = 0 THEN 'tok_joint_' || family END))::VARCHAR AS payload"
            f" FROM person) TO '{folder / 'families.parquet'}' (FORMAT parquet)",
            {"files": [str(path) for path in sorted(world.history.glob("*.parquet"))]},
        )
    return folder


def _written_links(folder: Path, customers: int) -> pa.Table:
    """A history of five orders a customer, each with a device and a card; returns everybody's link.

    Of a hundred tokens seventy are of one customer, twenty-eight of three, one of forty, and one is a hub.
    """
    folder.mkdir()
    tokens = ", ".join(f"'{name}_token', {_token_sql(name)}" for name in ("device", "card"))
    with quiet_engine() as engine:
        engine.execute("SET preserve_insertion_order = false")
        engine.execute(
            "COPY (SELECT who * 5 + nth AS event_no, 'shop' AS source, 'e' || who || '-' || nth AS source_id,"
            " 'order_placed' AS kind, 'C' || who AS customer_ref, told_at AS occurred_at,"
            " told_at AS received_at, NULL::VARCHAR AS order_ref, NULL::BIGINT AS amount_minor,"
            f" NULL::VARCHAR AS currency, json_object({tokens})::VARCHAR AS payload FROM (SELECT who, nth,"
            " TIMESTAMPTZ '2025-06-01' + INTERVAL 1 MINUTE * (hash(who, nth) % 260000)::INTEGER AS told_at"
            f" FROM range({customers}) AS people (who), range(5) AS orders (nth)))"
            f" TO '{folder / 'links.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
        )
        return engine.sql(
            "SELECT 'shop' AS source, 'C' || who AS customer_ref, 'cus_' || md5(who::VARCHAR) AS customer_id"
            f" FROM range({customers}) AS people (who)"
        ).to_arrow_table()


def _token_sql(name: str) -> str:
    draw = f"hash('{name}', who, nth) % 100"
    return (
        f"'tok_{name}_' || CASE WHEN {draw} < 70 THEN 'own_' || who || '_' || nth"
        f" WHEN {draw} < 98 THEN 'three_' || who // 3 || '_' || nth"
        f" WHEN {draw} < 99 THEN 'forty_' || who // 40 || '_' || nth ELSE 'hub_' || who % 50 END"
    )
