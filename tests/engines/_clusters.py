"""Engines of two workers each, which leave nothing behind.

Those of joblib and Dask are told to have two threads, as they would lower the number by themselves.
"""

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@contextmanager
def loky():
    """Start and end the processes of joblib itself; yield what chooses them."""
    from joblib.externals.loky import get_reusable_executor

    yield {"backend": "loky", "n_jobs": 2, "inner_max_num_threads": 2}
    get_reusable_executor().shutdown(wait=True, kill_workers=True)


@contextmanager
def dask():
    """Start a cluster of Dask."""
    distributed = pytest.importorskip("distributed")
    from dask import config

    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    two_threads = {f"distributed.nanny.pre-spawn-environ.{name}": 2 for name in names}
    with config.set(two_threads), tempfile.TemporaryDirectory() as folder:
        settings = {"threads_per_worker": 1, "dashboard_address": ":0", "local_directory": folder}
        with (
            distributed.LocalCluster(n_workers=2, **settings) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield {"backend": "dask", "client": client}


@contextmanager
def ray(**settings):
    """Start Ray in a folder of its own, and give joblib back what Ray puts in its place."""
    engine = pytest.importorskip("ray")
    from joblib.pool import PicklingPool
    from ray.util.joblib import register_ray

    bases = PicklingPool.__bases__
    folder = tempfile.mkdtemp(prefix="ray_")  # a short path, as its sockets lie there
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(HERE))
        try:
            engine.init(num_cpus=2, include_dashboard=False, _temp_dir=folder, **settings)
            register_ray()
            yield {"backend": "ray", "n_jobs": 2}
        finally:
            engine.shutdown()
            PicklingPool.__bases__ = bases
            shutil.rmtree(folder, ignore_errors=True)
