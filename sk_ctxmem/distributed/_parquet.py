"""Fit from a folder of Parquet files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._classifier import ContextMemoryClassifier, set_fit_result, validated_params
from .._dense._reader import fit_dense_reader
from .._features._csr import squared_norms
from .._features._featurize import features_of
from .._features._heavy_columns import (
    HeavyColumnScaler,
    find_heavy_columns,
    leave_out_constant,
    without_columns,
)
from .._features._scaler import RowNormScaler, in_canonical_format
from .._features._text_counts import TextCounts
from .._features._text_reader import open_text_reader
from .._features._vectorizer import TextSequenceVectorizer
from .._input._parameters import Number
from .._input._rows import read_rows, read_training_rows
from .._input._targets import check_classes, find_classes, weigh_counted_classes
from .._model._predict import predict_logits
from .._rows._held_out import MIN_HELD_OUT_ROWS
from .._rows._reader import make_reader
from .._rows._speakers import expect_speakers, number_shared
from .._runtime import array_defaults, choose_device, torch_defaults
from .._training._calibration import (
    CALIBRATION_FRACTION,
    MAX_CALIBRATION_ROWS,
    MIN_CALIBRATION_ROWS,
    fit_temperature,
)
from .._training._data import role_columns
from .._training._dataset import TrainingRows
from .._training._fit import Fit, training_settings, warn_if_interrupted
from .._training._progress import progress_bar
from .._training._user_callbacks import check_callbacks
from ._first_pass import FirstPass
from ._groups import all_processes
from ._parquet_rows import ParquetRows
from ._row_stream import RowStream, without_groups

# Number of features of each kind of n-grams. With 41 classes and the default hidden_size their
# table takes 680 MB, its average over epochs another 680 MB, and swapping them 680 MB temporarily.
MOST_FEATURES = 1_000_000
MOST_VALIDATION_ROWS = 20_000  # for early stopping, kept in memory
SAMPLE_ROWS = 10_000  # to compute the norm of the rows and the learning rate of the tables
SLICES_OF_BUFFER = 8  # so that a buffer is not much larger than buffer_rows


@array_defaults()
def fit_parquet(
    clf: Any,
    folder: Any,
    *,
    target: Any = "label",
    buffer_rows: int = 100_000,
    timeout: float = 300.0,
) -> ContextMemoryClassifier:
    """Fit a classifier to a folder of Parquet files, which may be larger than memory.

    The files are read once to learn the n-grams, classes and speakers, and then once per epoch.
    The memory needed does not grow with the number of rows. If started by ``torchrun``, several
    processes fit one classifier as in `fit_distributed`, and each reads its own files.

    Parameters
    ----------
    clf : ContextMemoryClassifier
        Classifier. Its parameters `text_column`, `group_column`, `order_column` and
        `speaker_column` name columns of the files. Training parameters have the same meaning as
        in `fit`.

    folder : str or path
        Folder, searched recursively for files whose names end with ``.parquet``. All files must
        have the same columns.

    target : str, default="label"
        Column of the class labels.

    buffer_rows : int, default=100000
        Number of rows that are shuffled together. Two such buffers are kept in memory.

    timeout : float, default=300.0
        Seconds that a process waits for another process that is alive but does not answer. This
        includes the difference in duration of their first passes over the files.

    Returns
    -------
    clf : ContextMemoryClassifier
        Fitted classifier.

    Raises
    ------
    TypeError, ValueError
        If a parameter is invalid, a file has a missing value, or the rows of a group are not
        consecutive.
    FileNotFoundError
        If the folder does not exist, or has no Parquet file.
    ProcessLostError
        If another process ends or does not answer in time.
    ImportError
        If pyarrow is not installed.

    See Also
    --------
    fit_distributed : Fit to rows in memory, in several processes.
    sk_ctxmem.ContextMemoryClassifier.partial_fit : Incremental fit on chunks of rows.

    Notes
    -----
    The rows of a group must be consecutive in one file, in any order if there is an
    `order_column`. A group in several places raises an error, which is checked for the first five
    million groups. The row groups of the files are read in random order, and a buffer of rows is
    shuffled by group. If a file is sorted by class, shuffle its groups beforehand.

    One twentieth of the rows, at most 2,000, are held out in whole groups to calibrate
    `temperature_`, and are never used for training. With `n_iter_no_change`, `validation_fraction`
    of the rows, at most 20,000, are held out instead.

    The one million most frequent n-grams of each kind are features. If there are too many n-grams
    to count in bounded memory, those in the fewest texts are dropped. A `vectorizer` other than
    TextSequenceVectorizer must be stateless, such as HashingVectorizer, or already fitted.

    Each of several processes needs at least one file, and about the same number of rows. Since all
    processes take the same number of steps, a process with more rows skips some in each epoch, and
    a process with fewer rows repeats some. All processes must find the same files in `folder`, or
    in a copy of it.

    `checkpoint`, `warm_start` and `feature_columns` are not supported, and scikit-learn callbacks
    (``set_callbacks``) are not called. If the fit raises, the classifier is unchanged.
    """
    params = _check_arguments(clf, target, buffer_rows)
    with all_processes("fit_parquet", timeout) as processes:
        result = _ParquetFit(params, folder, target, buffer_rows, processes).run()
    warn_if_interrupted(result, params)
    set_fit_result(clf, result)
    return clf


def _check_arguments(clf, target, buffer_rows):
    """Return the parameters of the classifier, or raise if it or an argument is invalid."""
    if not isinstance(clf, ContextMemoryClassifier):
        raise TypeError(
            f"clf is a {type(clf).__name__}, but a ContextMemoryClassifier was expected; pass the "
            "classifier itself, with its vectorizer as its parameter vectorizer."
        )
    Number(Integral, 1, np.inf, 100_000).check("buffer_rows", buffer_rows)
    if not isinstance(target, str):
        raise TypeError(
            f"target={target!r} must be the name of one column, such as 'label'; several labels "
            "for each row are fitted in memory only, by clf.fit."
        )
    params = validated_params(clf)
    if clf.checkpoint is not None:
        raise ValueError(
            f"checkpoint={str(clf.checkpoint)!r} is not supported by fit_parquet; pass "
            "checkpoint=None."
        )
    if clf.warm_start:
        raise ValueError("warm_start=True is not supported by fit_parquet; pass warm_start=False.")
    if clf.feature_columns is not None:
        raise ValueError(
            f"feature_columns={clf.feature_columns!r:.200} is not supported by fit_parquet; pass "
            "feature_columns=None, or fit to rows in memory, or in chunks by partial_fit."
        )
    if clf.text_column is None:
        raise ValueError(
            "fit_parquet reads texts, but text_column is None; set it to the column of texts."
        )
    roles = {f"{role}_column": name for role, name in role_columns(params).items()}
    named = {role: name for role, name in roles.items() if name is not None} | {"target": target}
    if len(set(named.values())) < len(named):
        shown = ", ".join(f"{role}={name!r}" for role, name in named.items())
        raise ValueError(f"A column can have one role only, but {shown}; name each column once.")
    return params


class _ParquetFit:
    """One fit to Parquet files.

    Parameters
    ----------
    params : SimpleNamespace
        Parameters of the classifier.
    folder, target, buffer_rows
        As in `fit_parquet`.
    processes : OneProcess
        Process group.
    """

    def __init__(self, params, folder, target, buffer_rows, processes):
        self.params = params
        self.target = target
        self.columns = role_columns(params)
        self.buffer_rows = int(buffer_rows)
        self.processes = processes
        settings = {"target": target, "buffer_rows": self.buffer_rows}
        processes.check_settings(training_settings(params) | settings)
        random = processes.same_random(check_random_state(params.random_state))
        self.seed, self.training_seed, reading_seed = random.randint(2**31 - 1, size=3).tolist()
        self.random = np.random.RandomState(reading_seed)
        self.rows = ParquetRows(
            folder,
            [*(name for name in self.columns.values() if name is not None), target],
            group_column=self.columns["group"],
            may_miss=self.columns["speaker"],
            slice_rows=-(-self.buffer_rows // SLICES_OF_BUFFER),
        )

    @torch_defaults()
    def run(self):
        """Fit the classifier and return the result."""
        params = self.params
        callbacks, is_first = check_callbacks(params.callbacks), self.processes.rank == 0
        device = choose_device(self.processes.choose_device(params.device))
        with progress_bar(int(params.verbose) * is_first, "text") as bar:
            found, texts = self._look_through(bar)
            classes, counts = self._order_classes(found)
            fit = Fit(params, classes, device, self.processes)
            stream, held_out = self._open_stream(fit, counts, found, texts)
            valid_rows = None if params.n_iter_no_change is None else held_out
            watchers = {"callbacks": callbacks, "bar": bar}
            watchers |= {"tasks": None, "checkpoint": None}
            data = (stream, valid_rows, None)
            network, trained = fit.train(data, self.training_seed, watchers)
        if self.tells_temperature:
            temperature = _find_temperature(network, held_out, device, self.processes)
            trained = replace(trained, temperature=temperature)
        return fit.result(network, trained)

    def _look_through(self, bar):
        """Run the first pass; return its findings and the counts of the texts."""
        vectorizer, texts = self.params.vectorizer, None
        if vectorizer is None or type(vectorizer) is TextSequenceVectorizer:
            texts = TextCounts(TextSequenceVectorizer() if vectorizer is None else vectorizer)
        else:
            _check_ready(vectorizer)
        n_held_out = -(
            -_count_held_out(self.params, self.rows.n_rows) // self.processes.n_processes
        )
        self.processes.shard_files(self.rows)
        is_judged = self.params.n_iter_no_change is not None
        first = FirstPass(self.rows, self.columns, self.target, texts, n_held_out, self.seed)
        found = first.run(bar)
        self._check_groups_of_others(first.seen)
        texts = self._add_those_of_others(found, texts)
        n_each = self.processes.gather_objects(len(found.held_out))
        self.tells_temperature = any(n_each) and not is_judged
        if is_judged and n_held_out and not all(n_each):
            raise ValueError(
                f"validation_fraction={self.params.validation_fraction!r} cannot be held out: each "
                "group has too many rows, or is the only one with some class; pass "
                "n_iter_no_change=None to train without a validation set."
            )
        return found, texts

    def _check_groups_of_others(self, seen):
        """Raise in all processes if two of them have files with rows of the same group."""
        every = np.concatenate(self.processes.gather_objects(seen.of_all()))
        if len(np.unique(every)) < len(every):
            raise ValueError(
                f"Rows of the same {self.columns['group']!r} are in files of two processes, but "
                "the rows of a group must be consecutive in one file; sort the rows by group "
                "before writing the files. A single process names the group."
            )

    def _add_those_of_others(self, found, texts):
        """Merge the findings of all processes, and return the counts of all texts."""
        if self.processes.n_processes == 1:
            return texts
        own = (found.classes, found.counts, found.speakers, found.longest_group)
        first, *others = self.processes.gather_objects(own)
        found.classes, found.counts, found.speakers, found.longest_group = first
        for other in others:
            found.add(*other)
        if texts is None:
            return None
        of_all = TextCounts(texts.vectorizer)
        for plain in self.processes.gather_objects(texts.as_plain()):
            of_all.merge_plain(plain)
        return of_all

    def _open_stream(self, fit, counts, found, texts):
        """Fit the vectorizer and scaler; return the training rows and the held-out rows."""
        held_out = found.held_out
        weights = weigh_counted_classes(self.params.class_weight, fit.classes, counts)
        read = partial(_read_rows, fit=fit, target=self.target, weights=weights)
        keep = partial(
            without_groups,
            group_column=self.columns["group"],
            seed=self.seed,
            held_out=np.unique(held_out.hashes),
        )
        n_rows = int(counts.sum())
        stream = RowStream(
            self.rows, n_rows, keep, read, self.buffer_rows, self.random, self.processes
        )
        is_first = self.processes.rank == 0
        sample = stream.sample_frame(SAMPLE_ROWS) if is_first else None
        sample = self.processes.broadcast(sample)
        fit.reader, values = self._learn_reader(sample, found, fit.classes, weights, texts)
        stream.sample = read(sample, self.random)
        fit.choose_penalties(stream.sample)
        fit.set_network_params(stream.sample.rows, values)
        stream.sorter = self.processes.make_sorter(fit.network_params["n_features"])
        return stream, read(held_out.frame, None) if len(held_out) else None

    def _order_classes(self, found):
        """Return the sorted classes and the number of rows of each."""
        if len(found.classes) < 2:
            raise ValueError(
                f"target={self.target!r} has only one class, {found.classes[0]!r}, in "
                f"{self.rows.n_rows} row(s); a classifier needs at least two."
            )
        classes = check_classes(found.classes)
        numbers = find_classes(found.classes, len(classes), classes)
        counts = np.empty(len(classes), dtype=np.int64)
        counts[numbers] = found.counts
        return classes, counts

    def _learn_reader(self, sample, found, classes, weights, texts):
        """Fit the vectorizer, scaler and speakers from a sample and counts of all rows.

        Returns
        -------
        reader : RowReader
            Fitted reader.
        values : TextSequences or csr_array
            Features of the sample.
        """
        frame, name = sample.drop(columns=self.target), self.params.estimator_name
        inputs, schema = read_training_rows(frame, None, self.columns, name)
        others = [column for column in self.rows.column_names() if column != self.target]
        if len(others) > len(frame.columns):  # the rest of the files is never read
            schema = replace(schema, column_names=others)
        vectorizer, n_rows = self.params.vectorizer, None
        if texts is not None:
            vectorizer = texts.make_vectorizer(MOST_FEATURES)
            n_rows = (texts.n_texts + 1) / np.exp(vectorizer.idf_ - 1)  # smoothed by 1
        reader, values = open_text_reader(vectorizer, inputs.values, inputs.text_name)
        targets = find_classes(sample[self.target], len(sample), classes)
        scaler = _fit_scaler(features_of(values), n_rows, weights[targets])
        names, n_groups = found.speakers.index.astype(object), found.speakers.to_numpy()
        ids = number_shared(names, n_groups)
        expected = None
        if inputs.speakers is not None:
            missing = bool(pd.isna(inputs.speakers).any())  # of the sample
            expected = expect_speakers(names, n_groups, ids, missing=missing)
        dense, _ = fit_dense_reader(
            inputs, classes[targets], self.params, weights[targets], more_to_come=True
        )
        parts = (reader, scaler, ids, expected, found.longest_group, dense)
        return make_reader(inputs, schema, self.params, *parts), values


def _count_held_out(params, n_rows):
    """Return the number of rows to hold out for early stopping or for calibration."""
    if params.n_iter_no_change is not None:
        n_wanted = min(round(params.validation_fraction * n_rows), MOST_VALIDATION_ROWS)
        return n_wanted if n_wanted >= MIN_HELD_OUT_ROWS else 0
    n_wanted = min(int(CALIBRATION_FRACTION * n_rows), MAX_CALIBRATION_ROWS)
    return n_wanted if n_wanted >= MIN_CALIBRATION_ROWS else 0


def _check_ready(vectorizer):
    """Raise unless a vectorizer can transform texts without being fitted here."""
    if isinstance(vectorizer, type) or not hasattr(vectorizer, "transform"):
        raise TypeError(
            f"vectorizer={vectorizer!r} must be a transformer of texts, such as "
            "TextSequenceVectorizer() or HashingVectorizer(), or None."
        )
    try:
        check_is_fitted(vectorizer)
    except NotFittedError as error:
        raise ValueError(
            f"vectorizer={vectorizer!r} is not fitted, but fit_parquet can only fit a "
            "TextSequenceVectorizer; fit it on some of the texts first, or pass a stateless one, "
            "such as HashingVectorizer()."
        ) from error


def _fit_scaler(features, n_rows, weights):
    """Fit the scaler, given the features of a sample and the number of rows of each feature."""
    if not sparse.issparse(features):
        return StandardScaler().fit(features, sample_weight=weights)
    features = in_canonical_format(sparse.csr_array(features))
    if n_rows is not None:  # n-grams, counted in all rows
        return _fit_norm(features, n_rows, weights)
    all_heavy = find_heavy_columns(features, weights)
    features, heavy = leave_out_constant(features, all_heavy)
    n_rows = np.ones(features.shape[1])
    n_rows[all_heavy] = 0
    of_sparse = _fit_norm(without_columns(features, heavy), n_rows, weights)
    if not len(heavy):
        return of_sparse
    scaler = HeavyColumnScaler(merge_singles=False).fit_dense(features, heavy, weights)
    scaler.sparse_scaler_ = of_sparse
    return scaler


def _fit_norm(features, n_rows, weights):
    """Fit a RowNormScaler to the norms of a sample and the number of rows of each feature."""
    norms = squared_norms(features.data, features.indptr)
    norm = float(np.sqrt(np.average(norms, weights=weights)))
    return RowNormScaler(merge_singles=False).fit_counts(norm, n_rows)


def _read_rows(frame, random, *, fit, target, weights):
    """Convert a frame to training rows or, without a random state, to held-out rows."""
    # without the warnings of predictions: speakers of one conversation are unknown here
    inputs = read_rows(frame.drop(columns=target), None, fit.reader.schema)
    rows = fit.reader.build_rows(inputs, fit.reader.vectorize(inputs))
    targets = find_classes(frame[target], len(frame), fit.classes)
    training_rows = TrainingRows(rows, targets, weights[targets], random)
    training_rows.far_places = fit.choose_far_places(rows)
    return training_rows


def _find_temperature(network, held_out, device, processes):
    """Fit the temperature of a trained network on the held-out rows of all processes."""
    logits = np.empty((0, network.decoder.out_features))
    own = [logits, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)]
    if held_out is not None:
        logits = predict_logits(network.eval(), held_out.rows, device)
        own = [logits, held_out.targets.numpy(), held_out.weights.numpy()]
    return fit_temperature(*processes.gather(own))
