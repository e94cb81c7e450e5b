"""What files of results say: accuracy, calibration and time of each model, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.corpora.files import EMBEDDED
from benchmarks.models.build import BASELINES, NEED_GROUPS, TUNED

PAST, BOTH, CV = "ours, past", "ours, both", "ours CV"
BEST = "the best baseline"
# Heading -> names in results.csv, of which the first that was run counts.
MODELS_OF = {
    **{name: (name,) for name in BASELINES},
    PAST: ("context-memory (past)", "context-memory"),
    BOTH: ("context-memory (both)",),
    CV: (f"{TUNED} (both)", TUNED),
}
# Heading -> name in embedding.csv.
WITH_VECTORS = {
    "vectors": "lr, vectors alone",
    "lr + vectors": "lr, both",
    "ours + vectors": "ours, both",
}
EMBEDDER = "minilm"
# WideMLP on TF-IDF, Galke and Scherp, ACL 2022: on the same splits, by others.
PUBLISHED = {"newsgroups20": 84.2, "r8": 97.1, "r52": 93.7, "ohsumed": 66.1, "mr": 76.3}
WIDE_MLP = "WideMLP"
HEADINGS = (*BASELINES, PAST, BOTH, CV, *WITH_VECTORS, WIDE_MLP)
# Corpus that is no file -> its name in --data.
NAMES = {"docstring sections": EMBEDDED, "service dialogues": "dialogues"}


class Figures:
    """Figures of a folder of results, one row per corpus and one column per model.

    Parameters
    ----------
    folder : Path
        Folder with results.csv and, if there is one, embedding.csv.

    Attributes
    ----------
    corpora : list of str
        Names of the corpora: those without groups, then those with groups.

    n_test : Series
        Number of test rows of each corpus.

    accuracy : DataFrame
        Test accuracy in %, the mean over the seeds; NaN where a model was not run.
    """

    def __init__(self, folder: Path):
        results = pd.read_csv(folder / "results.csv")
        scored = (results["scored_on"] == "test") & results["accuracy"].notna()
        self.results = results[scored]
        of_corpora = self.results.groupby("corpus")
        self.n_train, self.n_test = of_corpora["n_train"].first(), of_corpora["n_test"].first()
        self._has_groups = of_corpora["model"].agg(lambda of: of.str.contains(r"\(").any())
        names = list(of_corpora.groups)
        self.corpora = sorted(names, key=lambda name: (self.has_groups(name), name in NAMES, name))
        self.accuracy = self._accuracies(folder / "embedding.csv")

    def has_groups(self, corpus: str) -> bool:
        """Whether the rows of a corpus have groups."""
        return bool(self._has_groups[corpus])

    def applies(self, corpus: str, heading: str) -> bool:
        """Whether a model suits a corpus, or others have published its accuracy there."""
        if heading == WIDE_MLP:
            return corpus in PUBLISHED
        return self.has_groups(corpus) or heading not in (*NEED_GROUPS, BOTH)

    def means(self, value: str) -> pd.DataFrame:
        """Mean of a column of results.csv over the seeds, by corpus and heading."""
        means = self.results.pivot_table(value, "corpus", "model").reindex(self.corpora)
        columns = {}
        for heading, names in MODELS_OF.items():
            run = means.reindex(columns=list(names))
            columns[heading] = run.bfill(axis=1).iloc[:, 0]
        return pd.DataFrame(columns)

    def _accuracies(self, path: Path) -> pd.DataFrame:
        """Accuracies in % of all headings."""
        of_models = 100 * self.means("accuracy")
        of_vectors = self._with_vectors(path)
        published = pd.Series(PUBLISHED, name=WIDE_MLP, dtype=float)
        both = of_models.join(of_vectors).join(published)
        return both.reindex(columns=list(dict.fromkeys(HEADINGS)))

    def _with_vectors(self, path: Path) -> pd.DataFrame:
        """Accuracies in % with vectors of sentences, on all training rows."""
        if not path.exists():
            return pd.DataFrame(index=self.corpora, columns=list(WITH_VECTORS), dtype=float)
        frame = pd.read_csv(path)
        is_whole = frame["rows"] == frame["corpus"].map(self.n_train)
        frame = frame[is_whole & (frame["embedder"] == EMBEDDER)]
        means = 100 * frame.pivot_table("accuracy", "corpus", "model")
        names = {name: heading for heading, name in WITH_VECTORS.items()}
        return means.rename(columns=names).reindex(columns=list(WITH_VECTORS))

    def missing(self, models: Sequence[str] = BASELINES) -> dict[str, list[str]]:
        """Models that suit a corpus and were not run there, by corpus."""
        headings = {TUNED: CV}
        found = {}
        for corpus in self.corpora:
            suits = [name for name in models if self.has_groups(corpus) or name not in NEED_GROUPS]
            row = self.accuracy.loc[corpus]
            found[corpus] = [name for name in suits if np.isnan(row[headings.get(name, name)])]
        return {corpus: names for corpus, names in found.items() if names}

    def best(self, corpus: str) -> list[str]:
        """Headings that no measured model is ahead of; none unless all that apply were run.

        Figures that others have published do not count.
        """
        row = self.accuracy.loc[corpus].drop(WIDE_MLP).round(1)
        row = row[[self.applies(corpus, heading) for heading in row.index]]
        return [] if row.isna().any() else list(row.index[row == row.max()])

    def ours(self, heading: str = BOTH) -> pd.Series:
        """Accuracy of a column of ours; that of both ways has "past" where no row has a group."""
        if heading != BOTH:
            return self.accuracy[heading]
        return self.accuracy[BOTH].fillna(self.accuracy[PAST])

    def theirs(self, than: str) -> pd.Series:
        """Accuracy of a baseline, or of the best one where all that apply were run."""
        if than != BEST:
            return self.accuracy[than]
        return self.accuracy[list(BASELINES)].drop(index=list(self.missing())).max(axis=1)

    def fewer_errors(self, than: str, heading: str = BOTH) -> pd.DataFrame:
        """Share of the errors of a baseline that ours does not make, in %, and these errors.

        Parameters
        ----------
        than : str
            Heading of the baseline, or `BEST`.

        heading : str, default="ours, both"
            That of ours.

        Returns
        -------
        DataFrame
            The columns fewer (%), ours and theirs (numbers of wrong rows), for each corpus on
            which both were run.
        """
        wrong = pd.DataFrame({"ours": self.ours(heading), "theirs": self.theirs(than)})
        wrong = (1 - wrong.dropna() / 100).mul(self.n_test, axis=0).dropna()
        return wrong.assign(fewer=100 * (1 - wrong["ours"] / wrong["theirs"]))

    def behind(self) -> pd.DataFrame:
        """Corpora on which a baseline is ahead of our defaults.

        Returns
        -------
        DataFrame
            The columns baseline, points and error (the standard error of the accuracy of ours).
        """
        baselines = self.accuracy[list(BASELINES)].dropna(how="all")
        ours = self.ours()[baselines.index]
        points = baselines.max(axis=1) - ours
        error = 100 * np.sqrt(ours / 100 * (1 - ours / 100) / self.n_test[baselines.index])
        table = pd.DataFrame(
            {"baseline": baselines.idxmax(axis=1), "points": points, "error": error}
        )
        return table[points.round(1) > 0].sort_values("points", ascending=False)


def fill_commands(figures: Figures, data: str, output: Path) -> list[str]:
    """Commands that run what is missing, one for each corpus; each goes on where it was stopped.

    Parameters
    ----------
    figures : Figures
        The results.

    data : str
        Folder of the files of corpora.

    output : Path
        Folder of the results.
    """
    commands = []
    for models, option in ((BASELINES, ""), ((TUNED,), " --contexts both")):
        for corpus, names in figures.missing(models).items():
            source = NAMES.get(corpus, f"{data}/{corpus}.parquet")
            chosen = f"--models {','.join(names)}{option}"
            commands.append(f"python -m benchmarks --data {source} {chosen} --output {output}")
    return commands
