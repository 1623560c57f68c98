"""Reporting: the whole house on a page, for the people who carry the risk. It decides nothing.

The overview (exposure, overdue, expected loss, utilisation, open work, with trends), the list of
customers, the page of one customer, and the portfolio report. Every figure of a report carries the
name of the query that made it, and the queries can be read. Expected loss is PD x LGD x EAD with a
stated LGD. ``record_day`` keeps the figures of each business day, so that trends have a past. This is
the only room that reads the tables of others, and it changes none of them.
"""

from shouxin.reporting.domain import (
    DEFAULTED_DAYS,
    LGD_ASSUMED,
    BucketRow,
    CountRow,
    CustomerFilter,
    CustomerPage,
    CustomerRow,
    CustomerView,
    DayMetrics,
    Figure,
    GradeRow,
    OverduePoint,
    Overview,
    PortfolioReport,
    Section,
    Tile,
    TimelineEntry,
)
from shouxin.reporting.domain.export import CustomerExport
from shouxin.reporting.domain.lift import LiftReport, ProductLift, Verdict
from shouxin.reporting.domain.model_document import DocumentSection, DocumentTable, ModelDocument
from shouxin.reporting.domain.overrides import OverrideLine
from shouxin.reporting.domain.rolling import (
    Cohort,
    MonthlyStates,
    RollRates,
    UnableToRoll,
    monthly_states,
    roll_rates,
    vintages,
)
from shouxin.reporting.exporting import export_customer
from shouxin.reporting.lift import UnableToMeasureLift, external_lift, latest_lift
from shouxin.reporting.model_document import model_document, override_report
from shouxin.reporting.queries import QUERIES, query_text
from shouxin.reporting.service import (
    customer_360,
    list_customers,
    measure,
    overview,
    portfolio,
    record_day,
)

__all__ = [
    "DEFAULTED_DAYS",
    "LGD_ASSUMED",
    "QUERIES",
    "BucketRow",
    "Cohort",
    "CountRow",
    "CustomerExport",
    "CustomerFilter",
    "CustomerPage",
    "CustomerRow",
    "CustomerView",
    "DayMetrics",
    "DocumentSection",
    "DocumentTable",
    "Figure",
    "GradeRow",
    "LiftReport",
    "ModelDocument",
    "MonthlyStates",
    "OverduePoint",
    "OverrideLine",
    "Overview",
    "PortfolioReport",
    "ProductLift",
    "RollRates",
    "Section",
    "Tile",
    "TimelineEntry",
    "UnableToMeasureLift",
    "UnableToRoll",
    "Verdict",
    "customer_360",
    "export_customer",
    "external_lift",
    "latest_lift",
    "list_customers",
    "measure",
    "model_document",
    "monthly_states",
    "override_report",
    "overview",
    "portfolio",
    "query_text",
    "record_day",
    "roll_rates",
    "vintages",
]
