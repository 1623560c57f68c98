"""What we say at the checkout, and why: one policy as data, in versions that two people agreed to.

A policy lists rules. Each rule says in two languages what it means, when it applies, how hard it is
(counter-offer, review, decline) and which reason the customer is given. The hardest rule that applies
decides; when none does, the order is approved. A missing fact never passes for "no": the rule says
whether a person looks. Nobody is declined without one to four specific reasons that were really used.
A version is named by the hash of its content, goes draft, in review, approved, live, retired, and goes
live only with an approval that its author did not give. Every decision is kept with the facts it read
and can be made again, to the same bytes, at any later day.
"""

from shouxin.decisions.domain import (
    DecisionRecord,
    KeyReused,
    Outcome,
    Persona,
    PersonaSet,
    PersonaTag,
    PlanTerms,
    Policy,
    PolicyRefusal,
    PolicyVersion,
    Reason,
    Replay,
    Stage,
    StoredAnswer,
    UnableToReadPolicy,
    Verdict,
    compile_policy,
    decide_answer,
    evaluate,
    parse_policy,
    quote,
)
from shouxin.decisions.personas import persona_facts, persona_tags, standard_personas
from shouxin.decisions.service import (
    UnableToReplay,
    approve,
    draft,
    features_needed,
    find_answer,
    find_decision,
    find_policy,
    list_decisions,
    list_policies,
    live_policy,
    publish,
    replay,
    retire,
    save_answer,
    save_decision,
    score_facts,
    served_values,
    standard_checkout,
    submit,
    try_claim,
)
from shouxin.decisions.shadowing import Shadowed, shadow

STANDARD_CHECKOUT: Policy = standard_checkout()

__all__ = [
    "STANDARD_CHECKOUT",
    "DecisionRecord",
    "KeyReused",
    "Outcome",
    "Persona",
    "PersonaSet",
    "PersonaTag",
    "PlanTerms",
    "Policy",
    "PolicyRefusal",
    "PolicyVersion",
    "Reason",
    "Replay",
    "Shadowed",
    "Stage",
    "StoredAnswer",
    "UnableToReadPolicy",
    "UnableToReplay",
    "Verdict",
    "approve",
    "compile_policy",
    "decide_answer",
    "draft",
    "evaluate",
    "features_needed",
    "find_answer",
    "find_decision",
    "find_policy",
    "list_decisions",
    "list_policies",
    "live_policy",
    "parse_policy",
    "persona_facts",
    "persona_tags",
    "publish",
    "quote",
    "replay",
    "retire",
    "save_answer",
    "save_decision",
    "score_facts",
    "served_values",
    "shadow",
    "standard_checkout",
    "standard_personas",
    "submit",
    "try_claim",
]
