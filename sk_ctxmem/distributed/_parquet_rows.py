"""Reading of whole groups from a folder of Parquet files."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._messages import import_optional
from .._rows._whole_groups import whole_groups
from ._shares import assign_groups


@dataclass
class RowGroup:
    """Row group of a Parquet file, which can be read separately.

    Parameters
    ----------
    file : Path
        Path of the file.
    place : int
        Index of the row group among those that this process reads.
    number : int
        Index of the row group in the file.
    first : int
        Row number of its first row in the file.
    first_of_all : int
        Row number of its first row in all files.
    n_rows : int
        Number of rows.
    n_leading : int, default=0
        Number of leading rows whose group starts in an earlier row group. Set by
        `ParquetRows.frames_in_order`.
    """

    file: Path
    place: int
    number: int
    first: int
    first_of_all: int
    n_rows: int
    n_leading: int = 0


class ParquetRows:
    """Rows of all Parquet files in a folder, in slices of whole groups.

    Row groups are read separately, because pyarrow's batch reader of a file keeps memory for each
    row until the end of the file.

    Parameters
    ----------
    folder : path
        Folder, searched recursively.
    columns : list of str
        Columns to read.
    group_column : str or None
        Column of the groups.
    may_miss : str or None
        Column that may have missing values.
    slice_rows : int
        Number of rows that are converted to pandas at a time.
    """

    def __init__(self, folder, columns, group_column, may_miss, slice_rows):
        self.columns = columns
        self.group_column = group_column
        self.may_miss = may_miss
        self.slice_rows = slice_rows
        self.row_groups = _list_row_groups(find_files(folder), columns)
        self.n_rows = sum(part.n_rows for part in self.row_groups)
        if not self.n_rows:
            raise ValueError(f"The Parquet files in folder={str(folder)!r} have no rows.")

    def column_names(self):
        """Return the names of all columns of the first file."""
        return _read_metadata(self.row_groups[0].file)[1].names

    def shard(self, rank, n_processes):
        """Keep the files of one process, with about as many rows as in other processes.

        Parameters
        ----------
        rank, n_processes : int
            Rank of the process, and number of processes.

        Raises
        ------
        ValueError
            If there are fewer files than processes.
        """
        lengths: dict[Path, int] = {}
        for part in self.row_groups:
            lengths[part.file] = lengths.get(part.file, 0) + part.n_rows
        if len(lengths) < n_processes:
            raise ValueError(
                f"The folder has {len(lengths)} Parquet file(s) with rows, but {n_processes} "
                "processes need one each; write more files, or start fewer processes."
            )
        owners = assign_groups(np.array(list(lengths.values())), n_processes)
        own = {file for file, owner in zip(lengths, owners, strict=True) if owner == rank}
        self.row_groups = [part for part in self.row_groups if part.file in own]
        for place, part in enumerate(self.row_groups):
            part.place = place

    def frames_in_order(self):
        """Yield slices of whole groups of all files, validate them, and set `n_leading`.

        Yields
        ------
        frame : DataFrame
            Rows of whole groups.
        file : Path
            File of the rows.
        """
        by_file: dict[Path, list[RowGroup]] = {}
        for row_group in self.row_groups:
            by_file.setdefault(row_group.file, []).append(row_group)
        for file, row_groups in by_file.items():
            for frame in self._whole(self._slices_of_file(row_groups)):
                yield frame, file

    def frames_of(self, row_group):
        """Yield slices of the whole groups that start in a row group."""
        yield from self._whole(self._slices_from(row_group))

    def _whole(self, slices):
        return slices if self.group_column is None else whole_groups(slices, self.group_column)

    def _slices_of_file(self, row_groups):
        """Yield validated slices of a file in order, and set `n_leading` of its row groups."""
        last = None
        for row_group in row_groups:
            leads, row_group.n_leading = self.group_column is not None, 0
            for frame, first in self._slices(row_group, 0, row_group.n_rows):
                _check_values(frame, self.may_miss, row_group.file, row_group.first + first)
                if self.group_column is not None:
                    ids = frame[self.group_column]
                    _check_consecutive(ids, row_group.file, row_group.first + first)
                    n_same = _count_leading(ids, last) if leads else 0
                    row_group.n_leading += n_same
                    leads, last = leads and n_same == len(ids), ids.iloc[-1]
                yield frame

    def _slices_from(self, row_group):
        """Yield slices of the rows of the groups that start in a row group."""
        yield from (f for f, _ in self._slices(row_group, row_group.n_leading, row_group.n_rows))
        if row_group.n_leading == row_group.n_rows:
            return
        for following in islice(self.row_groups, row_group.place + 1, None):
            if following.file != row_group.file or not following.n_leading:
                return
            yield from (frame for frame, _ in self._slices(following, 0, following.n_leading))
            if following.n_leading < following.n_rows:
                return

    def _slices(self, row_group, start, end):
        """Yield slices of a row group, and the row number of the first row of each."""
        if start >= end:
            return
        parquet = import_optional("pyarrow.parquet", "distributed", "fit_parquet")
        with parquet.ParquetFile(row_group.file) as file:
            table = file.read_row_group(row_group.number, self.columns, use_threads=False)
        for first in range(start, end, self.slice_rows):
            part = table.slice(first, min(self.slice_rows, end - first))
            frame = part.to_pandas(use_threads=False, ignore_metadata=True)
            frame.index = pd.RangeIndex(len(frame)) + row_group.first_of_all + first
            yield frame, first


def find_files(folder):
    """Return the Parquet files in a folder, sorted.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist, or has no Parquet file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"folder={str(folder)!r} is not a folder; pass the folder of the Parquet files."
        )
    files = sorted(path for path in folder.rglob("*.parquet") if path.is_file())
    files = [path for path in files if not path.name.startswith((".", "_"))]
    if not files:
        raise FileNotFoundError(
            f"folder={str(folder)!r} has no file whose name ends with .parquet; pass the folder of "
            "the Parquet files."
        )
    return files


