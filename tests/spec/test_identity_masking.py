"""What a page shows of a person: the table of masks."""

import pytest

from shouxin.identity import masked

MASKS = """
name        | 陈静                          | 陈*
name        | 陈文静                        | 陈*静
name        | 欧阳文静                      | 欧**静
name        | 静                            | *
name        | John Smith                    | J*** S***
name        | Madonna                       | M***
phone       | 13820462046                   | 138****2046
phone       | +86 138-2046-2046             | 138****2046
phone       | 008613820462046               | 138****2046
phone       | +44 7700 900123               | +44********23
phone       | 0571-88880000                 | 05********00
phone       | 12345                         | ****
email       | chenjing@jincheng.example     | c***g@jincheng.example
email       | ann@jincheng.example          | ***@jincheng.example
email       | no address                    | ****
national_id | 33010619900101274X            | 3301**********274X
national_id | E12345678                     | E******78
national_id | 12345                         | ****
birth_date  | 1990-03-05                    | 1990****
birth_date  | 19900305                      | 1990****
birth_date  | 5.3.1990                      | ****
address     | 浙江省杭州市西湖区文三路 1 号 | 浙江省杭州市****
address     | 杭州市                        | ****
address     | 12 High Street, Leeds         | ****, Leeds
address     | Flat 1, 12 High Street        | ****
"""


@pytest.mark.parametrize("row", MASKS.strip().splitlines())
def test_the_mask_of_a_value(row):
    field, value, expected = (cell.strip() for cell in row.split("|"))
    assert masked(field, value) == expected
