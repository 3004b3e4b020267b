"""The bundled data sets are what their provenance says, in the types a model wants."""

from __future__ import annotations

import csv
import hashlib
import json
from importlib.resources import files

import pandas as pd
import pytest

from skmixed import datasets

DATA = files("skmixed.datasets").joinpath("data")
PROVENANCE = json.loads(DATA.joinpath("provenance.json").read_text(encoding="utf-8"))
LOADERS = {
    "sleepstudy": datasets.load_sleepstudy,
    "dyestuff": datasets.load_dyestuff,
    "dyestuff2": datasets.load_dyestuff2,
    "penicillin": datasets.load_penicillin,
    "pastes": datasets.load_pastes,
    "orthodont": datasets.load_orthodont,
    "fev": datasets.load_fev,
}
# The number of levels of every factor, from the publications.
LEVELS = {
    "sleepstudy": {"Subject": 18},
    "dyestuff": {"Batch": 6},
    "dyestuff2": {"Batch": 6},
    "penicillin": {"plate": 24, "sample": 6},
    "pastes": {"batch": 10, "cask": 3, "sample": 30},
    "orthodont": {"Subject": 27, "Sex": 2},
    "fev": {"USUBJID": 200, "AVISIT": 4, "ARMCD": 2, "RACE": 3, "SEX": 2},
}
# Columns in which values may be missing, with how many are.
GAPS = {"fev": {"FEV1": 263}}


def test_every_file_has_a_provenance_and_a_loader() -> None:
    bundled = {file.name for file in DATA.iterdir() if file.name.endswith(".csv")}
    assert bundled == set(PROVENANCE) == {f"{name}.csv" for name in LOADERS}
    assert {f"load_{name}" for name in LOADERS} <= set(datasets.__all__)


@pytest.mark.parametrize("name", PROVENANCE)
def test_file_is_what_its_provenance_says(name: str) -> None:
    record = PROVENANCE[name]
    content = DATA.joinpath(name).read_bytes()
    header, *rows = csv.reader(content.decode("utf-8").splitlines())
    assert hashlib.sha256(content).hexdigest() == record["sha256"]
    assert header == record["columns"]
    assert len(rows) == record["rows"]
    assert all(record[key] for key in ("source", "publication", "licence"))


@pytest.mark.parametrize("name", LOADERS)
def test_loader_returns_categories_and_numbers(name: str) -> None:
    frame = LOADERS[name]()
    record = PROVENANCE[f"{name}.csv"]
    assert frame.shape == (record["rows"], len(record["columns"]))
    assert list(frame.columns) == record["columns"]
    missing = frame.isna().sum()
    assert missing[missing > 0].to_dict() == GAPS.get(name, {})
    for column in frame:
        if column in LEVELS[name]:
            assert isinstance(frame[column].dtype, pd.CategoricalDtype)
            assert frame[column].nunique() == LEVELS[name][column]
        else:
            assert pd.api.types.is_numeric_dtype(frame[column])


def test_labels_that_look_like_numbers_stay_text() -> None:
    assert datasets.load_sleepstudy()["Subject"].cat.categories[0] == "308"


def test_each_call_returns_a_frame_of_its_own() -> None:
    frame = datasets.load_dyestuff()
    frame.loc[0, "Yield"] = 0
    assert datasets.load_dyestuff().loc[0, "Yield"] == 1545


def test_penicillin_is_crossed_and_pastes_is_nested() -> None:
    penicillin, pastes = datasets.load_penicillin(), datasets.load_pastes()
    assert (pd.crosstab(penicillin["plate"], penicillin["sample"]) == 1).all(axis=None)
    assert (pastes.groupby("sample", observed=True)["batch"].nunique() == 1).all()


def test_children_and_patients_are_measured_as_the_publications_say() -> None:
    orthodont, fev = datasets.load_orthodont(), datasets.load_fev()
    ages = orthodont.groupby("Subject", observed=True)["age"].apply(list)
    assert ages.map(lambda found: found == [8, 10, 12, 14]).all()
    assert (pd.crosstab(fev["USUBJID"], fev["AVISIT"]) == 1).all(axis=None)
    assert fev.dropna()["USUBJID"].nunique() == 197


def test_the_licence_of_the_trial_is_beside_it() -> None:
    assert "Apache License" in DATA.joinpath("LICENSE-APACHE-2.0.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LOADERS)
def test_same_levels_in_the_same_order_as_r(name: str, shared) -> None:
    schema = json.loads((shared / "data" / "schema.json").read_text(encoding="utf-8"))
    r_name = PROVENANCE[f"{name}.csv"]["source"].split()[-1]
    frame = LOADERS[name]()
    for column, factor in schema[r_name]["factors"].items():
        assert frame[column].cat.categories.tolist() == factor["levels"]
