"""Published studies: read from a folder of yours, or simulated as twins.

A twin has the design of its study and parameters near the study's estimates, and no row of its
data. The parameters are known, so that estimates can be compared with them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from skmixed.datasets.common import RandomSource
from skmixed.datasets.growth import make_gpa, make_pigs
from skmixed.datasets.institutions import make_nurses, make_pupils
from skmixed.datasets.outcomes import make_speed_dating, make_ticks

FOLDER_VARIABLE = "SKMIXED_DATA"


@dataclass(frozen=True, slots=True, eq=False)
class _Study:
    """Hold what the columns of a published file must become to be those of its twin.

    Attributes
    ----------
    file : name of the file, as R packages and course material distribute it
    twin : the generator
    ordered : for columns of text, the levels in order, to be numbered from 1
    """

    file: str
    twin: Callable[..., Any]
    ordered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_STUDIES = {
    "gpa": _Study("gpa.csv", make_gpa),
    "nurses": _Study("nurses.csv", make_nurses),
    "pigs": _Study("Pigs.csv", make_pigs),
    "pupils": _Study("pupils.csv", make_pupils, {"ses": ("lowest", "2", "3", "4", "5", "highest")}),
    "speed_dating": _Study("speed_dating.csv", make_speed_dating),
    "ticks": _Study("grouseticks.csv", make_ticks),
}


def load_study(
    name: str, *, folder: str | Path | None = None, random_state: RandomSource = 0
) -> pd.DataFrame:
    """Load a published study from a folder of yours, or simulate its twin.

    The licences of these data do not let the package carry them. If you have the file, as an R
    package or the material of a course provides it, it is read; otherwise you get a simulation with
    the same columns, see :func:`make_pigs`, :func:`make_gpa`, :func:`make_pupils`,
    :func:`make_nurses`, :func:`make_speed_dating` and :func:`make_ticks`.

    Parameters
    ----------
    name : {"gpa", "nurses", "pigs", "pupils", "speed_dating", "ticks"}
        Name of the study.
    folder : str or Path, optional
        Folder with ``gpa.csv``, ``nurses.csv``, ``Pigs.csv``, ``pupils.csv``, ``speed_dating.csv``
        or ``grouseticks.csv``; the file must be there. By default the folder that the environment
        variable ``SKMIXED_DATA`` names, where a file may be absent.
    random_state : int, Generator, RandomState or None, default=0
        Source of the random numbers of the simulation.

    Returns
    -------
    pandas.DataFrame
        ``frame.attrs["origin"]`` says where the rows come from.

    Raises
    ------
    ValueError
        If no study has this name, or the file lacks a column or has values of another study.
    FileNotFoundError
        If ``folder`` lacks the file.

    Examples
    --------
    >>> from skmixed.datasets import load_study
    >>> load_study("pigs").shape
    (432, 3)
    """
    if name not in _STUDIES:
        raise ValueError(f"There is no study {name!r}. Choose one of {sorted(_STUDIES)}.")
    study = _STUDIES[name]
    twin: pd.DataFrame = study.twin(random_state=random_state)
    path = _path(study.file, folder)
    if path is None:
        twin.attrs["origin"] = f"a simulated twin of the study {name!r}"
        return twin
    frame = _as_twin(pd.read_csv(path), twin, study)
    frame.attrs["origin"] = f"the study {name!r}, read from {study.file}"
    return frame


def _path(file: str, folder: str | Path | None) -> Path | None:
    """Return where the file is, or None if nobody says that it must be there and it is not."""
    if folder is not None:
        path = Path(folder) / file
        if not path.is_file():
            raise FileNotFoundError(f"{path} does not exist. Leave folder out to simulate it.")
        return path
    variable = os.environ.get(FOLDER_VARIABLE)
    path = Path(variable or "") / file
    return path if variable and path.is_file() else None


def _as_twin(found: pd.DataFrame, twin: pd.DataFrame, study: _Study) -> pd.DataFrame:
    """Return the columns of the twin, in its types and with its levels."""
    missing = [column for column in twin.columns if column not in found.columns]
    if missing:
        raise ValueError(
            f"{study.file} has no columns {missing}; it has {list(found.columns)}. Rename them."
        )
    frame = found[list(twin.columns)].copy()
    kinds: dict[Any, Any] = {
        name: kind for name, kind in twin.dtypes.items() if isinstance(kind, pd.CategoricalDtype)
    }
    known = {name: kind.categories for name, kind in kinds.items()}
    for column, levels in (known | dict(study.ordered)).items():
        unknown = sorted(set(frame[column].dropna()) - set(levels), key=str)
        if unknown:
            raise ValueError(
                f"The column {column!r} of {study.file} has the values {unknown[:3]}, but those of "
                f"the study are {list(levels)}. Rename them."
            )
    for column, levels in study.ordered.items():
        numbers = {level: number for number, level in enumerate(levels, start=1)}
        frame[column] = frame[column].map(numbers)
    return frame.astype(kinds)
