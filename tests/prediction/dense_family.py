"""Responses of crossed groups, and the law of their linear predictor by dense algebra."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit


def simulated(seed: int = 0) -> pd.DataFrame:
    """Return responses of 25 groups crossed with 4 days."""
    rng = np.random.default_rng(seed)
    group, day = np.repeat(np.arange(25), 12), np.tile(np.arange(4), 75)
    x = rng.normal(size=300)
    slopes = 0.6 + 0.8 * rng.normal(size=25)
    eta = 0.3 + slopes[group] * x + rng.normal(size=25)[group] + 0.5 * rng.normal(size=4)[day]
    return pd.DataFrame(
        {
            "x": x,
            "group": [f"g{i}" for i in group],
            "day": [f"d{i}" for i in day],
            "yes": (rng.random(300) < expit(eta)).astype(float),
            "count": rng.poisson(np.exp(eta) * rng.gamma(2.0, 0.5, size=300)),
        }
    )


class Dense:
    """The law of eta of new rows by dense algebra: M = Z'WZ + Psi^-1 of all effects together."""

    def __init__(self, results, new: pd.DataFrame) -> None:
        fit, design = results.fit, results.model.design
        columns, inverse, rows, unknown = [], [], [], np.zeros(len(new))
        for effects, block in zip(fit.random, design.blocks, strict=True):
            Psi, k = effects.effect_covariance, block.columns.shape[1]
            labels = list(effects.levels.labels)
            z = np.column_stack([np.ones(len(new)), new["x"]])[:, :k]
            known = new[effects.name].isin(labels).to_numpy()
            place = [labels.index(one) if one in labels else 0 for one in new[effects.name]]
            own = np.zeros((len(new), len(labels), k))
            own[np.arange(len(new)), place] = z * known[:, None]
            unknown += np.einsum("ni,ij,nj->n", z, Psi, z) * ~known
            full = np.zeros((design.n_rows, len(labels), k))
            full[np.arange(design.n_rows), block.factor.codes] = block.columns
            columns.append(full.reshape(design.n_rows, -1))
            rows.append(own.reshape(len(new), -1))
            inverse.append(np.kron(np.eye(len(labels)), np.linalg.inv(Psi)))
        Z, self.z = np.hstack(columns), np.hstack(rows)
        self.X = np.column_stack([np.ones(design.n_rows), design.fixed])
        self.x = np.column_stack([np.ones(len(new)), new["x"]])
        b = np.concatenate([effects.modes.ravel() for effects in fit.random])
        eta = self.X @ results.params.to_numpy() + Z @ b
        W = -fit.family.derivatives(design.response, eta, (), full=False).second
        precision = Z.T @ (W[:, None] * Z)
        at = 0
        for one in inverse:
            precision[at : at + len(one), at : at + len(one)] += one
            at += len(one)
        self.D = np.linalg.inv(precision)
        self.cross = self.D @ Z.T @ (W[:, None] * self.X)
        self.mean = self.x @ results.params.to_numpy() + self.z @ b
        self.given = np.einsum("ni,ij,nj->n", self.z, self.D, self.z)
        self.unknown = unknown
        moved = self.x - self.z @ self.cross
        self.of_beta = np.einsum("ni,ij,nj->n", moved, results.cov_params().to_numpy(), moved)
