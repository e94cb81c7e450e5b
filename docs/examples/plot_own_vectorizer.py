"""
Using your own vectorizer or features
=====================================

Use a vectorizer of scikit-learn inside the classifier, or sparse or dense features from a
``Pipeline``, such as embeddings. The memory runs over whatever describes a row.
"""

# %%
# Three options
# -------------

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_docstring_sections


def some_groups(subset, n_groups):
    """Return the rows of docstrings drawn from a subset, and their classes."""
    sections = load_docstring_sections(subset=subset, packages=("numpy",))
    drawn = sections.groups.drop_duplicates().sample(n_groups, random_state=0)
    rows = sections.groups.isin(drawn)
    return sections.data[rows], sections.target[rows]


X_train, y_train = some_groups("train", 120)
X_test, y_test = some_groups("test", 100)

# %%
# *Inside the classifier.* X stays a DataFrame, so the group can stay a column of it, and a search
# reaches its parameters as ``vectorizer__ngram_range``.

accuracy = {}
roles = {"text_column": "text", "group_column": "group", "order_column": "order"}
for name, vectorizer in {
    "TextSequenceVectorizer (default)": None,
    "TfidfVectorizer, words": TfidfVectorizer(sublinear_tf=True),
    "TfidfVectorizer, characters": TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4)),
}.items():
    clf = ContextMemoryClassifier(vectorizer, **roles, random_state=0)
    accuracy[name] = clf.fit(X_train, y_train).score(X_test, y_test)

# %%
# *In a Pipeline.* After the first step there are no columns left, so the groups are passed beside
# X. The rows have to stand in their order. Here words become vectors of 100 numbers, as
# embeddings of a language model would be.

pipeline = make_pipeline(
    TfidfVectorizer(sublinear_tf=True),
    TruncatedSVD(100, random_state=0),
    ContextMemoryClassifier(random_state=0),
)
pipeline.fit(X_train["text"], y_train, contextmemoryclassifier__groups=X_train["group"])
features = pipeline[:-1].transform(X_test["text"])
accuracy["TruncatedSVD(100), dense"] = pipeline[-1].score(features, y_test, groups=X_test["group"])

# %%
# *Against the same features without memory:*

alone = {}
for name, steps in {
    "TfidfVectorizer, words": [TfidfVectorizer(sublinear_tf=True)],
    "TfidfVectorizer, characters": [TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4))],
    "TruncatedSVD(100), dense": [
        TfidfVectorizer(sublinear_tf=True),
        TruncatedSVD(100, random_state=0),
    ],
}.items():
    regression = make_pipeline(*steps, LogisticRegression(C=10, max_iter=300))
    alone[name] = regression.fit(X_train["text"], y_train).score(X_test["text"], y_test)

table = pd.DataFrame({"logistic regression": alone, "with memory": accuracy}).loc[list(accuracy)]
table.round(3)

# %%
places = range(len(table))
figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
axes.hlines(places, table.min(axis=1), table.max(axis=1), color="0.8", linewidth=3, zorder=0)
axes.scatter(
    table["logistic regression"], places, s=90, color="#d95f0e", label="logistic regression"
)
axes.scatter(table["with memory"], places, s=90, color="#08519c", label="with memory")
axes.set_yticks(places, table.index)
axes.set(
    xlabel="accuracy on other docstrings",
    xlim=(0.6, 1),
    title="The same features, with and without memory",
)
axes.margins(y=0.15)
axes.invert_yaxis()
axes.legend(loc="upper left", frameon=False)
plt.show()
