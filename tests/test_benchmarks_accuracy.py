"""Tests of the page of accuracies: it says what the results say, and no more."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from _benchmark_data import make_results
from docutils.core import publish_doctree

from benchmarks.accuracy.__main__ import main
from benchmarks.accuracy.figures import WITH_VECTORS, Figures, fill_commands
from benchmarks.accuracy.page import (
    accuracy_table,
    compare_errors,
    compare_losses,
    make_blocks,
    name_missing,
    name_sgd,
    time_table,
)
from benchmarks.reports.pages import replace_blocks, rst_table

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "accuracy.rst"
# Corpus, model and accuracy; mails lack nothing, calls lack all but two baselines.
ROWS = [
    ("calls", "lr", 0.6),
    ("calls", "lr-window", 0.7),
    ("calls", "context-memory (past)", 0.8),
    ("calls", "context-memory (both)", 0.9),
    ("mails", "lr", 0.8),
    ("mails", "svm-char", 0.9),
    ("mails", "fasttext", 0.7),
    ("mails", "context-memory", 0.85),
]


@pytest.fixture
def folder(tmp_path):
    """Return a folder with results of two corpora."""
    return write(tmp_path, ROWS)


def write(folder, rows, **columns):
    """Write results of these rows."""
    names = zip(("corpus", "model", "accuracy"), zip(*rows, strict=True), strict=True)
    make_results(**{name: list(of) for name, of in names}, **columns).to_csv(
        folder / "results.csv", index=False
    )
    return folder


def write_vectors(folder, *models, accuracy=0.95, rows=1000, embedder="minilm", corpus="mails"):
    """Write results of models with vectors on a corpus."""
    frame = pd.DataFrame({"model": models, "accuracy": accuracy, "corpus": corpus, "rows": rows})
    frame.assign(embedder=embedder, seed=0).to_csv(folder / "embedding.csv", index=False)


def test_the_page_is_what_the_results_say(capsys):
    """Check the committed page against the committed results, by the command itself."""
    assert main(["--output", str(RESULTS), "--check", str(PAGE)]) == 0
    assert "something else" not in capsys.readouterr().err


def test_a_page_that_drifted_is_found_and_mended(tmp_path, capsys):
    """Check the status of --check, and that --write changes the tables alone."""
    page = tmp_path / "page.rst"
    page.write_text(PAGE.read_text(encoding="utf-8").replace("77.6", "87.6"), encoding="utf-8")
    assert main(["--output", str(RESULTS), "--check", str(page)]) == 1
    assert "says something else than the results" in capsys.readouterr().err
    assert main(["--output", str(RESULTS), "--write", str(page)]) == 0
    assert main(["--output", str(RESULTS), "--check", str(page)]) == 0
    head = "Learning curves\n"
    after = page.read_text(encoding="utf-8").split(head)[0]
    assert after == PAGE.read_text(encoding="utf-8").split(head)[0]


def test_tables_are_printed_without_a_page(folder, capsys):
    """Check what the command prints, and the commands that run what is missing."""
    assert main(["--output", str(folder), "--data", "texts"]) == 0
    printed = capsys.readouterr().out
    assert all(block in printed for block in make_blocks(Figures(folder)).values())
    assert f"--data texts/calls.parquet --models svm-char,fasttext,crf --output {folder}" in printed


def test_a_folder_without_results_is_an_error(tmp_path, capsys):
    """Check the message and the status."""
    with pytest.raises(SystemExit, match="2"):
        main(["--output", str(tmp_path)])
    assert "results.csv" in capsys.readouterr().err


def test_a_page_without_places_is_refused():
    """Check that the message shows the lines that are missing."""
    with pytest.raises(ValueError, match=r"no lines '\.\. begin times: made by .*' and '.* times'"):
        replace_blocks("a page", {"times": "table"}, "accuracy")


def test_means_are_over_seeds_and_corpora_with_groups_come_last(folder):
    """Check the rows and the values of a table."""
    write(folder, [*ROWS, ("mails", "context-memory", 0.95)], seed=[0] * len(ROWS) + [1])
    accuracy = Figures(folder).accuracy
    assert accuracy.index.tolist() == ["mails", "calls"]
    assert accuracy.loc["mails", "ours, past"] == pytest.approx(90)
    assert accuracy.loc["calls", ["ours, past", "ours, both"]].tolist() == [80, 90]


def test_rows_of_validation_and_failed_fits_do_not_count(folder):
    """Check that a model counts as not run if its only fit failed."""
    rows = [*ROWS, ("calls", "crf", float("nan")), ("calls", "svm-char", 1.0)]
    write(folder, rows, scored_on=["test"] * (len(rows) - 1) + ["valid"])
    assert Figures(folder).missing() == {"calls": ["svm-char", "fasttext", "crf"]}


def test_nothing_is_bold_where_a_baseline_was_not_run(folder):
    """Check that the best of calls is not bold, and that a baseline can be."""
    complete = [*ROWS, ("mails", "context-memory-cv", 0.86)]
    write_vectors(write(folder, complete), "lr, vectors alone", "lr, both", "ours, both")
    figures = Figures(folder)
    alone, together = (accuracy_table(figures, has_groups=of) for of in (False, True))
    assert _cells(alone, "mails")["lr + vectors"] == "**95.0**"
    assert "**" not in together


def _cells(table, corpus):
    """Return the cells of a corpus by heading; headings and cells are apart by two spaces."""
    header, line = table.splitlines()[1], next(x for x in table.splitlines() if x[:5] == corpus)
    return dict(zip(re.split(" {2,}", header), re.split(" {2,}", line), strict=True))


def test_corpora_with_groups_have_a_table_of_their_own(folder):
    """Check the columns of both tables, and the cells of what was not run or published."""
    figures = Figures(folder)
    alone, together = (accuracy_table(figures, has_groups=of) for of in (False, True))
    assert "calls" not in alone
    assert "mails" not in together
    mails, calls = _cells(alone, "mails"), _cells(together, "calls")
    assert "crf" not in mails
    assert (mails["ours"], mails["ours CV"]) == ("85.0", "not run")
    assert (calls["ours, past"], calls["ours, both"]) == ("80.0", "90.0")
    assert calls["crf"] == calls["ours CV"] == "not run"
    assert "WideMLP" not in calls


def test_cells_of_models_that_do_not_suit_are_dashes(folder):
    """Check a table of all corpora."""
    mails = _cells(time_table(Figures(folder)), "mails")
    assert (mails["crf"], mails["ours, both"], mails["ours CV"]) == ("–", "–", "not run")


def test_models_that_are_level_are_both_bold(folder):
    """Check that equal values as shown are equal."""
    level = [*ROWS[:-1], ("mails", "context-memory", 0.8998), ("mails", "context-memory-cv", 0.8)]
    write_vectors(write(folder, level), *WITH_VECTORS.values(), accuracy=0.5)
    assert Figures(folder).best("mails") == ["svm-char", "ours, past"]


def test_nothing_is_bold_where_any_model_was_not_run(folder):
    """Check that one model with vectors, or the tuned one, is enough to take the bold away."""
    names = list(WITH_VECTORS.values())
    complete = [*ROWS, ("mails", "context-memory-cv", 0.86)]
    write_vectors(write(folder, complete), *names, accuracy=0.5)
    assert Figures(folder).best("mails") == ["svm-char"]
    write_vectors(folder, *names[:2], accuracy=0.5)
    assert Figures(folder).best("mails") == []
    write_vectors(write(folder, ROWS), *names, accuracy=0.5)
    assert Figures(folder).best("mails") == []


@pytest.mark.parametrize("other", [{"rows": 100}, {"embedder": "static"}])
def test_vectors_of_other_studies_do_not_count(folder, other):
    """Check that fits on some of the rows, or with another embedder, are left out."""
    write_vectors(folder, *WITH_VECTORS.values(), **other)
    assert Figures(folder).accuracy.loc["mails", list(WITH_VECTORS)].isna().all()


def test_published_figures_are_never_bold(folder):
    """Check that a figure of others is shown, but does not count as measured."""
    complete = [*ROWS, ("mails", "context-memory-cv", 0.86)]
    write(folder, [("r8" if corpus == "mails" else corpus, *of) for corpus, *of in complete])
    write_vectors(folder, *WITH_VECTORS.values(), accuracy=0.5, corpus="r8")
    figures = Figures(folder)
    assert figures.accuracy["WideMLP"].dropna().to_dict() == {"r8": 97.1}
    assert figures.best("r8") == ["svm-char"]


def test_errors_are_compared_by_corpus_and_by_row(folder):
    """Check both means: 75 % of 80 wrong rows of calls, and 25 % of 40 of mails."""
    said = compare_errors(Figures(folder), "lr", "ours, both")
    assert "50 % on the mean of the corpora (2), 58 % over all of their test rows" in said
    assert "where rows have groups, 75 % on the mean of the corpora (1)" in said
    assert compare_errors(Figures(folder), "lr", "ours CV") == ""


@pytest.mark.parametrize("name", ["context-memory-cv", "context-memory-cv (both)"])
def test_a_tuned_model_has_its_column(folder, name):
    """Check that the column and the sentence appear with the first result."""
    write(folder, [*ROWS, ("calls", name, 0.95)])
    figures = Figures(folder)
    assert figures.accuracy.loc["calls", "ours CV"] == 95
    assert compare_errors(figures, "lr", "ours CV").startswith("Ours CV, errors fewer than ``lr``")


def test_losses_are_named_with_their_size(folder):
    """Check those by more and by less than a standard error, and a table without any."""
    assert compare_losses(Figures(folder)).endswith("standard error on mails (svm-char, 5.0).")
    write(folder, [*ROWS[:-1], ("mails", "context-memory", 0.89)])
    assert "by less than a standard error on mails (svm-char, 1.0)" in compare_losses(
        Figures(folder)
    )
    write(folder, ROWS[:4])
    assert compare_losses(Figures(folder)).startswith("No baseline is ahead")


def test_what_was_not_run_is_named(folder):
    """Check the sentence with and without such models, and of solvers that stand for another."""
    assert name_missing(Figures(folder)).endswith("not run: calls (svm-char, fasttext, crf).")
    write(folder, ROWS[4:], parameters='{"solver": "SGDClassifier(log_loss)"}')
    figures = Figures(folder)
    assert name_missing(figures) == "All baselines were run wherever they apply."
    (command,) = fill_commands(figures, "texts", folder)
    assert "mails.parquet --models context-memory-cv --contexts both" in command
    assert "``lr`` on mails" in name_sgd(figures)


def test_a_table_is_read_by_docutils():
    """Check that a simple table has its rows and cells, the bold ones too."""
    table = rst_table(["corpus", "lr"], [["mails", "**90.0**"], ["calls", "–"]])
    rows = list(publish_doctree(f"{table}\n").findall(lambda node: node.tagname == "row"))
    assert [row.astext().split() for row in rows] == [
        ["corpus", "lr"],
        ["mails", "90.0"],
        ["calls", "–"],
    ]


def test_plots_are_drawn_again_on_demand(folder):
    """Check that --plot writes both plots, and nothing else."""
    before = (folder / "results.csv").read_bytes()
    assert main(["--output", str(folder), "--plot"]) == 0
    assert {path.name for path in folder.iterdir()} == {"results.csv", "results.png", "errors.png"}
    assert (folder / "results.csv").read_bytes() == before


def test_the_command_changes_no_results(tmp_path):
    """Check that nothing in the folder of results is written."""
    for name in ("results.csv", "embedding.csv"):
        shutil.copy(RESULTS / name, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    main(["--output", str(tmp_path)])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
