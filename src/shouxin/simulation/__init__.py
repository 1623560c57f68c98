"""The simulated shop: made-up people who buy, return, borrow and sometimes fall, with the truth known.

``simulate`` writes what such a shop would send us (canonical events, month by month, then a live
period), and apart from it the truth: who is under strain, who will stop paying and when, who abuses
refunds. The chain reads the events only; the truth is there so that every claim of the product can be
checked by a stranger. The same seed gives the same bytes.
"""

from shouxin.simulation.checkouts import CheckoutIntent, checkouts, read_checkouts
from shouxin.simulation.registrations import RegistrationsReport, simulate_registrations
from shouxin.simulation.report import SimulationReport
from shouxin.simulation.service import bytes_wanted, simulate
from shouxin.simulation.world import UnableToSimulate, Wanted, World, blocks, draw_world

__all__ = [
    "CheckoutIntent",
    "RegistrationsReport",
    "SimulationReport",
    "UnableToSimulate",
    "Wanted",
    "World",
    "blocks",
    "bytes_wanted",
    "checkouts",
    "draw_world",
    "read_checkouts",
    "simulate",
    "simulate_registrations",
]
