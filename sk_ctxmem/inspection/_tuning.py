"""TuningDisplay: the candidates of a search against time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._plotting import get_axes, to_matplotlib
from ._scoring import name_score

KEYS = ("mean_test_score", "elapsed_time", "complete", "rank_test_score", "params")
MOST_NAMED = 3  # parameters of the best candidate in the legend


class TuningDisplay:
    """Candidates of a search against time.

    Create it with :meth:`from_estimator`.

    Parameters
    ----------
    cv_results : dict
        `cv_results_` of a ContextMemoryClassifierCV.

    score_name : str, default="score"
        Name of the score.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.

    figure_ : matplotlib Figure
        Figure of the axes.

    complete_ : matplotlib PathCollection
        Candidates that were trained to the end.

    stopped_ : matplotlib PathCollection
        Candidates that were given up after half of their epochs.

    best_ : matplotlib PathCollection
        The candidate that was chosen.

    given_ : matplotlib Line2D
        Score of the estimator as it was given.

    Examples
    --------
    >>> from sk_ctxmem import ContextMemoryClassifierCV
    >>> from sk_ctxmem.inspection import TuningDisplay
    >>> search = ContextMemoryClassifierCV(max_cost=3, random_state=0)
    >>> search = search.fit(["a b", "c d"] * 20, [0, 1] * 20)
    >>> display = TuningDisplay.from_estimator(search)  # doctest: +SKIP
    """

    def __init__(self, *, cv_results, score_name="score"):
        self.cv_results = cv_results
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Draw the candidates of a search.

        Parameters
        ----------
        estimator : ContextMemoryClassifierCV or Pipeline
            The fitted search, or a pipeline that ends in one.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : TuningDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no such results, as GridSearchCV has none of the times.
        """
        check_is_fitted(estimator)
        search = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        results = getattr(search, "cv_results_", {})
        missing = [key for key in KEYS if key not in results]
        if missing:
            raise TypeError(
                f"estimator={type(search).__name__} has no cv_results_ with {missing[0]!r}; pass a "
                "fitted ContextMemoryClassifierCV, or a Pipeline that ends in one."
            )
        return cls(cv_results=results, score_name=name_score(search.scoring)).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the candidates.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        self : TuningDisplay
            The display itself.
        """
        results = self.cv_results
        seconds = np.asarray(results["elapsed_time"], dtype=float)
        scores = np.asarray(results["mean_test_score"], dtype=float)
        complete = np.asarray(results["complete"], dtype=bool)
        best = int(np.argmin(results["rank_test_score"]))
        self.ax_ = get_axes(type(self).__name__, ax, (6.4, 3.8))
        self.figure_ = self.ax_.figure
        blue, orange = to_matplotlib("positive"), to_matplotlib("negative")
        self.given_ = self.ax_.axhline(scores[0], color="0.6", linewidth=1, label="as given")
        style = {"s": 36, "zorder": 3}
        self.stopped_ = self.ax_.scatter(
            seconds[~complete],
            scores[~complete],
            facecolors="none",
            edgecolors=[blue],
            label="given up halfway",
            **style,
        )
        self.complete_ = self.ax_.scatter(
            seconds[complete], scores[complete], color=[blue], label="trained to the end", **style
        )
        self.best_ = self.ax_.scatter(
            seconds[best],
            scores[best],
            color=[orange],
            marker="D",
            label=self._describe(best),
            **style,
        )
        self.ax_.set_xlabel("seconds of the search")
        self.ax_.set_ylabel(f"mean {self.score_name} of held-out rows")
        self.ax_.legend(
            loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=9
        )
        return self

    def _describe(self, best: int) -> str:
        """Return the parameters in which the chosen candidate differs from the first one."""
        params = self.cv_results["params"]
        changed = [
            f"{name.removeprefix('vectorizer__')}={value!r}"
            for name, value in params[best].items()
            if value != params[0].get(name)
        ]
        return "chosen: " + (", ".join(changed[:MOST_NAMED]) or "as given")
