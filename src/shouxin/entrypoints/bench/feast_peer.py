"""Feast's offline store on a point-in-time set; run by whichever Python has Feast, and by nothing of ours.

    python feast_peer.py FOLDER

FOLDER holds values.parquet (customer_id, as_of, one column a feature: what a shop would have
stored beforehand) and wanted.parquet (customer_id, as_of). Writes found.parquet there and prints
one JSON object. Only the retrieval is timed: neither the imports nor the registry.
"""

import json
import sys
import time
from datetime import timedelta
from importlib import import_module
from pathlib import Path


def main(folder: Path) -> None:
    """Ask Feast for every feature of every row that is wanted."""
    feast, types, pandas = (import_module(name) for name in ("feast", "feast.types", "pandas"))
    keys = ["customer_id", "as_of"]
    names = [name for name in pandas.read_parquet(folder / "values.parquet").columns if name not in keys]
    customer = feast.Entity(name="customer", join_keys=["customer_id"], value_type=feast.ValueType.STRING)
    view = feast.FeatureView(
        name="values",
        entities=[customer],
        ttl=timedelta(days=0),
        schema=[feast.Field(name=name, dtype=types.Float64) for name in names],
        source=feast.FileSource(path=str(folder / "values.parquet"), timestamp_field="as_of"),
        online=False,
    )
    config = feast.RepoConfig(
        project="bench",
        provider="local",
        registry=str(folder / "registry.db"),
        offline_store={"type": "dask"},
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        entity_key_serialization_version=3,
    )
    store = feast.FeatureStore(config=config)
    store.apply([customer, view])
    wanted = pandas.read_parquet(folder / "wanted.parquet").rename(columns={"as_of": "event_timestamp"})
    begun = time.perf_counter()
    found = store.get_historical_features(
        entity_df=wanted, features=[f"values:{name}" for name in names]
    ).to_df()
    seconds = time.perf_counter() - begun
    found = found.rename(columns={"event_timestamp": "as_of"})
    found.to_parquet(folder / "found.parquet")
    sys.stdout.write(json.dumps({"seconds": seconds, "rows": len(found), "features": len(names)}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
