"""How each quantity of inference is asked of a fitted generalised model: every call is named here.

The kinds of records (inference_kinds.py) know R's words and these functions only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from skmixed import inference

from .names import in_r_words

__all__ = [
    "coefficients",
    "compared",
    "conditional_sds",
    "dropped",
    "log_sd",
    "measures",
    "overdispersion",
    "pairs",
    "predictions",
    "profile_limits",
    "residuals",
    "slopes",
    "slopes_compared",
    "table_of_means",
    "term_test",
    "terms",
    "zeros",
]

# The parts of a model by glmmTMB's prefixes: its coefficients and their standard errors.
_PARTS = {
    "": ("params", "bse"),
    "disp.": ("dispersion_params", "dispersion_bse"),
    "zi.": ("zero_inflation_params", "zero_inflation_bse"),
}
# The same parts by what the table of confidence limits puts before their names.
_LIMITS = {"": "", "disp.": "dispersion_", "zi.": "zero_inflation_"}
_NEW = "a group that was not fitted"

FloatArray = npt.NDArray[np.float64]


def coefficients(results: Any) -> pd.DataFrame:
    """Return estimate and se of all coefficients, under glmmTMB's names."""
    rows = {}
    for prefix, (estimates, errors) in _PARTS.items():
        found, se = getattr(results, estimates, None), getattr(results, errors, None)
        if found is None or se is None:
            continue
        rows |= {prefix + in_r_words(name): (found[name], se[name]) for name in found.index}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "se"])


def log_sd(results: Any) -> pd.DataFrame:
    """Return log SD and its standard error by factor; of models with random intercepts alone."""
    limits = inference.confint(results, "wald", "random", level=0.95).set_index("group")
    limits = limits[limits["parameter"].str.startswith("sd_Intercept|")]
    width = np.log(limits["upper"] / limits["lower"])
    return pd.DataFrame(
        {"estimate": np.log(limits["estimate"]), "se": width / (2.0 * norm.ppf(0.975))}
    )


def profile_limits(results: Any, level: float) -> dict[str, tuple[float, float]]:
    """Return limits by R's names: SDs as ``sd.GROUP``, dispersions as logarithms."""
    table = inference.confint(results, "profile", "all", level=level).set_index("parameter")
    table.index = [_limit_name(name) for name in table.index]
    return {name: (row["lower"], row["upper"]) for name, row in table.iterrows()}


def table_of_means(results: Any, specs: list[str], by: list[str], *, scale: str) -> pd.DataFrame:
    """Return marginal means on the scale of the link or of the response."""
    return inference.marginal_means(results, specs, by=by or None).tidy(scale=scale)


def pairs(
    results: Any, specs: list[str], by: list[str], *, scale: str, adjust: str
) -> pd.DataFrame:
    """Return all differences of marginal means, or their ratios on the scale of the response."""
    means = inference.marginal_means(results, specs, by=by or None)
    return means.contrasts("pairwise", adjust=adjust, scale=scale)


def compared(results: Any, specs: list[str], weights: Mapping[str, Any]) -> pd.DataFrame:
    """Return contrasts of marginal means on the scale of the link."""
    return inference.marginal_means(results, specs).contrasts(weights)


def slopes(results: Any, variable: str, at: Mapping[str, Any]) -> pd.DataFrame:
    """Return the slope of the linear predictor at a point."""
    return inference.marginal_slopes(results, variable, at=at).tidy()


def slopes_compared(results: Any, variable: str, specs: list[str]) -> pd.DataFrame:
    """Return the differences of slopes of the linear predictor."""
    return inference.marginal_slopes(results, variable, specs).contrasts("pairwise", adjust="none")


def terms(results: Any) -> pd.DataFrame:
    """Return Wald tests of type II by term: chisq, df, p."""
    table = inference.anova_terms(results, type=2).set_index("term")
    return pd.DataFrame(
        {
            "chisq": table["statistic"] * table["df_num"],
            "df": table["df_num"],
            "p": table["p_value"],
        }
    )


def dropped(results: Any) -> pd.DataFrame:
    """Return likelihood ratios of the models without each term."""
    return inference.drop_terms(results).set_index("term").iloc[1:]


