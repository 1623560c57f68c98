"""External credit data: what others know about a customer, bought with consent, within a budget.

A provider sells products (a score, a bureau report, public records). An enquiry asks for one about a
customer who agreed to it, unless an answer that is still fresh was bought before. Providers are slow,
fail and cost money: calls have a timeout and a few retries, a provider that keeps failing is left
alone for a while, and a month's budget is never overspent. Every enquiry is written down with its end
and its cost; an answer becomes an event of the customer. The house works without any provider.
"""

from shouxin.ingestion.external.domain import (
    Answer,
    Breaker,
    BreakerRules,
    BreakerState,
    CallFailure,
    Charging,
    CreditData,
    Enquired,
    FailedEnquiry,
    FailureKind,
    Identifier,
    Outcome,
    Product,
    ProductCount,
    Provider,
    ProviderRequest,
    ProviderStatus,
    Spelling,
    Subject,
    month_start,
)
from shouxin.ingestion.external.service import (
    Desk,
    UnableToFindProduct,
    costs,
    enquire,
    latest_failures,
    refresh,
    status,
)

__all__ = [
    "Answer",
    "Breaker",
    "BreakerRules",
    "BreakerState",
    "CallFailure",
    "Charging",
    "CreditData",
    "Desk",
    "Enquired",
    "FailedEnquiry",
    "FailureKind",
    "Identifier",
    "Outcome",
    "Product",
    "ProductCount",
    "Provider",
    "ProviderRequest",
    "ProviderStatus",
    "Spelling",
    "Subject",
    "UnableToFindProduct",
    "costs",
    "enquire",
    "latest_failures",
    "month_start",
    "refresh",
    "status",
]