def _list_row_groups(files, columns):
    """List the row groups of all files; raise if the columns of the files differ."""
    row_groups: list[RowGroup] = []
    types: dict[str, Any] = {}
    n_before = 0
    for path in files:
        metadata, schema = _read_metadata(path)
        _check_schema(schema, path, columns, files[0], types)
        first = 0
        for number in range(metadata.num_row_groups):
            n_rows = metadata.row_group(number).num_rows
            if n_rows:
                row_groups.append(RowGroup(path, len(row_groups), number, first, n_before, n_rows))
            first, n_before = first + n_rows, n_before + n_rows
    return row_groups


def _read_metadata(path):
    pyarrow = import_optional("pyarrow", "distributed", "fit_parquet")
    parquet = import_optional("pyarrow.parquet", "distributed", "fit_parquet")
    try:
        with parquet.ParquetFile(path) as file:
            return file.metadata, file.schema_arrow
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(
            f"{str(path)!r} cannot be read as a Parquet file ({error}); write it again, or remove "
            "it from the folder."
        ) from error


def _check_schema(schema, path, columns, first_path, types):
    """Raise if a file lacks a column, or its types differ from those of the first file."""
    for name in columns:
        if name not in schema.names:
            raise ValueError(
                f"{str(path)!r} has no column {name!r}; its columns are {schema.names}, but each "
                "file needs the target and the columns named by the parameters of the classifier."
            )
        kind = schema.field(name).type
        if "list<" in str(kind):
            raise ValueError(
                f"Column {name!r} of {str(path)!r} has lists ({kind}), but fit_parquet fits rows "
                "of one text and one label each, no sequences; use clf.fit, or write a row for "
                "each step."
            )
        if types.setdefault(name, kind) != kind:
            raise ValueError(
                f"Column {name!r} has the type {kind} in {str(path)!r}, but {types[name]} in "
                f"{str(first_path)!r}; write all files with one schema."
            )


def _check_values(frame, may_miss, file, first):
    """Raise if a column other than `may_miss` has a missing value."""
    for name in frame.columns:
        missing = frame[name].isna().to_numpy()
        if missing.any() and name != may_miss:
            raise ValueError(
                f"{str(file)!r} has no value of {name!r} in row {first + int(missing.argmax())} "
                "(counted from 0); drop the row, or give it a value."
            )


def _check_consecutive(ids, file, first):
    """Raise if the rows of a group are not consecutive."""
    codes = pd.factorize(ids)[0]
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    again = pd.Series(codes[starts]).duplicated().to_numpy()
    if again.any():
        row = int(starts[again.argmax()])
        raise ValueError(
            f"{str(file)!r} has rows of group {ids.iloc[row]!r} that are not consecutive: it comes "
            f"back in row {first + row} (counted from 0); sort each file by group."
        )


def _count_leading(ids, last):
    """Return the number of leading rows of group `last`."""
    if last is None:
        return 0
    others = (ids != last).to_numpy()
    return int(others.argmax()) if others.any() else len(ids)
