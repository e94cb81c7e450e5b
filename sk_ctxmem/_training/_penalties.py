"""L2 penalties and the weights of dense features, chosen by ridge regression on some rows.

Shape letters: T rows of the training part, V rows of the validation part, F features, C classes
that are looked at, K Krylov vectors, P penalties.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import sparse

from .._features._scaler import take_columns
from .._rows._row_set import RowSet
from ._dataset import TrainingRows
from ._draws import count_effective_rows

FEWEST_ROWS = 200  # of equal weight, and a quarter of them in each part
TRAINING_ROWS, VALIDATION_ROWS = 2000, 1000
MOST_VALUES = 800_000  # stored values of all these rows: less than a tenth of the time of a fit
MOST_CLASSES = 8  # the most frequent ones
KRYLOV_VECTORS = 12  # with 20, the choice on 15 corpora is the same to two digits

# Inverse penalties, as C of LogisticRegression for rows of squared norm 1, in steps of about 3; the
# best is interpolated.
GRID = np.array([0.02, 0.06, 0.2, 0.6, 2.0, 6.0, 20.0, 60.0, 200.0])
LARGEST = 20.0  # above, a penalty changes nothing that can be measured
# What suits the table is a share of the C that suits ridge regression. The C of the least squared
# error suits random words with wrong labels, but is too small where classes are unbalanced. The C
# of the least error after rescaling ignores that a penalty makes all predictions small, which the
# temperature undoes; but it has no lower end where one word tells the class, and no upper end
# where nothing does. Therefore it is taken within limits that the first one sets.
ERROR_SHARE, DIRECTION_SHARE = 0.1, 0.8
LARGEST_RATIO = 8.0
# What other rows tell of a row is noise to a linear model of the row alone. Conversations of which
# each row has the class of the row before need their words: below these two limits, the accuracy
# of 60 talks falls from 1.00 to .43, and that of 8 talks of 50 rows from .96 to .47.
LOWEST_IN_CONTEXT, ROWS_IN_CONTEXT = 1.6, 6000
# Few rows may look like noise by chance. Of 250 rows, 30 % with a wrong label, C was .016 then, and
# the accuracy .52 in place of .74 without a penalty. C is at least this divided by the rows.
LEAST_TIMES_ROWS = 100

# Embeddings have 384 numbers or so in each row, and need a larger penalty than n-grams of the same
# norm. The C of the least error after rescaling, with embeddings of half the norm, is 200 on
# intents, 80 on questions, 4.6 and 2.0 on sentences of reviews; what suits the network is 30, 3 to
# 10, .05 to .1 and .02 to .05 (vectors of MiniLM): about (C / 20) ** 1.4. The penalty of n-grams is
# a point worse on reviews. In context, where embeddings tell which other rows matter, it is best.
EMBEDDING_DIVISOR, EMBEDDING_POWER = 20.0, 1.4
# Dense features have the largest of these weights with which ridge regression has a smaller error,
# after rescaling, than without them, and the last one if none has.
# Embeddings: of MiniLM, 1 on five corpora of six; 100 components of a truncated SVD, noise beside
# the n-grams, lose 1 to 5 points at 1, and at most .7 as chosen. Eight random numbers lose 4
# points at .25.
EMBEDDING_WEIGHTS, HALF = (1.0, 0.5, 0.25, 0.01), 0.5
# Columns of the user: of 300 texts with 30 % wrong labels, noise of 40 categories leaves .69 of .89
# at the weight 1, and .87 at .1; categories that tell the class gain 18 points at 1, and 10 at .1.
# On 2,900 titles of films with 13 columns, the genre is right in .55 at 1, .53 at .3 and .48 at .1.
COLUMN_WEIGHTS = (1.0, 0.3, 0.1, 0.03)

ROUNDING = 1e-4  # a new direction shorter than this share of the image is rounding
TINY = 1e-30


@dataclass(frozen=True)
class Penalties:
    """L2 penalties of the tables, and the weights of dense features.

    Parameters
    ----------
    table, embedding : float
        Inverses of C as in LogisticRegression, for the sum of the losses of all rows, or the same
        for the mean loss.
    embedding_weight : float
        Factor by which the embeddings should be multiplied, at most 1: `embedding` is that of the
        embeddings as they are.
    column_weight : float
        The same of columns of the user.
    """

    table: float = 0.0
    embedding: float = 0.0
    embedding_weight: float = 1.0
    column_weight: float = 1.0

    def of_mean_loss(self, n_rows: int) -> Penalties:
        """Return the same penalties for the mean loss of some rows."""
        return replace(self, table=self.table / n_rows, embedding=self.embedding / n_rows)


NO_PENALTIES = Penalties()


class Best(NamedTuple):
    """The C of the least squared error, that of the least one after rescaling, and that error."""

    least: float
    rescaled: float
    error: float


@dataclass
class Look:
    """Rows for choosing the penalty: features, centred indicators of classes, and weights.

    Parameters
    ----------
    features : csr_array of shape (T, F)
        Features of the training part, times the root of the weight of the row.
    indicators : ndarray of shape (T, C), float32
        Whether a row is of a class, less the share of the class, times the same root.
    roots : ndarray of shape (T, 1), float32
        The root of the weight of each row.
    new_features : csr_array of shape (V, F)
        Features of the validation part.
    new_indicators : ndarray of shape (V, C)
        The same of the validation part, less the share of the class in the training part.
    new_weights : ndarray of shape (V,)
        Weights of the validation part.
    shares : ndarray of shape (C,)
        Share of each class in the training part.
    scale : float
        Mean squared norm of the rows of the training part.
    dense : ndarray of shape (T, D)
        Columns of the user, and embeddings with rows of norm 1 on average, of the training part,
        times the same root.
    new_dense : ndarray of shape (V, D)
        The same of the validation part.
    n_columns : int
        Number of columns of the user.
    weights : tuple of two float
        Factors of the columns and of the embeddings.
    """

    features: sparse.csr_array
    indicators: np.ndarray
    roots: np.ndarray
    new_features: sparse.csr_array
    new_indicators: np.ndarray
    new_weights: np.ndarray
    shares: np.ndarray
    scale: float
    dense: np.ndarray
    new_dense: np.ndarray
    n_columns: int
    weights: tuple[float, float] = (1.0, 1.0)

    @property
    def factors(self) -> np.ndarray:
        """Factor of each dense feature, (D, 1), float32."""
        counts = (self.n_columns, self.dense.shape[1] - self.n_columns)
        return np.repeat(self.weights, counts).astype(np.float32)[:, np.newaxis]


def choose_penalties(data: TrainingRows, n_classes: int, n_columns: int = 0) -> Penalties:
    """Choose penalties and weights from the rows of a fit.

    Plain SGD for a few epochs learns the labels of its rows by heart, word by word. On made-up
    texts, one word of nine told the class, and 30 % of the labels of 2,000 rows were wrong: the
    accuracy was .75, and is .98 with the penalty; with logistic regression, it is between .84 and
    .996, by C. Where C of the best logistic regression is large, there is no penalty.

    A linear model is fitted for all penalties at once: ridge regression of the class indicators,
    in the Krylov space of the kernel matrix. The curvature of the logistic loss for a class is
    about its share, so a penalty 1 / (C n) of the mean logistic loss is one of 1 / (C share) here.

    Parameters
    ----------
    data : TrainingRows
        Rows with sparse features, embeddings or both.
    n_classes : int
        Number of classes.
    n_columns : int, default=0
        Number of the dense features before the embeddings that are columns of the user.

    Returns
    -------
    penalties : Penalties
        The inverses of C: C as in LogisticRegression, for the sum of the losses of all rows. 0 if
        no penalty is better, or if the rows tell less than FEWEST_ROWS rows of equal weight.

    References
    ----------
    Hoerl, A. E. and Kennard, R. W. (1970). Ridge regression. Technometrics 12 (1), 55-67.
    Frommer, A. and Maass, P. (1999). Fast CG-based methods for Tikhonov-Phillips regularization.
    SIAM Journal on Scientific Computing 20 (5): all penalties share one Krylov space.
    """
    rows = data.rows
    if not sparse.issparse(rows.features) and rows.embedded is None:
        return NO_PENALTIES
    in_context = rows.context != "none"
    look = _take_look(data, n_classes, 0 if in_context else n_columns)
    if look is None or not look.scale:
        return NO_PENALTIES
    if in_context or rows.embedded is None:
        weight, of_weights = 1.0, {1.0: _find_best(replace(look, weights=(0.0, 1.0)))}
    else:
        weight, of_weights = _weigh_embeddings(look)
    column_weight = _weigh_columns(look, of_weights)
    # at full weight, weak embeddings would make the n-grams look like noise too
    table = _choose_table_penalty(of_weights[weight], look.scale, len(data), in_context=in_context)
    if rows.embedded is None:
        return Penalties(table, column_weight=column_weight)
    norm = _mean_squared_norm(rows.embedded, data.weights.numpy())  # that of the look is 1
    if in_context:
        return Penalties(table, table * norm)
    embedding = max(table, _choose_embedding_penalty(of_weights[HALF]))
    most = len(data) * 2 / (LEAST_TIMES_ROWS * n_classes)  # few rows of each class tell little
    return Penalties(table, min(embedding, most) * norm, weight, column_weight)


def _choose_table_penalty(best: Best, scale: float, n_rows: int, *, in_context: bool) -> float:
    lowest = ERROR_SHARE * best.least
    chosen = min(max(DIRECTION_SHARE * best.rescaled, lowest), LARGEST_RATIO * lowest)
    chosen = max(chosen, LEAST_TIMES_ROWS / n_rows)
    if in_context:
        chosen = max(chosen, LOWEST_IN_CONTEXT, ROWS_IN_CONTEXT / n_rows)
    return scale / chosen if chosen < LARGEST else 0.0


def _choose_embedding_penalty(best: Best) -> float:
    inverse = max(best.rescaled, ERROR_SHARE * best.least)
    chosen = (inverse / EMBEDDING_DIVISOR) ** EMBEDDING_POWER
    return 1 / chosen if chosen < LARGEST else 0.0


def _weigh_columns(look: Look, without: dict[float, Best]) -> float:
    """Return the weight of columns of the user, beside embeddings of half the norm.

    `without` has what was found without them for some weights of the embeddings.
    """
    if not look.dense[:, : look.n_columns].any():  # constant ones may tell it in later chunks
        return 1.0
    beside = HALF if HALF in without else 1.0  # no embeddings, of any weight
    for weight in COLUMN_WEIGHTS[:-1]:
        if _find_best(replace(look, weights=(weight, beside))).error < without[beside].error:
            return weight
    return COLUMN_WEIGHTS[-1]


def _weigh_embeddings(look: Look) -> tuple[float, dict[float, Best]]:
    """Return the weight of embeddings, without columns, and what was found for some weights."""
    *weights, last = EMBEDDING_WEIGHTS
    found = {each: _find_best(replace(look, weights=(0.0, each))) for each in weights}
    if not look.features.shape[1]:  # nothing else tells the class
        return 1.0, found
    found[last] = without = _find_best(replace(look, weights=(0.0, 0.0)))
    better = [each for each in weights if found[each].error < without.error]
    return max(better, default=last), found


def _find_best(look: Look) -> Best:
    fitted, weights = _fit_all(look), look.new_weights[:, np.newaxis]  # (P, V, C), (V, 1)
    scaled = _rescale(fitted, look.new_indicators, weights)
    least, rescaled = (
        _squared_errors(each, look.new_indicators, weights) for each in (fitted, scaled)
    )
    return Best(_best_on_grid(least), _best_on_grid(rescaled), float(rescaled.min()))


def _take_look(data: TrainingRows, n_classes: int, n_columns: int = 0) -> Look | None:
    """Return the rows to look at; None if they are too few, or if all are of one class."""
    weights = data.weights.numpy().astype(np.float64)
    train, new = _split(data, weights)
    counts = [count_effective_rows(weights[part]) for part in (train, new)]
    if sum(counts) < FEWEST_ROWS or min(counts) < FEWEST_ROWS / 4:
        return None
    targets = data.targets.numpy()
    shares = _find_shares(targets[train], weights[train], n_classes)
    classes = np.argsort(-shares, kind="stable")[:MOST_CLASSES]
    classes = classes[shares[classes] > 0]
    if targets.ndim == 2:
        classes = classes[shares[classes] < 1]  # of other labels, each tells something else
    elif len(classes) < 2 or n_classes == 2:  # the other class says the same
        classes = classes[1:]
    if not len(classes):
        return None
    shares = shares[classes]
    roots = np.sqrt(weights[train]).astype(np.float32)[:, np.newaxis]
    features, new_features = _share_columns(
        *(_take_sparse(data.rows, each) for each in (train, new))
    )
    features.data *= np.repeat(roots[:, 0], np.diff(features.indptr))
    embedded, new_embedded = _take_embedded(data.rows, train, new, weights[train])
    columns, new_columns = (_take_columns(data.rows, part, n_columns) for part in (train, new))
    indicators = _indicate(targets[train], classes) - shares  # (T, C)
    squares = sum(
        np.square(each, dtype=np.float64).sum() for each in (features.data, roots * embedded)
    )
    return Look(
        features=features,
        indicators=(roots * indicators).astype(np.float32),
        roots=roots,
        new_features=new_features,
        new_indicators=_indicate(targets[new], classes) - shares,
        new_weights=weights[new],
        shares=shares,
        scale=float(squares / weights[train].sum()),
        dense=roots * np.concatenate([columns, embedded], axis=1),
        new_dense=np.concatenate([new_columns, new_embedded], axis=1),
        n_columns=n_columns,
    )


def _find_shares(targets: np.ndarray, weights: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the share of each class, or of the rows with each label, (C,)."""
    if targets.ndim == 2:
        return weights @ targets / weights.sum()
    return np.bincount(targets, weights, n_classes) / weights.sum()


