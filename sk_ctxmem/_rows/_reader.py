"""RowReader: converts X and groups to a RowSet with the fitted vectorizer and scaler."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._dense._reader import DenseReader, fit_dense_reader
from .._features._featurize import fit_features
from .._features._text_reader import TextReader
from .._input._rows import InputRows, InputSchema, read_rows
from .._messages import doc_link, warn_caller
from ..exceptions import MissingGroupsWarning
from ._arrange import build_row_set, encode_groups
from ._ids import warn_of_ids
from ._row_set import RowSet
from ._speakers import ExpectedSpeakers, learn_speakers, warn_of_speakers


@dataclass(frozen=True)
class RowReader:
    """Converts X and groups to the rows that the network reads.

    Parameters
    ----------
    schema : InputSchema
        Kind and columns of the X of the fit.
    has_groups : bool
        Whether the classifier was fitted with groups.
    wants_context : bool
        Whether the parameter `context` is not "none".
    context : {"past", "both", "none"}
        Which other rows of its group a row sees.
    word_memory : bool or "convolution"
        Whether the network reads the words of the texts, and if not with a memory, how.
    texts : TextReader or None
        Fitted vectorizer. None if X contains features.
    scaler : transformer
        Fitted scaler of the features.
    speakers : dict
        Id of each known speaker.
    expected_speakers : ExpectedSpeakers or None, default=None
        Speakers to expect in new conversations. None without a speaker column.
    longest_group : int or None, default=None
        Number of rows of the longest group of the fit. None without context, and for models of
        older versions.
    dense : DenseReader or None, default=None
        Reads the dense features beside those of the texts. None if there are none.
    """

    schema: InputSchema
    has_groups: bool
    wants_context: bool
    context: str
    word_memory: bool | str
    texts: TextReader | None
    scaler: Any
    speakers: dict[Any, int]
    expected_speakers: ExpectedSpeakers | None = None
    longest_group: int | None = None
    dense: DenseReader | None = None

    @property
    def vectorizer(self) -> Any:
        """Fitted vectorizer. None if X contains features."""
        return None if self.texts is None else self.texts.vectorizer

    def read(self, X: Any, groups: Any = None) -> RowSet:
        """Validate X and groups and convert them to a RowSet."""
        inputs = self.read_inputs(X, groups)
        return self.build_rows(inputs, self.vectorize(inputs))

    def read_inputs(self, X: Any, groups: Any = None) -> InputRows:
        """Validate X and groups.

        Raises
        ------
        TypeError, ValueError
            If the kind of X differs from that of the fit, or X has groups but the fit had none.

        Warns
        -----
        MissingGroupsWarning
            If X has no groups but the fit had groups.
        MergedGroupsWarning
            If group ids may merge or split conversations.
        UnknownSpeakersWarning
            If speakers are missing, or are unknown and should be known.
        """
        inputs = read_rows(X, groups, self.schema)
        self.check_groups(inputs)
        if self.context != "none" and not self.schema.of_sequences:
            warn_of_ids(inputs, self.schema.columns)
        self.check_speakers(inputs)
        return inputs

    def check_speakers(self, inputs: InputRows) -> None:
        """Warn if speakers are missing, or are unknown and should be known."""
        if inputs.speakers is not None and self.expected_speakers is not None:
            codes = encode_groups(inputs)
            warn_of_speakers(inputs.speakers, codes, self.speakers, self.expected_speakers)

    def check_groups(self, inputs: InputRows) -> None:
        """Warn if groups are missing, and raise ValueError if the fit had no groups."""
        if inputs.groups is None:
            if self.context != "none":
                warn_caller(
                    "The classifier was fitted with groups, but X has no groups: each row is "
                    "predicted without context. Pass groups= to predict too, or fit with "
                    "group_column= to read the groups from X. If you passed groups= to score of a "
                    "Pipeline or to a cross-validation, scikit-learn dropped them: enable metadata "
                    "routing and call set_score_request(groups=True). That is for the default "
                    "scoring; with scorers such as scoring='f1_macro', group_column= alone works."
                    + doc_link("missing-groups"),
                    MissingGroupsWarning,
                )
        elif self.wants_context and not self.has_groups:
            raise ValueError(
                "The classifier was fitted without groups and does not use other rows, but X has "
                "groups; pass groups to fit too, or no groups to predict, or fit with "
                "context='none' to predict each row without context."
                + doc_link("groups-only-in-predict")
            )

    def vectorize(self, inputs: InputRows) -> Any:
        """Convert texts to features with the fitted vectorizer; features are unchanged."""
        return self.vectorize_values(inputs.values)

    def vectorize_values(self, values: Any) -> Any:
        """Convert validated texts to features; features are unchanged."""
        return values if self.texts is None else self.texts.read(values)

    def read_beside(self, values: Any, columns: Any) -> np.ndarray | None:
        """Return the scaled dense features beside those of texts, or None if there are none."""
        return None if self.dense is None else self.dense.read(values, columns)

    def build_rows(
        self,
        inputs: InputRows,
        values: Any,
        group_codes: np.ndarray | None = None,
        beside: np.ndarray | None = None,
    ) -> RowSet:
        """Convert vectorized rows to a RowSet.

        `group_codes` is the result of `encode_groups`, and `beside` that of `read_beside`. Each is
        computed if it is None.
        """
        if beside is None:
            beside = self.read_beside(inputs.values, inputs.columns)
        return build_row_set(
            inputs,
            values,
            self.scaler,
            self.speakers,
            context=self.context,
            word_memory=self.word_memory,
            beside=beside,
            n_embedded=0 if self.dense is None else self.dense.n_embedded,
            longest=self.longest_group,
            group_codes=group_codes,
            pools=self.schema.of_sequences,
        )

    def with_groups_of(self, group_codes: np.ndarray) -> RowReader:
        """Return a reader that knows the positions in more training groups."""
        if self.longest_group is None:
            return self
        return replace(self, longest_group=max(self.longest_group, _longest(group_codes)))


def fit_reader(
    inputs: InputRows,
    labels: np.ndarray,
    schema: InputSchema,
    params: Any,
    weights: np.ndarray,
    group_codes: np.ndarray,
    *,
    more_to_come: bool = False,
) -> tuple[RowReader, Any, np.ndarray | None]:
    """Fit the vectorizer, the scaler and the speakers of a RowReader.

    Parameters
    ----------
    inputs : InputRows
        Validated rows of the fit.
    labels : ndarray of shape (n_rows,)
        Class label of each row.
    schema : InputSchema
        Kind and columns of the X of the fit.
    params : SimpleNamespace
        Parameters of the classifier.
    weights : ndarray of shape (n_rows,)
        Sample weights.
    group_codes : ndarray of shape (n_rows,), int64
        Group index of each row.
    more_to_come : bool, default=False
        Whether other training rows follow, as in partial_fit.

    Returns
    -------
    reader : RowReader
        Fitted reader.
    values : TextSequences, csr_array or ndarray of n_rows
        Features of the rows.
    beside : ndarray of shape (n_rows, n_beside), float32, or None
        Scaled dense features beside those of texts, see `RowReader.read_beside`.
    """
    values, texts, scaler = fit_features(
        inputs, labels, params.vectorizer, weights, more_to_come=more_to_come
    )
    ids, expected = learn_speakers(inputs, group_codes)
    dense, beside = fit_dense_reader(inputs, labels, params, weights, more_to_come=more_to_come)
    parts = (texts, scaler, ids, expected, _longest(group_codes), dense)
    return make_reader(inputs, schema, params, *parts), values, beside


def _longest(group_codes: np.ndarray) -> int:
    """Return the number of rows of the longest group."""
    return int(np.bincount(group_codes).max())


def make_reader(
    inputs: InputRows,
    schema: InputSchema,
    params: Any,
    texts: TextReader | None,
    scaler: Any,
    speakers: dict,
    expected_speakers: ExpectedSpeakers | None,
    longest_group: int | None,
    dense: DenseReader | None,
) -> RowReader:
    """Return a RowReader with fitted parts, and warn of ids that may merge conversations."""
    has_groups = inputs.groups is not None
    context = params.context if has_groups else "none"
    if params.context != "none" and not schema.of_sequences:
        warn_of_ids(inputs, schema.columns, is_fit=True)
    return RowReader(
        schema=schema,
        has_groups=has_groups,
        wants_context=params.context != "none",
        context=context,
        word_memory=_as_plain(params.word_memory),
        texts=texts,
        scaler=scaler,
        speakers=speakers,
        expected_speakers=expected_speakers,
        longest_group=None if context == "none" else longest_group,
        dense=dense,
    )


def _as_plain(word_memory: Any) -> bool | str:
    """Return the parameter as a file can hold it: its types may be those of numpy."""
    return str(word_memory) if isinstance(word_memory, str) else bool(word_memory)
