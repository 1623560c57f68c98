"""Advice: what would have to be different, of what a customer can change and may be asked to."""

from shouxin.scoring.domain.advice.actions import NOT_ADVISED, Action, Response, actions_for, lever
from shouxin.scoring.domain.advice.search import Advice, AdviceRefusal, advise

__all__ = ["NOT_ADVISED", "Action", "Advice", "AdviceRefusal", "Response", "actions_for", "advise", "lever"]
