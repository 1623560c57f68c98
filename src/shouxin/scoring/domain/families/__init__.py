"""The families of models: what each keeps inside an artefact, and how it turns a row into contributions.

A family is one struct (a *body*), told apart in the document by ``family``. Whatever it is inside, it
answers as every other does (``contract``): whole millionths of a log-odd, a reference, one delta a feature.
"""

from shouxin.scoring.domain.families.fused import Fused
from shouxin.scoring.domain.families.network import Network
from shouxin.scoring.domain.families.stack import Member, Stack
from shouxin.scoring.domain.families.tables import Tables, Term
from shouxin.scoring.domain.families.tree import Tree
from shouxin.scoring.domain.families.trees import Trees

# One more family is one more member here. msgspec reads the one that ``family`` names.
Body = Tables | Trees | Stack | Network | Fused

__all__ = ["Body", "Fused", "Member", "Network", "Stack", "Tables", "Term", "Tree", "Trees"]
