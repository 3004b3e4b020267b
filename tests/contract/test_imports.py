"""What an import of the estimators brings along."""

from __future__ import annotations

import subprocess
import sys

import skmixed
from skmixed import estimators, inference, model_selection, results

HEAVY = ("matplotlib", "sklearn.model_selection", "skmixed.plots", "statsmodels")


def test_estimators_are_imported_without_what_they_do_not_need() -> None:
    code = (
        "import sys; from skmixed import MixedLM, RandomInterceptRegressor, mixedlm; "
        "print(*sys.modules, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded.intersection(HEAVY)


def test_every_public_name_is_there() -> None:
    for module in (skmixed, estimators, inference, model_selection, results):
        assert module.__all__
        for name in module.__all__:
            assert hasattr(module, name)
