"""The simulated bureau: a real HTTP server that sells made-up credit data and misbehaves when told to."""

from shouxin.entrypoints.bureau.behaviour import Behaviour, BehaviourMessage, Mode
from shouxin.entrypoints.bureau.server import BUREAU_KEY, BUREAU_SECRET, Bureau, start_bureau
from shouxin.entrypoints.bureau.settings import settings_text

__all__ = [
    "BUREAU_KEY",
    "BUREAU_SECRET",
    "Behaviour",
    "BehaviourMessage",
    "Bureau",
    "Mode",
    "settings_text",
    "start_bureau",
]
