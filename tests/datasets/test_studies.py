"""A study is read where its file is, and simulated where it is not, with the same columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skmixed.datasets import (
    load_study,
    make_gpa,
    make_nurses,
    make_pigs,
    make_pupils,
    make_speed_dating,
    make_ticks,
)

TWINS = {
    "gpa": make_gpa,
    "nurses": make_nurses,
    "pigs": make_pigs,
    "pupils": make_pupils,
    "speed_dating": make_speed_dating,
    "ticks": make_ticks,
}
SES = ("lowest", "2", "3", "4", "5", "highest")


@pytest.fixture(autouse=True)
def no_folder(monkeypatch) -> None:
    monkeypatch.delenv("SKMIXED_DATA", raising=False)


def write(name, folder) -> pd.DataFrame:
    """Write a file as it is published, from a twin of another seed, and return the twin."""
    twin = TWINS[name](random_state=5)
    published = twin.assign(another=1)
    if name == "pupils":
        published["ses"] = [SES[ses - 1] for ses in twin["ses"]]
    file = {"pigs": "Pigs.csv", "ticks": "grouseticks.csv"}.get(name, f"{name}.csv")
    published.iloc[:, ::-1].to_csv(folder / file, index=False)
    return twin


@pytest.mark.parametrize("name", TWINS)
def test_twin_without_a_folder(name) -> None:
    frame = load_study(name)
    pd.testing.assert_frame_equal(frame, TWINS[name](random_state=0))
    assert frame.attrs["origin"] == f"a simulated twin of the study '{name}'"


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("by_variable", [False, True])
def test_file_of_a_folder(name, by_variable, tmp_path, monkeypatch) -> None:
    written = write(name, tmp_path)
    if by_variable:
        monkeypatch.setenv("SKMIXED_DATA", str(tmp_path))
    frame = load_study(name, folder=None if by_variable else tmp_path)
    pd.testing.assert_frame_equal(frame, written, check_dtype=False)
    assert list(frame.select_dtypes("category")) == list(written.select_dtypes("category"))
    assert "read from" in frame.attrs["origin"]


def test_folder_of_the_variable_may_lack_a_file(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SKMIXED_DATA", str(tmp_path))
    assert "simulated" in load_study("pigs").attrs["origin"]


def test_given_folder_must_have_the_file(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"Pigs\.csv does not exist\. Leave folder out"):
        load_study("pigs", folder=tmp_path)


def test_missing_column(tmp_path) -> None:
    pd.DataFrame({"id": [1], "weight": [20.0]}).to_csv(tmp_path / "Pigs.csv", index=False)
    with pytest.raises(ValueError, match=r"Pigs\.csv has no columns \['week'\]; it has \['id', 'w"):
        load_study("pigs", folder=tmp_path)


@pytest.mark.parametrize(("name", "column"), [("pupils", "ses"), ("nurses", "wardtype")])
def test_values_that_the_study_does_not_have(name, column, tmp_path) -> None:
    write(name, tmp_path)
    file = tmp_path / f"{name}.csv"
    frame = pd.read_csv(file)
    frame.loc[3, column] = "of another study"
    frame.to_csv(file, index=False)
    with pytest.raises(ValueError, match=rf"'{column}' of {name}\.csv has .*'of another study'"):
        load_study(name, folder=tmp_path)


@pytest.mark.parametrize(
    ("name", "mean"),
    [
        ("speed_dating", lambda frame: (frame["decision"] == "Yes").mean()),
        ("ticks", lambda frame: np.log(frame.groupby("YEAR", observed=True)["TICKS"].mean())),
    ],
)
def test_decisions_and_counts_are_about_as_frequent_as_published(name, mean, shared) -> None:
    frame, twin = load_study(name, folder=shared / "data"), load_study(name)
    assert len(frame.columns) == len(twin.columns)
    assert abs(len(frame) / len(twin) - 1) < 0.1
    assert np.max(np.abs(mean(frame) - mean(twin))) < 0.8


def test_unknown_name() -> None:
    with pytest.raises(ValueError, match=r"There is no study 'pig'\. Choose one of \['gpa', 'nur"):
        load_study("pig")


@pytest.mark.parametrize("name", ["gpa", "nurses", "pigs", "pupils"])
def test_published_files_have_the_shape_of_their_twins(name, shared) -> None:
    frame, twin = load_study(name, folder=shared / "data"), load_study(name)
    assert frame.shape == twin.shape
    assert not frame.isna().any(axis=None)
    pd.testing.assert_series_equal(
        frame.nunique().index.to_series(), twin.nunique().index.to_series()
    )
    means = pd.concat([f.select_dtypes("number").mean() for f in (frame, twin)], axis=1)
    assert ((means[0] - means[1]).abs() < 0.05 * means[0].abs() + 0.1).all()
