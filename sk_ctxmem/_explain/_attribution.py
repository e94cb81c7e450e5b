"""Attribution of scores to rows, n-grams and words.

A score is the log-odds of a class. The baseline is the score with the texts of all rows empty. The
difference between the baseline and the score of a single empty text is the contribution of
structure. The difference between the score and the baseline is attributed to the texts. The inputs
of the network are linear in the n-grams of a text, so that gradients with respect to these inputs
are sufficient.

Shape letters: V windows (explained rows), P rows of all windows, E values of features, D width.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .._rows._packing import concatenated_ranges
from ._leave_one_out import WordsLeftOut, leave_one_out, words_left_out
from ._scorer import MAX_BATCH_ROWS, ContextWindows, Scorer, TextInputs
from ._scores import Contributions, ScoredRows

METHODS = ("integrated_gradients", "leave_one_out", "gradient_times_input")
FIRST_NODES = 8  # initial number of nodes of the quadrature
MAX_NODES = 1024
TOLERANCE = 2e-4  # error of the sum of all contributions, in log-odds


def attribute_scores(scorer: Scorer, scored: ScoredRows, method: str) -> Contributions:
    """Attribute the difference between scores and baselines to the texts.

    Parameters
    ----------
    scorer : Scorer
        Scores rows.
    scored : ScoredRows
        Scores to explain.
    method : str
        One of METHODS.

    Returns
    -------
    contributions : Contributions
        For "integrated_gradients", their sum is the difference.
    """
    if method == "leave_one_out":
        return leave_one_out(scorer, scored)
    if method == "integrated_gradients":
        gradients = integrated_gradients(scorer, scored)
    else:
        gradients = _gradients_at_texts(scorer, scored)
    return _attribute_linearly(scorer, scored, gradients)


def integrated_gradients(scorer: Scorer, scored: ScoredRows) -> TextInputs:
    """Return the mean gradient on the straight line from empty texts to the texts, (P, ...).

    Uses Gauss-Legendre quadrature. The number of nodes is doubled for windows whose contributions
    do not add up.

    References
    ----------
    Sundararajan, M., Taly, A. and Yan, Q. (2017). Axiomatic attribution for deep networks.
    ICML 2017.
    """
    windows, texts = scored.windows, scored.texts
    difference = scored.whole - scored.empty
    found = TextInputs(torch.zeros_like(texts.encoder), torch.zeros_like(texts.wide))
    pending, n_nodes = np.arange(len(windows)), FIRST_NODES
    while len(pending) and n_nodes <= MAX_NODES:
        rows = concatenated_ranges(windows.offsets[pending], windows.lengths[pending])
        some = windows[pending], texts[rows], scored.targets[pending]
        nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
        gradients = mean_gradients(scorer, *some, (nodes + 1) / 2, weights / 2)
        found.encoder[rows], found.wide[rows] = gradients.encoder, gradients.wide
        sums = np.add.reduceat(_products(some[1], gradients), some[0].offsets)
        pending = pending[np.abs(sums - difference[pending]) > TOLERANCE]
        n_nodes *= 2
    return found


def mean_gradients(
    scorer: Scorer,
    windows: ContextWindows,
    texts: TextInputs,
    targets: np.ndarray,
    nodes: np.ndarray,
    weights: np.ndarray,
) -> TextInputs:
    """Return the weighted sum of the gradients at the texts multiplied by each node."""
    n_rows = len(texts.encoder)
    at_once = max(1, MAX_BATCH_ROWS // n_rows)
    total = [torch.zeros_like(texts.encoder), torch.zeros_like(texts.wide)]
    for first in range(0, len(nodes), at_once):
        some = slice(first, first + at_once)
        n_copies = len(nodes[some])
        copies = texts.scaled(torch.from_numpy(nodes[some]))
        inputs = copies.encoder.requires_grad_(), copies.wide.requires_grad_()
        scores = scorer.scores(windows.repeat(n_copies), copies, np.tile(targets, n_copies))
        factors = torch.from_numpy(weights[some])[:, None, None]
        for part, gradient in zip(total, torch.autograd.grad(scores.sum(), inputs), strict=True):
            part += (factors * gradient.unflatten(0, (n_copies, n_rows))).sum(dim=0)
    return TextInputs(*total)


def _gradients_at_texts(scorer: Scorer, scored: ScoredRows) -> TextInputs:
    one = np.ones(1)
    return mean_gradients(scorer, scored.windows, scored.texts, scored.targets, one, one)


def _products(texts: TextInputs, gradients: TextInputs) -> np.ndarray:
    """Return the contribution of each row, if the score were linear."""
    by_path = (texts.encoder * gradients.encoder).sum(1) + (texts.wide * gradients.wide).sum(1)
    return by_path.numpy()


def _attribute_linearly(scorer: Scorer, scored: ScoredRows, gradients: TextInputs) -> Contributions:
    """Multiply gradients by the inputs of rows, features and words."""
    own = gradients[scored.windows.own]
    of_entries, parts = own[scored.entry_rows], scored.parts
    return Contributions(
        rows=_products(scored.texts, gradients),
        ngrams=(parts.encoder * of_entries.encoder).sum(dim=1).numpy(),
        wide=(parts.wide * of_entries.wide).sum(dim=1).numpy(),
        words=[
            _attribute_to_words(left_out, gradient)
            for left_out, gradient in zip(
                words_left_out(scorer, scored.windows), own.encoder, strict=False
            )
        ],
    )


def _attribute_to_words(left_out: WordsLeftOut, gradient: Tensor) -> np.ndarray:
    """Attribute the input of all words to single words.

    Each word gets its part of the change that its piece makes, and an equal part of the rest.
    """
    changes = ((left_out.whole - left_out.without) @ gradient).numpy()
    rest = float(left_out.whole @ gradient) - changes.sum()
    sizes = left_out.sizes
    return np.repeat(changes / sizes, sizes) + rest / max(1, sizes.sum())
