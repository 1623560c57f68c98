"""The benchmarks: what the house is promised to do, measured beside a peer in the same run.

A figure from one machine says little on another, so each line sets our number beside a peer's that was
measured a moment before or after on the same data: raw COPY beside the ingestion, bare psycopg beside the
checkout call, a query written by hand beside the features. Where the peer is somebody else's library and
that is not installed, the line says so and claims nothing.
"""

from shouxin.entrypoints.bench.ground import Ground
from shouxin.entrypoints.bench.lines import Line, Report, UnableToBench
from shouxin.entrypoints.bench.running import IN_ALL, NAMES, run_all, run_bench
from shouxin.entrypoints.bench.sizes import Sizes

__all__ = ["IN_ALL", "NAMES", "Ground", "Line", "Report", "Sizes", "UnableToBench", "run_all", "run_bench"]
