"""Files larger than memory: predict ten million rows in chunks, and learn from chunks."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measuring.resources import peak_bytes, resident_bytes
from benchmarks.reliability.models import ROLES, make_rows
from sk_ctxmem import ContextMemoryClassifier, whole_groups

CHUNK = 100_000


def add_parser(parsers):
    """Add the options of these parts."""
    parser = parsers.add_parser("rows", help="predict a large Parquet file in chunks")
    parser.add_argument("--rows", type=int, default=10_000_000, help="number of rows")
    parser.set_defaults(run=lambda options: predict_rows(options.rows))
    parser = parsers.add_parser("chunks", help="learn from a Parquet file in chunks")
    parser.add_argument("file", type=Path, help="has columns text, group, label, split")
    parser.add_argument("--chunk", type=int, default=20_000, help="rows in a chunk")
    parser.add_argument("--passes", type=int, default=4, help="number of passes over all chunks")
    parser.add_argument("--speaker", action="store_true", help="use the column speaker")
    parser.set_defaults(run=learn_in_chunks)


def read_chunks(path, size, group_column="group", columns=None):
    """Yield the rows of a Parquet file in chunks of whole groups.

    Each chunk reads whole row groups of the file, with about `size` rows: iter_batches would keep
    about 18 bytes of memory for each row until its last batch.
    """
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    lengths = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    numbers = pd.Series(np.cumsum(lengths) - lengths) // size
    parts = numbers.groupby(numbers).groups.values()
    tables = (file.read_row_groups(list(part), columns=columns) for part in parts)
    return whole_groups((table.to_pandas() for table in tables), group_column)


def predict_rows(n_rows):
    """Write a file of `n_rows` rows, and predict it in chunks in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        frame, target = make_rows(2000)
        classifier = ContextMemoryClassifier(**ROLES, random_state=0).fit(frame, target)
        classifier.save(Path(folder) / "model")
        _write_rows(path, frame, n_rows)
        command = [sys.executable, "-m", "benchmarks.reliability.rows", folder]
        return subprocess.run(command).returncode


def _write_rows(path, frame, n_rows):
    """Write copies of rows, with new group numbers in each copy."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n_groups, writer = frame["group"].nunique(), None
    for copy in range(-(-n_rows // len(frame))):
        table = pa.Table.from_pandas(frame.assign(group=frame["group"] + copy * n_groups))
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def _predict_file(folder):
    """Predict a file in chunks, and print rows per second and memory."""
    classifier = ContextMemoryClassifier.load(Path(folder) / "model")
    start, n_rows, sizes = time.perf_counter(), 0, []
    for chunk in read_chunks(Path(folder) / "rows.parquet", CHUNK):
        n_rows += len(classifier.predict(chunk))
        sizes.append(resident_bytes() / 1e6)
    seconds = time.perf_counter() - start
    print(f"{n_rows} rows in chunks of {CHUNK}, {n_rows / seconds:.0f} rows a second")
    tenth = max(1, len(sizes) // 10)
    early, late = np.mean(sizes[tenth : 2 * tenth]), np.mean(sizes[-tenth:])
    print(f"memory {early:.0f} MB in the second tenth, {late:.0f} MB in the last tenth, ", end="")
    print(f"{peak_bytes() / 1e6:.0f} MB at most")
    return int(late > 1.1 * early)


def learn_in_chunks(options):
    """Compare partial_fit on the chunks of a file with a fit on all its rows."""
    columns = {"text_column": "text", "group_column": "group", "random_state": 0}
    if options.speaker:
        columns["speaker_column"] = "speaker"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.parquet"
        frame = pd.read_parquet(options.file)
        test = frame[frame["split"] == "test"]
        train = frame[frame["split"] == "train"].sort_values("group", kind="stable")
        train.to_parquet(path, row_group_size=options.chunk)
        full = ContextMemoryClassifier(**columns).fit(train, train["label"])
        full_score = full.score(test, test["label"])
        print(f"fit of all {len(train)} rows: accuracy {100 * full_score:.2f}")
        classes = np.unique(train["label"])
        del full, frame, train
        classifier = ContextMemoryClassifier(**columns)
        for number in range(1, options.passes + 1):
            sizes = []
            for chunk in read_chunks(path, options.chunk):
                classifier.partial_fit(chunk, chunk["label"], classes)
                sizes.append(resident_bytes() / 1e6)
            score = classifier.score(test, test["label"])
            print(
                f"pass {number} over {len(sizes)} chunks: accuracy {100 * score:.2f}; ",
                end="",
            )
            print(f"memory {sizes[0]:.0f} MB after the first chunk, {sizes[-1]:.0f} after the last")
    return int(score < full_score - 0.01)


if __name__ == "__main__":
    sys.exit(_predict_file(sys.argv[1]))
