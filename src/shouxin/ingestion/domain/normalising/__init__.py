"""Normalising: one form for one value, whatever channel wrote it; the raw text is never lost.

Every function takes a text and gives a ``Normal``: the text as it came, the one form (or None when there
is none), its parts, and what is wrong with it. Normalising what is normal changes nothing.
"""

from shouxin.ingestion.domain.normalising.addresses import Address, parse_address
from shouxin.ingestion.domain.normalising.contacts import normal_email, normal_phone
from shouxin.ingestion.domain.normalising.dates import normal_date
from shouxin.ingestion.domain.normalising.divisions import Division, division_of
from shouxin.ingestion.domain.normalising.identifiers import (
    normal_bank_card,
    normal_business_code,
    normal_money,
    normal_national_id,
)
from shouxin.ingestion.domain.normalising.names import normal_name
from shouxin.ingestion.domain.normalising.problems import REFUSING, Normal, Problem, folded

__all__ = [
    "REFUSING",
    "Address",
    "Division",
    "Normal",
    "Problem",
    "division_of",
    "folded",
    "normal_bank_card",
    "normal_business_code",
    "normal_date",
    "normal_email",
    "normal_money",
    "normal_name",
    "normal_national_id",
    "normal_phone",
    "parse_address",
]
