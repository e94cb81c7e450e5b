"""Tests of the accuracy with columns beside TF-IDF."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.columns.__main__ import main
from benchmarks.columns.films import make_models, read_films


@pytest.mark.slow
def test_each_column_is_measured_and_costs_little(tmp_path, capsys):
    """Check the table on few docstrings: no column costs context memory its accuracy."""
    assert main(["--docstrings", "24", "--output", str(tmp_path)]) == 0
    results = pd.read_csv(tmp_path / "columns.csv").set_index("columns")
    assert len(results) == 10
    lost = results.loc["none", "context memory, rows alone"] - results["context memory, rows alone"]
    assert lost.drop("100 of noise, standardized").max() < 0.05
    assert "price from 0 to 1000" in capsys.readouterr().out


def _write_films(path):
    """Write 60 films of six directors with a genre each, and three of a genre that is too rare."""
    genres = ["Comedy", "Drama", "Horror"] * 20 + ["Musical"] * 3
    random = np.random.RandomState(0)
    films = pd.DataFrame({"Title": random.choice(["Night", "Day", "Home"], 63), "Votes": 5.0})
    films["Major Genre"] = genres
    films["Release Date"] = [f"Mar 0{1 + n % 9} 19{50 + n // 9}" for n in range(63)]
    films["Director"] = [f"{genre} {n % 2}" for n, genre in enumerate(genres)]
    films["Running Time"] = random.randint(80, 120, 63)
    films.loc[[3, 40], ["Running Time", "Release Date"]] = None
    films.loc[5, "Title"] = None
    films = pd.concat([films, films.iloc[[5]].assign(Title=2012)])  # a number in the file
    films.to_json(path, orient="records")


@pytest.mark.slow
def test_films_are_measured_with_their_columns_and_without(tmp_path, capsys):
    """Check the table on made-up films, whose genre stands in a column and not in the title."""
    _write_films(tmp_path / "films.json")
    assert main(["--films", str(tmp_path / "films.json"), "--output", str(tmp_path)]) == 0
    results = pd.read_csv(tmp_path / "films.csv").set_index("model")
    accuracy = results["accuracy"]
    assert accuracy['context memory, feature_columns="rest"'] > 0.9
    assert accuracy["logistic regression, all columns"] > 0.9
    assert accuracy["context memory, title alone"] < 0.6
    assert (results["cpu_seconds_per_fold"] > 0).all()
    assert "logistic regression" in capsys.readouterr().out


def test_films_of_rare_genres_and_without_a_title_are_left_out(tmp_path):
    """Check which rows are read, that each title is a text, and that dates are dates."""
    _write_films(tmp_path / "films.json")
    films, genres = read_films(tmp_path / "films.json")
    assert genres.value_counts().to_dict() == {"Comedy": 20, "Drama": 20, "Horror": 20}
    assert "2012" in set(films["Title"])
    assert films["Release Date"].min() == pd.Timestamp("1950-03-01")
    assert films["Release Date"].isna().sum() == 2
    assert "Major Genre" not in films


def test_without_skrub_its_pipeline_is_left_out(tmp_path, monkeypatch, capsys):
    """Check that a line says what is not measured."""
    _write_films(tmp_path / "films.json")
    monkeypatch.setattr("benchmarks.columns.films.find_spec", lambda name: None)
    models = make_models(read_films(tmp_path / "films.json")[0])
    assert not any("skrub" in name for name in models)
    assert capsys.readouterr().out == "skrub is not installed; its tabular_pipeline is left out.\n"


def test_another_file_than_that_of_films_is_refused(tmp_path, capsys):
    """Check that the error is one line that names the column."""
    (tmp_path / "cars.json").write_text('[{"Title": "a", "Release Date": "b"}]', encoding="utf-8")
    with pytest.raises(SystemExit, match="2"):
        main(["--films", str(tmp_path / "cars.json")])
    assert "has no column 'Major Genre'" in capsys.readouterr().err
