"""RowReader: how rows are read, as learned by a fit before there is a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._features._featurize import fit_features
from .._input._rows import InputRows, InputSchema, read_rows
from .._messages import doc_link, warn_caller
from ..exceptions import MissingGroupsWarning
from ._arrange import build_row_set, learn_speakers
from ._row_set import RowSet


@dataclass(frozen=True)
class RowReader:
    """Converts X and groups to the rows that the network reads.

    Parameters
    ----------
    schema : InputSchema
        Form of the X of the fit.
    has_groups : bool
        Whether the fit had groups.
    wants_context : bool
        Whether rows were to see other rows of their group, had there been groups.
    context : {"past", "both", "none"}
        Which other rows of its group a row sees.
    word_memory : bool
        Whether the network reads the words of the texts.
    vectorizer : transformer or None
        The fitted vectorizer; None if X holds features.
    scaler : transformer
        The fitted scaler of the features.
    speakers : dict
        Number of each known speaker.
    """

    schema: InputSchema
    has_groups: bool
    wants_context: bool
    context: str
    word_memory: bool
    vectorizer: Any
    scaler: Any
    speakers: dict[Any, int]

    def read(self, X: Any, groups: Any = None) -> RowSet:
        """Return the rows of X, checked against those of the fit."""
        inputs = self.read_inputs(X, groups)
        return self.build_rows(inputs, self.vectorize(inputs))

    def read_inputs(self, X: Any, groups: Any = None) -> InputRows:
        """Return X and groups in one form.

        Raises
        ------
        TypeError, ValueError
            If X is not of the kind that the fit had, or has groups that the fit had not.

        Warns
        -----
        MissingGroupsWarning
            If the fit had groups and X has none.
        """
        inputs = read_rows(X, groups, self.schema)
        self.check_groups(inputs)
        return inputs

    def check_groups(self, inputs: InputRows) -> None:
        """Warn of missing groups, and raise ValueError for groups that the fit had not."""
        if inputs.groups is None:
            if self.context != "none":
                warn_caller(
                    "The classifier was fitted with groups, but X comes without: each row is "
                    "taken for a conversation of its own. Pass groups= to predict too, or fit "
                    "with group_column= so that the ids travel in X." + doc_link("missing-groups"),
                    MissingGroupsWarning,
                )
        elif self.wants_context and not self.has_groups:
            raise ValueError(
                "The classifier was fitted without groups, so that it has no memory of other "
                "rows, but X comes with groups now; pass groups to fit too, or none to predict, or "
                "fit with context='none' if rows are to stand alone."
                + doc_link("groups-only-in-predict")
            )

    def vectorize(self, inputs: InputRows) -> Any:
        """Convert texts to features by the fitted vectorizer; features stay as they are."""
        return self.vectorizer.transform(inputs.values) if inputs.kind == "text" else inputs.values

    def build_rows(
        self, inputs: InputRows, values: Any, group_codes: np.ndarray | None = None
    ) -> RowSet:
        """Return vectorized input as rows sorted by group; the codes spare encoding the groups."""
        return build_row_set(
            inputs,
            values,
            self.scaler,
            self.speakers,
            context=self.context,
            word_memory=self.word_memory,
            group_codes=group_codes,
        )


def fit_reader(
    inputs: InputRows,
    schema: InputSchema,
    params: Any,
    weights: np.ndarray,
    group_codes: np.ndarray,
    *,
    more_to_come: bool = False,
) -> tuple[RowReader, Any]:
    """Learn how to read rows like these.

    Parameters
    ----------
    inputs : InputRows
        The input of the fit.
    schema : InputSchema
        Its form.
    params : SimpleNamespace
        Parameters of the classifier.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.
    group_codes : ndarray of shape (n_rows,), int64
        Number of the group of each row.
    more_to_come : bool, default=False
        Whether other rows to learn from follow.

    Returns
    -------
    reader : RowReader
        The reader.
    values : TextSequences, csr_array or ndarray of n_rows
        The vectorized input.
    """
    values, vectorizer, scaler = fit_features(
        inputs, params.vectorizer, weights, more_to_come=more_to_come
    )
    speakers = learn_speakers(inputs, group_codes)
    return make_reader(inputs, schema, params, vectorizer, scaler, speakers), values


def make_reader(
    inputs: InputRows,
    schema: InputSchema,
    params: Any,
    vectorizer: Any,
    scaler: Any,
    speakers: dict,
) -> RowReader:
    """Return a reader of rows like these, given its fitted parts."""
    has_groups = inputs.groups is not None
    return RowReader(
        schema=schema,
        has_groups=has_groups,
        wants_context=params.context != "none",
        context=params.context if has_groups else "none",
        word_memory=bool(params.word_memory),
        vectorizer=vectorizer,
        scaler=scaler,
        speakers=speakers,
    )
