"""A folder of Parquet files, read in whole groups."""

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
    """A row group of a Parquet file, the part of it that can be read alone.

    Parameters
    ----------
    file : Path
        The file.
    place : int
        Number of the row group among those that this process reads, from 0.
    number : int
        Its number in the file, from 0.
    first : int
        Number of rows of the file before it.
    first_of_all : int
        Number of rows of this file and of those before it that are before it.
    n_rows : int
        Number of its rows.
    n_leading : int, default=0
        Number of its first rows that belong to a group which began in a row group before; known
        once the rows were read in their order.
    """

    file: Path
    place: int
    number: int
    first: int
    first_of_all: int
    n_rows: int
    n_leading: int = 0


class ParquetRows:
    """The rows of all Parquet files in a folder, in slices that cut no group.

    Row groups are read by themselves: what reads a whole file in batches keeps memory for each row
    until the file ends.

    Parameters
    ----------
    folder : path
        The folder; files are looked for in folders in it too.
    columns : list of str
        The columns to read.
    group_column : str or None
        Which of them says what group a row belongs to.
    may_miss : str or None
        Which of them may lack values.
    slice_rows : int
        Number of rows that are turned into a frame at a time.
    """

    def __init__(self, folder, columns, group_column, may_miss, slice_rows):
        self.columns = columns
        self.group_column = group_column
        self.may_miss = may_miss
        self.slice_rows = slice_rows
        self.row_groups = _list_row_groups(find_files(folder), columns)
        self.n_rows = sum(part.n_rows for part in self.row_groups)
        if not self.n_rows:
            raise ValueError(f"The Parquet files in folder={str(folder)!r} have no row.")

    def shard(self, rank, n_processes):
        """Keep the files of one process, of about as many rows as those of the others.

        Parameters
        ----------
        rank, n_processes : int
            Number of the process, and of all of them.

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
        ours = {file for file, owner in zip(lengths, owners, strict=True) if owner == rank}
        self.row_groups = [part for part in self.row_groups if part.file in ours]
        for place, part in enumerate(self.row_groups):
            part.place = place

    def frames_in_order(self):
        """Yield slices of whole groups of all files; the first time, find where groups go on.

        Yields
        ------
        frame : DataFrame
            The rows.
        file : Path
            Where they are.
        """
        by_file: dict[Path, list[RowGroup]] = {}
        for row_group in self.row_groups:
            by_file.setdefault(row_group.file, []).append(row_group)
        for file, row_groups in by_file.items():
            for frame in self._whole(self._slices_of_file(row_groups)):
                yield frame, file

    def frames_of(self, row_group):
        """Yield the groups that begin in a row group, in slices of whole groups."""
        yield from self._whole(self._slices_from(row_group))

    def _whole(self, slices):
        return slices if self.group_column is None else whole_groups(slices, self.group_column)

    def _slices_of_file(self, row_groups):
        """Yield the rows of a file in their order, checked."""
        last = None
        for row_group in row_groups:
            leads, row_group.n_leading = self.group_column is not None, 0
            for frame, first in self._slices(row_group, 0, row_group.n_rows):
                _check_values(frame, self.may_miss, row_group.file, row_group.first + first)
                if self.group_column is not None:
                    ids = frame[self.group_column]
                    _check_neighbours(ids, row_group.file, row_group.first + first)
                    n_same = _count_leading(ids, last) if leads else 0
                    row_group.n_leading += n_same
                    leads, last = leads and n_same == len(ids), ids.iloc[-1]
                yield frame

    def _slices_from(self, row_group):
        """Yield the rows of the groups that begin in a row group."""
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
        """Yield frames of some rows of a row group, and the number of the first row of each."""
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
        If there is no such folder, or no such file in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"folder={str(folder)!r} is no folder; pass the folder that the Parquet files are in."
        )
    files = sorted(path for path in folder.rglob("*.parquet") if path.is_file())
    files = [path for path in files if not path.name.startswith((".", "_"))]
    if not files:
        raise FileNotFoundError(
            f"folder={str(folder)!r} has no file whose name ends with .parquet; pass the folder "
            "that they are in."
        )
    return files


def _list_row_groups(files, columns):
    """List the row groups of all files, after checking that each has the same columns."""
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
            f"{str(path)!r} cannot be read as a Parquet file ({error}); write it anew, or take it "
            "out of the folder."
        ) from error


def _check_schema(schema, path, columns, first_path, types):
    """Raise unless a file has the columns, with the types of the first file."""
    for name in columns:
        if name not in schema.names:
            raise ValueError(
                f"{str(path)!r} has no column {name!r}, but {schema.names}; each file needs the "
                "target and the columns that the parameters of the classifier name."
            )
        kind = schema.field(name).type
        if types.setdefault(name, kind) != kind:
            raise ValueError(
                f"Column {name!r} has the type {kind} in {str(path)!r}, but {types[name]} in "
                f"{str(first_path)!r}; write all files with one schema."
            )


def _check_values(frame, may_miss, file, first):
    """Raise if a value is missing in another column than this one."""
    for name in frame.columns:
        missing = frame[name].isna().to_numpy()
        if missing.any() and name != may_miss:
            raise ValueError(
                f"{str(file)!r} has no {name!r} in row {first + int(missing.argmax())} (rows are "
                "counted from 0); drop the row, or give it a value."
            )


def _check_neighbours(ids, file, first):
    """Raise if a group comes back after another one among these rows."""
    codes = pd.factorize(ids)[0]
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    again = pd.Series(codes[starts]).duplicated().to_numpy()
    if again.any():
        row = int(starts[again.argmax()])
        raise ValueError(
            f"{str(file)!r} has rows of group {ids.iloc[row]!r} that are not next to each other: "
            f"it comes back in row {first + row} (rows are counted from 0); sort each file by "
            "the group."
        )


def _count_leading(ids, last):
    """Return the number of rows at the beginning that belong to this group."""
    if last is None:
        return 0
    others = (ids != last).to_numpy()
    return int(others.argmax()) if others.any() else len(ids)
