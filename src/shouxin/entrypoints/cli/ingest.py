"""`shouxin ingest`: load events from files, and publish the schemas."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin import ingestion
from shouxin.entrypoints.cli.common import (
    HomeOption,
    JsonOption,
    emit,
    fail,
    opened_house,
    progress_bar,
)
from shouxin.ingestion import Interpreted

app = typer.Typer(
    help="Load events from files, publish their schemas.", no_args_is_help=True, add_completion=False
)
_SCHEMA_SUFFIX = ".schema.json"
PathArgument = Annotated[Path, typer.Argument(help="A file, or a folder of files.")]


@app.command("events")
def load_events(path: PathArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Load a file of canonical events (CSV or Parquet), or a folder of them."""
    _load(ingestion.file_chunks, path, home=home, as_json=as_json, title="events")


@app.command("online-retail")
def load_online_retail(path: PathArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Load the UCI Online Retail set: one CSV file or a folder of daily ones."""
    _load(ingestion.online_retail_chunks, path, home=home, as_json=as_json, title="Online Retail")


@app.command("olist")
def load_olist(
    folder: Annotated[Path, typer.Argument(help="The folder with the orders and order items.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load the orders of the Olist marketplace."""
    _load(ingestion.olist_chunks, folder, home=home, as_json=as_json, title="Olist")


@app.command("clickstream")
def load_clickstream(path: PathArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Load a log of clicks: CSV with timestamp, visitorid, event, itemid, transactionid.

    A transaction becomes an order line where the columns price and currency say what it cost.
    """
    _load(ingestion.clickstream_chunks, path, home=home, as_json=as_json, title="clicks")


@app.command("survey")
def load_survey(
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8, also .gz) with a header in English or Chinese.")],
    source: Annotated[
        str, typer.Option(help="Whose customers they are: the shop's name as a source.")
    ] = "shop",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load answered surveys. A refused row waits in quarantine with its line, field and reason.

    Columns: customer_ref 客户编号, survey 问卷, answered_at 作答时间, answer_id 答卷编号, method 方式,
    satisfaction 满意度, loyalty 忠诚度, likely_to_recommend 推荐意愿, text 意见. The first three are needed,
    and one answer.
    """
    chunks_of = partial(ingestion.survey_chunks, source=source)
    _load(chunks_of, file, home=home, as_json=as_json, title="surveys")


@app.command("schemas")
def write_schemas(
    out: Annotated[Path, typer.Option(help="Folder for the JSON Schema files.")],
    as_json: JsonOption = False,
) -> None:
    """Write the JSON Schema of every kind of event to a folder.

    A folder that holds earlier ones is not written when one of them would be broken without a new version.
    """
    schemas = ingestion.json_schemas()
    broken = _broken_promises(out, schemas)
    if broken:
        fail(f"{out} holds schemas that would be broken; raise the version instead: {'; '.join(broken[:5])}")
    out.mkdir(parents=True, exist_ok=True)
    for kind, schema in schemas.items():
        text = json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True)
        (out / f"{kind}{_SCHEMA_SUFFIX}").write_text(f"{text}\n", encoding="utf-8")
    emit({"folder": str(out), "schemas": len(schemas)}, as_json=as_json, title="JSON Schemas")


def _broken_promises(folder: Path, schemas: Mapping[str, Any]) -> list[str]:
    """What the schemas in a folder promised and the present ones do not keep."""
    broken = []
    for file in sorted(folder.glob(f"*{_SCHEMA_SUFFIX}")):
        kind = file.name.removesuffix(_SCHEMA_SUFFIX)
        try:
            before = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            fail(f"{file}: is not JSON; remove it or name another folder")
        if kind not in schemas:
            broken.append(f"{kind}: the kind is gone")
        else:
            broken += [f"{kind} {what}" for what in ingestion.broken_promises(before, schemas[kind])]
    return broken


def _load(
    chunks_of: Callable[[Path], Iterator[Interpreted]],
    path: Path,
    *,
    home: Path | None,
    as_json: bool,
    title: str,
) -> None:
    """Load chunk by chunk, each in a transaction of its own: an interrupted load goes on when run again."""
    with opened_house(home) as house, progress_bar(f"Loading {title}") as advance:
        try:
            receipt = ingestion.load_stepwise(
                house.database.begin,
                chunks_of(path),
                keyring=house.keyring,
                now=house.clock(),
                progress=advance,
            )
        except (ingestion.UnableToRead, ingestion.UnableToLoad) as error:
            fail(str(error))
    emit(receipt.as_data(), as_json=as_json, title=f"Loaded {path}")
