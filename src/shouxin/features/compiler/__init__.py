"""Definitions compiled to SQL: one compiler, three dialects. Pure: trees and text, nothing is run.

Instants are whole microseconds since 1970 and numbers whole thousandths, so that every engine does the
same integer arithmetic as the evaluation in Python and agrees with it to the last bit. All definitions are
computed together: each different aggregate once. Trees are built from our own definitions only; what comes
from outside is a bound parameter.
"""

from shouxin.features.compiler.chunks import chunks_of
from shouxin.features.compiler.dialects import DIALECTS, Dialect
from shouxin.features.compiler.facts import fact_select, linked_select, withdrawn_select, word_select
from shouxin.features.compiler.queries import (
    DUCKDB,
    compile_features,
    features_select,
    first_known_select,
    known_customers_select,
    labels_select,
)

__all__ = [
    "DIALECTS",
    "DUCKDB",
    "Dialect",
    "chunks_of",
    "compile_features",
    "fact_select",
    "features_select",
    "first_known_select",
    "known_customers_select",
    "labels_select",
    "linked_select",
    "withdrawn_select",
    "word_select",
]
