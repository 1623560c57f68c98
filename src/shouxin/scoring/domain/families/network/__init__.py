"""Networks: layers of weights in fixed point, the same on every machine, for one row and for many."""

from shouxin.scoring.domain.families.network.encoder import Encoder
from shouxin.scoring.domain.families.network.inputs import CategoryInput, NumberInput, SequenceInput
from shouxin.scoring.domain.families.network.network import Layer, Network

__all__ = ["CategoryInput", "Encoder", "Layer", "Network", "NumberInput", "SequenceInput"]
