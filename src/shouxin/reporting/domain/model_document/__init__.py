"""The document of a model version: what a validator, an auditor and the people who sign must be able to read.

The headings follow the principles of SR 26-2 (April 2026, which replaced SR 11-7): sound development,
validation, monitoring and governance, in proportion to what the model decides. Nothing in it is typed twice:
every figure comes from the artefact, its report, its gates, its stages or the monitor, and what is not known
says so.
"""

from shouxin.kernel import Bilingual
from shouxin.reporting.domain.model_document import development, use, variables
from shouxin.reporting.domain.model_document.facts import ModelFacts
from shouxin.reporting.domain.model_document.values import DocumentSection, DocumentTable, ModelDocument

__all__ = ["DocumentSection", "DocumentTable", "ModelDocument", "ModelFacts", "write_document"]


def write_document(facts: ModelFacts) -> ModelDocument:
    """The document of a model, every section in its place."""
    sections = (
        development.purpose(facts),
        development.data(facts),
        variables.features(facts),
        development.method(facts),
        development.tables(facts),
        use.performance(facts),
        use.assessment(facts, "robustness", Bilingual("敏感性与稳健性", "Sensitivity and robustness")),
        use.explaining(facts),
        use.assessment(facts, "fairness", Bilingual("公平性", "Fairness")),
        use.grades(facts),
        use.implementation(facts),
        use.monitoring(facts),
        use.weaknesses(facts),
        use.sign_off(facts),
    )
    return ModelDocument(facts.row.model_hash, facts.row.name, facts.row.stage, sections)
