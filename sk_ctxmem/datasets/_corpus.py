"""Public corpora: the specification of one, file formats, and the steps of fetching it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ._bunch import check_choice, make_bunch
from ._download import RemoteFile, data_folder, fetch_file


@dataclass(frozen=True)
class CorpusSpec:
    """The files of a public corpus, how to read them, and their licence.

    Parameters
    ----------
    name : str
        Name of the corpus's subfolder in the data folder.

    base_url : str
        The URL of the folder of the files. It includes a commit, so that they never change.

    files : mapping of str to str
        The name of the file of each split, in the order of the rows.

    registry : mapping of str to str
        The sha256 of each file, as in a registry of pooch.

    columns : tuple of str
        The columns of the frame that is returned, in order.

    read : callable
        Takes the path of a file and returns a DataFrame of its rows.

    licence : str
        The licence stated by the repository that hosts the files, as DESCR shows it.

    description : str
        Template of DESCR, without the licence; see :func:`make_bunch`. The field splits lists
        the splits.
    """

    name: str
    base_url: str
    files: Mapping[str, str]
    registry: Mapping[str, str]
    columns: tuple[str, ...]
    read: Callable[[Path], pd.DataFrame]
    licence: str
    description: str

    def remote_file(self, split):
        """Return the URL and the sha256 of the file of a split."""
        name = self.files[split]
        return RemoteFile(self.base_url + name, self.registry[name])


def read_labelled_lines(path, *, separator, encoding, classes=None):
    """Read lines that consist of a label, the separator and a text.

    The mapping `classes`, if given, replaces the labels of the file.
    """
    # str.splitlines would also split at characters such as U+0085 within a text.
    lines = path.read_bytes().decode(encoding).split("\n")
    rows = [line.rstrip("\r").partition(separator) for line in lines if line.strip()]
    frame = pd.DataFrame({"text": [row[2] for row in rows], "target": [row[0] for row in rows]})
    return frame if classes is None else frame.assign(target=frame["target"].map(classes))


def read_csv(path, columns):
    """Read the columns of a CSV file as strings, renamed and in the order of the mapping."""
    # Without na_filter=False, a text such as "NA" or "None" would become a missing value.
    frame = pd.read_csv(
        path, usecols=list(columns), dtype=str, na_filter=False, encoding="utf-8"
    ).rename(columns=columns)
    return frame[list(columns.values())]


def _add_split(frame, split):
    """Add the column split, and make the ids of groups unique across splits."""
    if "group" in frame:
        frame = frame.assign(group=[f"{split}:{group}" for group in frame["group"]])
    return frame.assign(split=split)


def _fetch_rows(spec, splits, data_home, **options):
    """Return the rows of some splits; no file is read before all of them are there."""
    folder = data_folder(data_home) / spec.name
    paths = {split: fetch_file(spec.remote_file(split), folder, **options) for split in splits}
    frames = [_add_split(spec.read(path), split) for split, path in paths.items()]
    return pd.concat(frames, ignore_index=True)


def fetch_corpus(
    spec, subset, data_home, download_if_missing, progressbar, *, prepare=None, extra_splits=()
):
    """Fetch a corpus: download its files if necessary, read them and return a Bunch.

    Parameters
    ----------
    spec : CorpusSpec
        The corpus.

    subset, data_home, download_if_missing, progressbar : str, path-like or None, bool, bool
        As in the public functions.

    prepare : callable or None, default=None
        Takes the frame of all rows that were read, and returns the frame to use instead.

    extra_splits : sequence of str, default=()
        Splits that `prepare` needs although they are not returned.

    Returns
    -------
    bunch : Bunch
        See :func:`make_bunch`.
    """
    check_choice("subset", subset, ("all", *spec.files))
    splits = list(spec.files) if subset == "all" else [subset]
    frame = _fetch_rows(
        spec,
        [*splits, *extra_splits],
        data_home,
        download_if_missing=download_if_missing,
        progressbar=progressbar,
    )
    if prepare is not None:
        frame = prepare(frame)
    frame = frame.loc[frame["split"].isin(splits), list(spec.columns)].reset_index(drop=True)
    description = f"{spec.description}Licence: {spec.licence}\n"
    return make_bunch(frame, description, splits=", ".join(splits))