def _indicate(targets: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return whether rows are of some classes, or have some labels, (N, C)."""
    if targets.ndim == 2:
        return targets[:, classes] > 0
    return targets[:, np.newaxis] == classes


def _split(data: TrainingRows, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the rows of both parts: of whole groups, if there are enough."""
    random = np.random.RandomState(0)  # the same choice for every seed of a fit
    rows = data.rows
    groups = random.permutation(len(rows.lengths))
    ends = np.cumsum(rows.lengths[groups])
    n_wanted = TRAINING_ROWS + VALIDATION_ROWS
    n_values = getattr(rows.features, "nnz", 0)
    n_wanted *= min(1.0, MOST_VALUES * rows.features.shape[0] / max(1, n_values) / n_wanted)
    n_wanted /= max(np.mean(weights[rows.rows] > 0), TINY)  # rows of weight 0 are left out below
    n_wanted = min(int(n_wanted), len(rows))
    n_train = n_wanted * TRAINING_ROWS // (TRAINING_ROWS + VALIDATION_ROWS)
    first, last = np.searchsorted(ends, [n_train, n_wanted])
    train, new = (
        rows.take_groups(part).rows for part in (groups[:first], groups[first : last + 1])
    )
    if min(len(train), len(new)) < n_train / 4:  # a few long groups
        shuffled = random.permutation(rows.rows)
        train, new = shuffled[:n_train], shuffled[n_train:n_wanted]
    return train[weights[train] > 0], new[weights[new] > 0]


def _take_sparse(rows: RowSet, numbers: np.ndarray) -> sparse.csr_array:
    """Return the sparse features of some rows, if there are any."""
    if sparse.issparse(rows.features):
        return sparse.csr_array(rows.features[numbers])
    return sparse.csr_array((len(numbers), 0), dtype=np.float32)


def _take_columns(rows: RowSet, numbers: np.ndarray, n_columns: int) -> np.ndarray:
    """Return the columns of the user of some rows."""
    if rows.dense is None:
        return np.empty((len(numbers), 0), dtype=np.float32)
    end = rows.dense.shape[1] - rows.n_embedded
    return rows.dense[numbers, end - n_columns : end]


def _take_embedded(
    rows: RowSet, train: np.ndarray, new: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the embeddings of both parts, with rows of norm 1 on average in the first."""
    if rows.embedded is None:
        first, second = (np.empty((len(part), 0), dtype=np.float32) for part in (train, new))
        return first, second
    norm = _mean_squared_norm(rows.embedded[train], weights) ** 0.5 or 1.0
    return rows.embedded[train] / np.float32(norm), rows.embedded[new] / np.float32(norm)


def _mean_squared_norm(values: np.ndarray, weights: np.ndarray) -> float:
    squares = np.einsum("vd,vd->v", values, values, dtype=np.float64)  # without a copy in float64
    return float(np.average(squares, weights=weights))


def _share_columns(
    features: sparse.csr_array, new: sparse.csr_array
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Drop the columns without a value in `features`, in copies of both."""
    numbers = np.full(features.shape[1], -1, dtype=np.int32)
    numbers[features.indices] = 0
    is_used = numbers == 0
    numbers[is_used] = np.arange(is_used.sum())
    first, second = (
        take_columns(part.data, part.indptr, numbers[part.indices], int(is_used.sum()))
        for part in (features, new)
    )
    return first, second


def _fit_all(look: Look) -> np.ndarray:
    """Return the predictions of ridge regression for each penalty of GRID, (P, V, C)."""
    seen, tridiagonal, lengths = _expand(look)
    starts = np.zeros((*tridiagonal.shape[:2], 1))
    starts[:, 0, 0] = lengths
    found = []
    for inverse_penalty in GRID:
        penalties = look.scale / (inverse_penalty * look.shares)
        shifted = tridiagonal + penalties[:, np.newaxis, np.newaxis] * np.eye(KRYLOV_VECTORS)
        found.append(np.einsum("kvc,ck->vc", seen, np.linalg.solve(shifted, starts)[..., 0]))
    return np.stack(found)


def _expand(look: Look) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run the Lanczos process with the centred kernel matrix, for each class.

    Returns
    -------
    seen : ndarray of shape (K, V, C)
        Predictions of the validation part by each Krylov vector.
    tridiagonal : ndarray of shape (C, K, K)
        The kernel matrix in the Krylov space.
    lengths : ndarray of shape (C,)
        The norm of the indicators.
    """
    n_rows, n_classes = look.indicators.shape
    lengths = np.linalg.norm(look.indicators, axis=0)
    constant = look.roots / np.linalg.norm(look.roots)  # what centring takes away
    basis = np.zeros((n_classes, KRYLOV_VECTORS + 1, n_rows), dtype=np.float32)
    basis[:, 0] = constant.T
    seen = np.zeros((KRYLOV_VECTORS, len(look.new_weights), n_classes))
    tridiagonal = np.zeros((n_classes, KRYLOV_VECTORS, KRYLOV_VECTORS))
    vector = look.indicators / np.maximum(lengths, TINY)
    for step in range(KRYLOV_VECTORS):
        basis[:, step + 1] = vector.T
        weights = look.features.T @ vector  # (F, C)
        of_dense = look.factors**2 * (look.dense.T @ vector)  # (D, C)
        image = look.features @ weights + look.dense @ of_dense  # (T, C)
        new = look.new_features @ weights + look.new_dense @ of_dense  # (V, C)
        seen[step] = new - constant.T @ image / np.linalg.norm(look.roots)
        tridiagonal[:, step, step] = (vector * image).sum(axis=0)
        rest = _orthogonalize(image, basis[:, : step + 2])
        norms = np.linalg.norm(rest, axis=0)
        norms[norms < ROUNDING * np.linalg.norm(image, axis=0)] = 0  # the space is exhausted
        if step + 1 < KRYLOV_VECTORS:
            tridiagonal[:, step, step + 1] = tridiagonal[:, step + 1, step] = norms
        vector = np.where(norms > 0, rest / np.maximum(norms, TINY), 0).astype(np.float32)
    return seen, tridiagonal, lengths


def _orthogonalize(vectors: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return vectors (T, C) less their parts in the space of a basis (C, ., T) of each."""
    rest = vectors.copy()
    for _ in range(2):  # once is not enough in single precision
        for column, known in zip(rest.T, basis, strict=True):
            column -= known.T @ (known @ column)
    return rest


def _rescale(fitted: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Multiply the predictions of each penalty by the factor of the least squared error."""
    products = np.einsum("pvc,vc->p", fitted, weights * truth)
    squares = np.einsum("pvc,vc->p", fitted**2, weights)
    factors = np.maximum(products, 0) / np.maximum(squares, TINY)
    return fitted * factors[:, np.newaxis, np.newaxis]


def _squared_errors(fitted: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.einsum("pvc,vc->p", (truth - fitted) ** 2, weights)


def _best_on_grid(errors: np.ndarray) -> float:
    """Return the C of the least error: the vertex of a parabola through the best three."""
    best = int(errors.argmin())
    if best in (0, len(GRID) - 1):
        return float(GRID[best])
    near = slice(best - 1, best + 2)
    curve, slope, _ = np.polyfit(np.log(GRID[near] / GRID[best]), errors[near], 2)
    return float(GRID[best] * np.exp(-slope / (2 * curve))) if curve > 0 else float(GRID[best])
