"""People files: CSV in UTF-8 with a header in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shouxin.ingestion.headers import columns_of
from shouxin.ingestion.reading import RawChunk, csv_chunks

_ROWS = 2_000
# Our name -> how headers of shops' files spell it; compared without case, spaces and underscores.
_SPELLINGS = {
    "customer_ref": (
        "customerref",
        "customerid",
        "memberid",
        "客户编号",
        "客户号",
        "会员号",
        "会员编号",
        "用户编号",
    ),
    "channel": ("channel", "渠道", "来源渠道"),
    "region": ("region", "地区", "大区"),
    "registered_at": ("registeredat", "registrationtime", "注册时间", "注册日期"),
    "business_code": ("businesscode", "统一社会信用代码", "信用代码"),
    "name": ("name", "fullname", "姓名", "客户姓名", "名字"),
    "phone": (
        "phone",
        "mobile",
        "telephone",
        "phonenumber",
        "手机",
        "手机号",
        "手机号码",
        "电话",
        "联系电话",
    ),
    "email": ("email", "e-mail", "mail", "邮箱", "电子邮箱", "电子邮件"),
    "national_id": ("nationalid", "idnumber", "idcard", "身份证", "身份证号", "身份证号码", "证件号"),
    "birth_date": ("birthdate", "dateofbirth", "dob", "birthday", "出生日期", "生日"),
    "address": ("address", "地址", "联系地址", "住址", "收货地址"),
    "card": ("card", "bankcard", "银行卡", "银行卡号"),
}


def people_chunks(path: Path) -> Iterator[tuple[RawChunk, list[dict[str, str]]]]:
    """Chunks of a people file and their rows under our names. Raises UnableToRead.

    Columns that mean nothing to us are not read. A row that does not fit the header is in ``malformed``.
    """
    names = columns_of(path, spellings=_SPELLINGS, needed=("customer_ref", "name"))
    chunks = csv_chunks([path], required=list(names), rows=_ROWS)
    for chunk in chunks:
        records = chunk.table.select(list(names)).to_pylist()
        yield chunk, [{names[name]: (value or "").strip() for name, value in row.items()} for row in records]
