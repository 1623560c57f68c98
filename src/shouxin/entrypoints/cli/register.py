"""`shouxin register`: the people of a file become customers, each row checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shouxin.entrypoints.cli.common import (
    HomeOption,
    JsonOption,
    emit,
    fail,
    opened_house,
    print_table,
    progress_bar,
)
from shouxin.ingestion import UnableToRead
from shouxin.ingestion.registration import PeopleReport, register_file

_SHOWN_MAX = 20


def register(
    file: Annotated[
        Path, typer.Argument(help="CSV (UTF-8, also .gz) with a header: customer_ref, name, phone, ..")
    ],
    source: Annotated[
        str, typer.Option(help="Whose customers they are: the shop's name as a source.")
    ] = "shop",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register the people of a CSV file. A refused row is told with its line, field and reason.

    Columns (English or Chinese): customer_ref 客户编号, name 姓名, phone 手机, email 邮箱,
    national_id 身份证号, birth_date 出生日期, address 地址, card 银行卡号, business_code 统一社会信用代码,
    channel 渠道, region 地区, registered_at 注册时间. Each needs a reference, a name, and a phone, an
    e-mail or a national id.
    """
    with opened_house(home) as house, progress_bar(f"Registering {file.name}") as advance:
        try:
            report = register_file(
                house.database.begin,
                file,
                source=source,
                keyring=house.keyring,
                now=house.clock(),
                progress=advance,
            )
        except UnableToRead as error:
            fail(str(error))
    figures = report.receipt.as_data() | {"warnings": report.warnings}
    if as_json:
        refused = [
            {
                "place": p.place,
                "customer_ref": p.customer_ref,
                "fields": {x.field: x.text.as_data() for x in p.problems},
            }
            for p in report.refused
        ]
        emit(figures | {"refused": refused}, as_json=True)
        return
    emit(figures, as_json=False, title=f"Registered {file}")
    _print_refused(report)


def _print_refused(report: PeopleReport) -> None:
    if not report.refused:
        return
    rows = [
        (person.place, person.customer_ref, problem.field, problem.text.en)
        for person in report.refused
        for problem in person.problems
    ]
    title = "Refused, waiting in quarantine" + (
        f" (the first {_SHOWN_MAX})" if len(rows) > _SHOWN_MAX else ""
    )
    print_table(title, ("line", "reference", "field", "why"), rows[:_SHOWN_MAX])