def term_test(results: Any, contrasts: FloatArray) -> dict[str, float]:
    """Return the Wald test that some combinations of the coefficients are 0."""
    row = inference.wald_test(results, contrasts).iloc[0]
    return {
        "chisq": row["statistic"] * row["df_num"],
        "df": row["df_num"],
        "p": row["p_value"],
    }


def predictions(results: Any, rows: pd.DataFrame, what: str, level: float = 0.95) -> FloatArray:
    """Return one of glmmTMB's predictions; ``_fixed`` is at random effects of 0."""
    unseen = rows.assign(**dict.fromkeys(results.n_groups, _NEW))
    fixed = {"include_random_effects": False}
    calls = {
        "link": lambda: results.predict_link(rows),
        "link_allow_new_levels": lambda: results.predict_link(rows),
        "link_fixed": lambda: results.predict_link(rows, **fixed),
        "link_se": lambda: results.predict_link(rows, return_std=True, kind="population", **fixed)[
            1
        ],
        "response": lambda: results.predict(rows, average=False),
        "response_fixed": lambda: results.predict(rows, average=False, **fixed),
        "response_lower": lambda: _limits(results, rows, level)[:, 0],
        "response_upper": lambda: _limits(results, rows, level)[:, 1],
        "response_marginal": lambda: results.predict(unseen, average=True),
        "response_posterior": lambda: results.predict(rows, average=True),
        "zero_probability": lambda: results.predict_further(rows)["zero_inflation"],
    }
    if what.startswith("conditional"):  # The mean of the counts that are not inflated.
        mean = predictions(results, rows, what.replace("conditional", "response"))
        return mean / (1.0 - results.predict_further(rows).get("zero_inflation", 0.0))
    return np.asarray(calls[what](), float)


def conditional_sds(results: Any, *, parameters_known: bool) -> dict[str, pd.DataFrame]:
    """Return standard deviations of the random effects given the data, levels x effects."""
    if parameters_known:
        return results.random_effects_sd
    table = results.random_effects_table(variance_uncertainty="delta")
    return {
        factor: rows.pivot(index="group", columns="effect", values="se")
        for factor, rows in table.groupby("factor")
    }


def residuals(results: Any, kind: str) -> FloatArray:
    """Return Pearson, deviance or response residuals, the modes plugged in."""
    return np.asarray(inference.residuals(results, kind=kind), float)


def overdispersion(results: Any) -> dict[str, float]:
    """Return the test of the sum of squared Pearson residuals."""
    test = inference.overdispersion_test(results)
    return {
        "pearson_chisq": test["statistic"],
        "df": test["df"],
        "ratio": test["ratio"],
        "p_upper": test["p_value"],
    }


def zeros(results: Any, *, average: bool) -> dict[str, float]:
    """Return observed and expected numbers of zeros, the effects plugged in or integrated out."""
    test = inference.zero_inflation_test(results, average=average)
    return {name: test[name] for name in ("observed", "expected", "ratio")}


def measures(results: Any, method: str, mean: str = "null") -> dict[str, float]:
    """Return ICC and R2 with one of Nakagawa's variances of the distribution.

    ``mean`` says where the mean of the counts comes from: the null model or the response.
    """
    r2 = inference.r2(results, method=method, mean=mean)
    icc = inference.icc(results, method=method, mean=mean).set_index("group").loc["All"]
    return {
        "icc_adjusted": icc["adjusted"],
        "icc_unadjusted": icc["unadjusted"],
        "r2_marginal": r2["marginal"],
        "r2_conditional": r2["conditional"],
    }


def _limit_name(name: str) -> str:
    """Return glmmTMB's name of a parameter in our table of limits."""
    if name.startswith("sd_Intercept|"):
        return "sd." + name.removeprefix("sd_Intercept|")
    prefix = next(prefix for prefix in ("disp.", "zi.", "") if name.startswith(_LIMITS[prefix]))
    return prefix + in_r_words(name.removeprefix(_LIMITS[prefix]))


def _limits(results: Any, rows: pd.DataFrame, level: float) -> FloatArray:
    """Return limits of the mean at random effects of 0."""
    return results.predict_interval(
        rows, coverage=level, kind="population", average=False, include_random_effects=False
    )
