"""Predictions on Dask, Spark and Ray: rows per second and the memory of a worker."""
