"""Normalising as a table: what people write, and the one form it gets. An empty form: it can not be used."""

import pytest

from shouxin.ingestion.domain.normalising import (
    normal_bank_card,
    normal_business_code,
    normal_date,
    normal_email,
    normal_money,
    normal_name,
    normal_national_id,
    normal_phone,
    parse_address,
)

TABLE = """
phone    | 138 0000 0001            | +8613800000001          |
phone    | ＋８６-138-0000-0001      | +8613800000001          |
phone    | 0086 13800000001         | +8613800000001          |
phone    | 0571-88888888            | +8657188888888          |
phone    | 021 61000000转12         | +862161000000;ext=12    |
phone    | +1 650 253 0000          | +16502530000            |
phone    | 10100000001              | +8610100000001          | phone_not_assigned
phone    | 1380000000               |                         | not_a_phone
phone    | 没有                     |                         | not_a_phone
email    | Chen.Wei@Mail.Example    | chen.wei@mail.example   |
email    | ｃｈｅｎ＠mail.example      | chen@mail.example       |
email    | chen@mail                |                         | not_an_email
email    | chen                     |                         | not_an_email
national | 11010519491231002x       | 11010519491231002X      |
national | 1101 0519 4912 3100 2X   | 11010519491231002X      |
national | 110105491231002          | 11010519491231002X      |
national | 110105194912310021       |                         | wrong_check_digit
national | 990101199001010019       | 990101199001010019      | region_unknown
national | 1101051949               |                         | wrong_length
business | 91110000600037341L       | 91110000600037341L      |
business | 91110000600037341A       |                         | wrong_check_digit
card     | 6222 0212 3456 7894      | 6222021234567894        |
card     | 6222 0212 3456 7890      |                         | wrong_check_digit
card     | 62220                    |                         | wrong_length
date     | 1990年3月5日             | 1990-03-05              |
date     | １９９０/3/5               | 1990-03-05              |
date     | 19900305                 | 1990-03-05              |
date     | 25.3.1990                | 1990-03-25              |
date     | 3/5/1990                 |                         | ambiguous_date
date     | 5/5/1990                 | 1990-05-05              |
date     | 1990-02-30               |                         | no_such_date
money    | ￥1,299.00               | 1299.00                 |
money    | 1299元                   | 1299.00                 |
money    | 1.2万                    | 12000.00                |
money    | -35.5                    | -35.50                  |
money    | 12,99                    |                         | not_money
money    | about 5                  |                         | not_money
name     | 陈 文静                  | 陈文静                  |
name     | 欧阳娜先生               | 欧阳娜                  |
name     | 阿依古丽．买买提         | 阿依古丽·买买提         |
name     | Li, Wei                  | Wei Li                  |
name     | Dr. Maria  Gomez         | Maria Gomez             |
name     | 12345                    |                         | not_a_name
"""
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in TABLE.strip().splitlines()]
NORMALISERS = {
    "phone": normal_phone,
    "email": normal_email,
    "national": normal_national_id,
    "business": normal_business_code,
    "card": normal_bank_card,
    "date": normal_date,
    "money": normal_money,
    "name": normal_name,
}


@pytest.mark.parametrize(("kind", "written", "form", "problem"), ROWS)
def test_what_is_written_gets_one_form(kind, written, form, problem):
    found = NORMALISERS[kind](written)
    assert (found.value or "", ",".join(found.problems)) == (form, problem)
    assert found.raw == written
    assert bool(found.refusals) == (not form and problem != "ambiguous_date")


def test_parts_of_people_and_ids():
    assert normal_national_id("11010519491231002X").parts == {
        "region": "110105",
        "birth_date": "1949-12-31",
        "sex": "female",
    }
    assert normal_name("欧阳娜").parts == {"family": "欧阳", "given": "娜"}
    assert normal_name("Maria Gomez").parts == {"family": "Gomez", "given": "Maria"}


# address | code | province | city | district | town | road | number
ADDRESSES = """
浙江省杭州市西湖区文三路 1 号 | 330106 | 浙江省 | 杭州市 | 西湖区 |  | 文三路 | 1号
浙江杭州西湖区文三路１号 | 330106 | 浙江省 | 杭州市 | 西湖区 |  | 文三路 | 1号
西湖区文三路1号杭州 |  |  |  |  |  | 文三路 | 1号
中国 广西桂林市阳朔县阳朔镇西街8号 | 450321 | 广西壮族自治区 | 桂林市 | 阳朔县 | 阳朔镇 | 西街 | 8号
上海市浦东新区世纪大道100号 | 310115 | 上海市 |  | 浦东新区 |  | 世纪大道 | 100号
义乌市洪界路138号7楼 | 330782 | 浙江省 | 金华市 | 义乌市 |  | 洪界路 | 138号
台州路桥区马铺路22幢 | 331004 | 浙江省 | 台州市 | 路桥区 |  | 马铺路 |
南京东路5号 |  |  |  |  |  | 南京东路 | 5号
浙江-台州-温岭市浙江省温岭市横湖路7号 | 331081 | 浙江省 | 台州市 | 温岭市 |  | 横湖路 | 7号
杭州市江干区下沙街道学林街1号 | 330104 | 浙江省 | 杭州市 | 江干区 | 下沙街道 | 学林街 | 1号
湖北省仙桃市仙桃大道2号 | 429004 | 湖北省 |  | 仙桃市 |  | 仙桃大道 | 2号
"""
ADDRESS_ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in ADDRESSES.strip().splitlines()]


@pytest.mark.parametrize(
    ("text", "code", "province", "city", "district", "town", "road", "number"), ADDRESS_ROWS
)
def test_an_address_is_read_from_the_widest_place(text, code, province, city, district, town, road, number):
    read = parse_address(text)
    places = [place.name if place else "" for place in (read.province, read.city, read.district)]
    assert [read.code or "", *places] == [code, province, city, district]
    assert [read.part(level) or "" for level in ("town", "road", "number")] == [town, road, number]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("文三路1号", "no_division"),
        ("鼓楼区中山路1号", "ambiguous_division"),
        ("杭州市江干区下沙街道", "former_division"),
        ("衢州市德清县武康镇", "contradicting_divisions"),
    ],
)
def test_what_is_doubtful_about_an_address_is_told(text, problem):
    assert problem in parse_address(text).problems
