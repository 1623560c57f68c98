"""Shouxin: customer credit risk for online shops, from orders to grades, lines, warnings and reports.

The package is a house with one room a folder; ARCHITECTURE.md is its map. Rooms are entered by their
front door (``shouxin.credit.authorise``), never by their ``service`` or ``store``.
"""

from importlib.metadata import version

__version__ = version("shouxin")
