"""Fits and predictions on more rows than one process takes.

Each function imports the engine that it runs on only when it is called.
"""

from ._fit import fit_distributed
from ._parquet import fit_parquet

__all__ = ["fit_distributed", "fit_parquet"]
