"""Make the model of the page "Try it in the browser": ``python -m benchmarks.browser``.

The data are turns of the Schema-Guided Dialogue data set with their acts, such as "OFFER" or
"INFORM SELECT", as one class each. A small classifier is fitted, its table is rounded to one byte a
weight, and both are written as scripts: try_it_weights.js, and try_it_vectors.js, with which the
page checks itself. try_it_figures.json has the accuracy of that model and, to compare, those of the
default classifier with and without context. The files of the page are in docs/_static.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Sequence

import pandas as pd

from benchmarks.browser.model import (
    ROLES,
    describe_model,
    make_small,
    round_table,
    write_script,
)
from benchmarks.browser.vectors import make_vectors
from benchmarks.command_line import (
    add_output_option,
    exit_on_bad_input,
    make_parser,
    read_corpora,
)
from benchmarks.corpora.corpus import Corpus, feature_columns
from benchmarks.corpora.files import Columns
from sk_ctxmem import ContextMemoryClassifier, UnknownSpeakersWarning

ATTRIBUTION = (
    "Learned from the training part of the Schema-Guided Dialogue data set (Rastogi et al. 2020, "
    "Google), https://github.com/google-research-datasets/dstc8-schema-guided-dialogue, and under "
    "its licence: CC BY-SA 4.0, https://creativecommons.org/licenses/by-sa/4.0/"
)
DATA = "sgd_acts.parquet"
VECTORS = "Texts with the features, and conversations with the probabilities, that Python computes."


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("browser", __doc__)
    parser.add_argument("--data", default=DATA, help=f"turns and their acts (default: {DATA})")
    parser.add_argument("--label", default="labels", help="column of classes (default: labels)")
    parser.add_argument(
        "--test", action="store_true", help="measure on the test part, not on the validation part"
    )
    add_output_option(parser)
    return parser


def score(classifier: ContextMemoryClassifier, part: pd.DataFrame) -> float:
    """Return the accuracy in %, to one decimal."""
    return round(100 * classifier.score(part[feature_columns(part)], part["label"]), 1)


def count_weights(classifier: ContextMemoryClassifier) -> int:
    """Return the number of weights of a fitted classifier."""
    return sum(weight.numel() for weight in classifier.net_.module_.parameters())


def fit(classifier: ContextMemoryClassifier, corpus: Corpus) -> ContextMemoryClassifier:
    """Fit a classifier to the training part."""
    train = corpus.part("train")
    return classifier.fit(train[feature_columns(train)], train["label"])


def measure(small: ContextMemoryClassifier, corpus: Corpus, part: str) -> dict[str, object]:
    """Return the accuracy of the classifier of the page, and of those to compare it with."""
    rows = corpus.part(part)
    figures: dict[str, object] = {
        "part": part,
        "turns": len(rows),
        "conversations": rows["group"].nunique(),
        "classes": len(small.classes_),
        "small": score(small, rows),
        "small_weights": count_weights(small),
    }
    for context in ("past", "none"):
        default = ContextMemoryClassifier(context=context, random_state=0, **ROLES)
        figures[context] = score(fit(default, corpus), rows)
        figures[f"{context}_weights"] = count_weights(default)
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, write the scripts, and measure."""
    options = build_parser().parse_args(arguments)
    with exit_on_bad_input():
        (corpus,) = read_corpora([options.data], columns=Columns(label=options.label))
    options.output.mkdir(parents=True, exist_ok=True)
    small = fit(make_small(), corpus)
    longest = int(corpus.part("train").groupby("group").size().max())
    model = describe_model(small, *round_table(small), longest)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownSpeakersWarning)  # the vectors have such speakers
        vectors = make_vectors(small)
    weights = write_script("SK_CTXMEM_MODEL", model, ATTRIBUTION)
    part = "test" if options.test else "valid"
    figures: dict[str, object] = {"bytes": len(weights), "rows": len(corpus.part("train"))}
    figures |= measure(small, corpus, part)
    for name, text in (
        ("try_it_weights.js", weights),
        ("try_it_vectors.js", write_script("SK_CTXMEM_VECTORS", vectors, VECTORS)),
        ("try_it_figures.json", json.dumps(figures, indent=2) + "\n"),
    ):
        (options.output / name).write_text(text, encoding="ascii")
    print(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
