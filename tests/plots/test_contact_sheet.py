"""The contact sheet forgets no display."""

from __future__ import annotations

import matplotlib.pyplot as plt

from skmixed import plots

from .contact_sheet import PICTURES, draw_sheet


def test_every_display_is_on_the_sheet():
    assert set(PICTURES) == set(plots.__all__)
    assert all(PICTURES.values())


def test_sheet(tmp_path):
    path = tmp_path / "sheet.png"
    draw_sheet(str(path), ["ModelComparisonDisplay"])
    image = plt.imread(path)
    assert image.shape[0] > 200
    # A grey page with white pictures.
    assert (image[..., 0] > 0.99).mean() > 0.3
