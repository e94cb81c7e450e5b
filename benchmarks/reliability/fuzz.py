"""Load mutated model files, and count the outcomes."""

import multiprocessing
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.measuring.resources import peak_bytes, reset_peak, resident_bytes
from benchmarks.reliability.models import fit_models
from benchmarks.reliability.mutations import MUTATIONS, mutate
from sk_ctxmem import ContextMemoryClassifier, ModelFileError

LONGEST_SECONDS = 5.0
LARGEST_MEMORY = 1e9  # bytes
# Audit events of Python when code is run; none may occur during a load.
CODE_EVENTS = {"exec", "os.system", "subprocess.Popen", "pickle.find_class", "os.exec", "os.fork"}
GOOD = ("refused", "same predictions", "forged: other predictions")


def add_parser(parsers):
    """Add the options of this part."""
    parser = parsers.add_parser("fuzz", help="load mutated model files")
    parser.add_argument("--files", type=int, default=20_000, help="number of mutated files")
    parser.add_argument("--first", type=int, default=0, help="number of the first mutation")
    parser.set_defaults(run=lambda options: report(fuzz(options.first, options.files)))


def fuzz(first, n_files):
    """Load `n_files` mutated files in a process that may crash.

    Returns
    -------
    counts : Counter
        Number of files for each pair of a mutation and an outcome.
    worst : dict
        The longest time of a load in seconds, the largest growth of memory in bytes, and
        descriptions of bad outcomes.
    """
    counts, worst = Counter(), {"seconds": 0.0, "bytes": 0.0, "failures": []}
    with tempfile.TemporaryDirectory() as folder:
        models = _save_models(Path(folder))
        worker = None
        for number in range(first, first + n_files):
            worker = worker or _Worker(folder, models)
            outcome, mutation, seconds, growth, detail = worker.ask(number)
            counts[mutation, outcome] += 1
            worst["seconds"] = max(worst["seconds"], seconds)
            worst["bytes"] = max(worst["bytes"], growth)
            if outcome not in GOOD:
                worst["failures"].append(f"{number}: {outcome}: {detail}")
            if outcome in ("crashed", "hung"):
                worker = None
        if worker is not None:
            worker.stop()
        if (Path(folder) / "canary").exists():
            worst["failures"].append("the canary exists: code in a file was run")
    return counts, worst


def report(result):
    """Print a table of outcomes; return 1 if any of them is bad."""
    counts, worst = result
    outcomes = sorted({outcome for _, outcome in counts})
    print("mutation".ljust(18), *(f"{outcome:>28}" for outcome in outcomes))
    for mutation in sorted({mutation for mutation, _ in counts}):
        print(mutation.ljust(18), *(f"{counts[mutation, outcome]:>28}" for outcome in outcomes))
    print(f"{sum(counts.values())} files; slowest {worst['seconds']:.2f} s; ", end="")
    print(f"largest growth of memory {worst['bytes'] / 1e6:.1f} MB")
    print(*worst["failures"], sep="\n")
    return 1 if worst["failures"] else 0


def _save_models(folder):
    """Save a model of each kind; return files, inputs and predictions."""
    models = []
    for name, (classifier, inputs) in fit_models().items():
        path = folder / f"{name}.ctxmem"
        classifier.save(path)
        models.append((path.read_bytes(), inputs, classifier.predict_proba(inputs)))
    return models


class _Worker:
    """Process that loads files, with a pipe to it."""

    def __init__(self, folder, models):
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_work, args=(other, folder, models), daemon=True)
        self.process.start()
        other.close()
        self.pipe.recv()  # imports are done

    def ask(self, number):
        """Load the file of a number, and return the outcome."""
        self.pipe.send(number)
        try:
            if self.pipe.poll(2 * LONGEST_SECONDS):
                return self.pipe.recv()
        except EOFError:
            self.process.join()
            return "crashed", "any", 0.0, 0.0, f"exit code {self.process.exitcode}"
        self.process.kill()
        return "hung", "any", 2 * LONGEST_SECONDS, 0.0, "killed"

    def stop(self):
        """Stop the process."""
        self.pipe.send(None)
        self.process.join()


def _work(pipe, folder, models):
    """Load the files of the numbers from a pipe, until None arrives."""
    events = []
    sys.addaudithook(lambda event, _: events.append(event) if event in CODE_EVENTS else None)
    path, canary = Path(folder) / "mutated.ctxmem", str(Path(folder) / "canary")
    for content, inputs, _ in models:  # so that late imports are done
        path.write_bytes(content)
        ContextMemoryClassifier.load(path).predict_proba(inputs)
    pipe.send("ready")
    while (number := pipe.recv()) is not None:
        content, inputs, expected = models[number // len(MUTATIONS) % len(models)]
        changed, forged, mutation = mutate(content, number, canary)
        path.write_bytes(changed)
        reset_peak()
        before, start = resident_bytes(), time.perf_counter()
        events.clear()
        outcome, detail = try_file(path, inputs, expected, forged=forged)
        seconds, growth = time.perf_counter() - start, peak_bytes() - before
        if events:
            outcome, detail = "ran code", str(events)
        elif seconds > LONGEST_SECONDS:
            outcome = "slow"
        elif growth > LARGEST_MEMORY:
            outcome = "took too much memory"
        pipe.send((outcome, mutation, seconds, growth, detail))


def try_file(path, inputs, expected, *, forged):
    """Load a file and predict with it.

    Returns
    -------
    outcome : str
        One of `GOOD`, or a bad outcome.
    detail : str
        The error, if there is one.
    """
    try:
        classifier = ContextMemoryClassifier.load(path)
    except ModelFileError as error:
        return "refused", str(error)
    except BaseException:
        return "another error", traceback.format_exc()
    try:
        predicted = classifier.predict_proba(inputs)
    except Exception:
        return "loads, cannot predict", traceback.format_exc()
    # The last bit of a matrix product depends on the alignment of the matrix in memory.
    if predicted.shape == expected.shape and np.allclose(predicted, expected, rtol=0, atol=1e-9):
        return "same predictions", ""
    if forged:
        return "forged: other predictions", ""
    return "damaged, other predictions", ""
