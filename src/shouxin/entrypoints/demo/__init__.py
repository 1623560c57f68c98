"""The demo: a simulated shop through every room of the house, once, and again without losing anything.

The simulated shop stands at the front doors only: its events are ingested, its customers come to the
checkout call, repay or do not, while the business date moves on. Its truth is never read here.
"""

from shouxin.entrypoints.demo.chain import run_demo, summary_of
from shouxin.entrypoints.demo.people import DEMO_OPERATORS, setup_links
from shouxin.entrypoints.demo.scene import DemoSettings

__all__ = ["DEMO_OPERATORS", "DemoSettings", "run_demo", "setup_links", "summary_of"]
