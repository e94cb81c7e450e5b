"""How a score is shared out among texts, n-grams and words: the mathematics of `explain`.

A score is the log-odds of a class. It is shared out in two steps: from one empty text alone to
rows whose texts are all empty ("structure"), and from there to the texts as they are. What is
read of a text is linear in its n-grams, so that gradients are only needed for what is read.
Shape letters: V windows (explained rows), P rows of all windows, E values of features, D width.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .._rows._packing import concatenated_ranges
from ._leave_one_out import WordsLeftOut, leave_one_out, words_left_out
from ._scorer import MOST_ROWS, ContextWindows, Scorer, Texts
from ._scores import ScoredRows, Shares

METHODS = ("integrated_gradients", "leave_one_out", "gradient_times_input")
FIRST_NODES = 8  # of the quadrature; doubled for the rows whose sum is not yet exact
MOST_NODES = 1024
TOLERANCE = 2e-4  # of the sum of all contributions, in log-odds


def share_out(scorer: Scorer, scored: ScoredRows, method: str) -> Shares:
    """Share the difference that the texts make out among them, by one of METHODS.

    Parameters
    ----------
    scorer : Scorer
        Scores rows.
    scored : ScoredRows
        What is to be explained.
    method : str
        One of METHODS.

    Returns
    -------
    shares : Shares
        For "integrated_gradients" they add up to the difference.
    """
    if method == "leave_one_out":
        return leave_one_out(scorer, scored)
    if method == "integrated_gradients":
        gradients = integrated_gradients(scorer, scored)
    else:
        gradients = _gradients_at_texts(scorer, scored)
    return _spread(scorer, scored, gradients)


def integrated_gradients(scorer: Scorer, scored: ScoredRows) -> Texts:
    """Return the mean gradient on the straight line from empty texts to the texts, (P, ...).

    Gauss-Legendre quadrature, with more nodes for the windows that need them.

    References
    ----------
    Sundararajan, M., Taly, A. and Yan, Q. (2017). Axiomatic attribution for deep networks.
    ICML 2017.
    """
    windows, texts = scored.windows, scored.texts
    difference = scored.whole - scored.empty
    found = Texts(torch.zeros_like(texts.read), torch.zeros_like(texts.wide))
    pending, n_nodes = np.arange(len(windows)), FIRST_NODES
    while len(pending) and n_nodes <= MOST_NODES:
        rows = concatenated_ranges(windows.firsts[pending], windows.lengths[pending])
        some = windows[pending], texts[rows], scored.targets[pending]
        nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
        gradients = mean_gradients(scorer, *some, (nodes + 1) / 2, weights / 2)
        found.read[rows], found.wide[rows] = gradients.read, gradients.wide
        sums = np.add.reduceat(_products(some[1], gradients), some[0].firsts)
        pending = pending[np.abs(sums - difference[pending]) > TOLERANCE]
        n_nodes *= 2
    return found


def mean_gradients(
    scorer: Scorer,
    windows: ContextWindows,
    texts: Texts,
    targets: np.ndarray,
    nodes: np.ndarray,
    weights: np.ndarray,
) -> Texts:
    """Return the weighted sum of the gradients at the texts, multiplied by each node."""
    n_rows = len(texts.read)
    at_once = max(1, MOST_ROWS // n_rows)
    total = [torch.zeros_like(texts.read), torch.zeros_like(texts.wide)]
    for first in range(0, len(nodes), at_once):
        some = slice(first, first + at_once)
        n_copies = len(nodes[some])
        copies = texts.scaled(torch.from_numpy(nodes[some]))
        inputs = copies.read.requires_grad_(), copies.wide.requires_grad_()
        scores = scorer.scores(windows.repeat(n_copies), copies, np.tile(targets, n_copies))
        factors = torch.from_numpy(weights[some])[:, None, None]
        for part, gradient in zip(total, torch.autograd.grad(scores.sum(), inputs), strict=True):
            part += (factors * gradient.unflatten(0, (n_copies, n_rows))).sum(dim=0)
    return Texts(*total)


def _gradients_at_texts(scorer: Scorer, scored: ScoredRows) -> Texts:
    one = np.ones(1)
    return mean_gradients(scorer, scored.windows, scored.texts, scored.targets, one, one)


def _products(texts: Texts, gradients: Texts) -> np.ndarray:
    """Return what each row adds to the score, were it linear."""
    by_path = (texts.read * gradients.read).sum(1) + (texts.wide * gradients.wide).sum(1)
    return by_path.numpy()


def _spread(scorer: Scorer, scored: ScoredRows, gradients: Texts) -> Shares:
    """Multiply gradients by what is read of rows, features and words."""
    own = gradients[scored.owns]
    of_entries, parts = own[scored.entry_windows], scored.parts
    return Shares(
        rows=_products(scored.texts, gradients),
        ngrams=(parts.read * of_entries.read).sum(dim=1).numpy(),
        wide=(parts.wide * of_entries.wide).sum(dim=1).numpy(),
        words=[
            _spread_over_words(left_out, gradient)
            for left_out, gradient in zip(
                words_left_out(scorer, scored.windows), own.read, strict=False
            )
        ],
    )


def _spread_over_words(left_out: WordsLeftOut, gradient: Tensor) -> np.ndarray:
    """Share what is read of all words out: what each piece changes, and the rest evenly."""
    changes = ((left_out.whole - left_out.without) @ gradient).numpy()
    rest = float(left_out.whole @ gradient) - changes.sum()
    sizes = left_out.sizes
    return np.repeat(changes / sizes, sizes) + rest / max(1, sizes.sum())
