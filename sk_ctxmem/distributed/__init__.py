"""Fit and predict in several processes or on data larger than memory. May import all rooms.

Each function imports its engine only when it is called.
"""

from ._dask import predict_dask
from ._fit import fit_distributed
from ._parquet import fit_parquet
from ._predictor import FramePredictor
from ._spark import predict_spark

__all__ = ["FramePredictor", "fit_distributed", "fit_parquet", "predict_dask", "predict_spark"]
