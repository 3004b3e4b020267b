"""Each kind of record of glmm_inference.json: our numbers under R's names of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from skmixed.inference import likelihood_ratio_test

from . import inference_calls as calls
from .glmm_inference import Record, fitted, model_data
from .names import in_r_words

__all__ = ["KINDS", "numbers"]

Numbers = dict[str, float]

# emmeans' columns, and ours.
_COLUMNS = {
    "estimate": "estimate",
    "SE": "se",
    "asymp.LCL": "lower",
    "asymp.UCL": "upper",
    "z.ratio": "statistic",
    "p.value": "p_value",
}
# What a likelihood ratio compares, by the first words of ``against``, where these do not hold the
# smaller model: what differs in the smaller one, and in the larger one.
_AGAINST: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "random slope of urban": (
        {},
        {"formula": "use ~ age + I(age^2) + urban + livch + (urban | district)"},
    ),
    "age:urban": ({}, {"formula": "use ~ age * urban + I(age^2) + livch + (1 | district)"}),
    "random term region": (
        {"formula": "deaths ~ uvb + offset(log(expected)) + (1 | nation)"},
        {},
    ),
    "dispersion dropped": ({"family": "poisson"}, {}),
    "dispformula ~1": ({"dispersion": "~1"}, {}),
}


def numbers(record: Record) -> Numbers:
    """Return our numbers of a record, and perhaps more."""
    return KINDS[record.kind](fitted(record), record)


def _fit_check(results: Any, record: Record) -> Numbers:
    found = {"loglik": results.llf}
    if "sd" in record.expected:
        for name, row in calls.coefficients(results).iterrows():
            found |= {name: row["estimate"], f"{name}.se": row["se"]}
        ((_, row),) = calls.log_sd(results).iterrows()
        sd = np.exp(row["estimate"])
        found |= {"sd": sd, "sd.se": sd * row["se"]}
    return found


def _coefficients(results: Any, record: Record) -> Numbers:
    """Return all parameters on glmmTMB's scales, SDs in the order of the formula."""
    found = {"loglik": results.llf}
    logarithms = calls.log_sd(results).loc[re.findall(r"\| (\w+)\)", record.model[0])]
    logarithms.index = [f"theta{i}" for i in range(1, len(logarithms) + 1)]
    for name, row in pd.concat([calls.coefficients(results), logarithms]).iterrows():
        found |= {f"{name}.estimate": row["estimate"], f"{name}.se": row["se"]}
    return found


def _wald_limits(results: Any, record: Record) -> Numbers:
    q = norm.ppf(0.5 + 0.5 * record.arguments["level"])
    found = {}
    for name, (b, se) in calls.coefficients(results).iterrows():
        found |= {f"{name}.lower": b - q * se, f"{name}.upper": b + q * se, f"{name}.se": se}
        found |= {f"{name}.z": b / se, f"{name}.p": 2.0 * norm.sf(abs(b / se))}
    return found


def _profile_limits(results: Any, record: Record) -> Numbers:
    found = {}
    for name, (lower, upper) in calls.profile_limits(results, record.arguments["level"]).items():
        short = "sd" if "sd.lower" in record.expected and name.startswith("sd.") else name
        found |= {f"{short}.lower": lower, f"{short}.upper": upper}
    return found


def _random_sd(results: Any, record: Record) -> Numbers:
    table = results.variance_components
    table = table[table["name2"].isna()].set_index("group")
    names = [key.split(".")[1] for key in record.expected]
    return {f"sd.{name}.(Intercept)": table.loc[name, "sdcor"] for name in names}


def _conditional_modes(results: Any, record: Record) -> Numbers:
    group = record.arguments.get("group")
    found = {}
    # lme4 takes the parameters as known, glmmTMB does not.
    sds = calls.conditional_sds(results, parameters_known=record.package != "glmmTMB")
    for kind, tables in (("mode", results.random_effects), ("sd", sds)):
        table = tables[group or next(iter(tables))]
        for effect in table:
            middle = f".{in_r_words(effect)}" if group else ""
            found |= {f"{label}{middle}.{kind}": x for label, x in table[effect].items()}
    return found


def _wald_by_term(results: Any, record: Record) -> Numbers:
    """Type II of our tests by term; type III, whose contrasts are R's, of each term's columns."""
    found = {}
    if record.arguments["type"] == "II":
        for term, row in calls.terms(results).iterrows():
            name = str(term).replace(" ** ", "^")
            found |= {f"{name}.{key}": value for key, value in row.items()}
        return found
    columns = np.eye(len(results.params))
    terms = [_term(name) for name in results.params.index]
    for term in dict.fromkeys(terms):
        test = calls.term_test(results, columns[[i for i, t in enumerate(terms) if t == term]])
        found |= {f"{term}.{key}": value for key, value in test.items()}
    return found


def _drop1(results: Any) -> Numbers:
    found = {"AIC.full": results.aic}
    for name, row in calls.dropped(results).iterrows():
        term = str(name).replace(" ** ", "^")
        found |= {f"{term}.AIC": row["aic"], f"{term}.df": row["df"]}
        found |= {f"{term}.LRT": row["statistic"], f"{term}.p": row["p_value"]}
    return found


def _likelihood_ratio(results: Any, record: Record) -> Numbers:
    against = record.arguments["against"]
    smaller, larger = next(
        (changes for words, changes in _AGAINST.items() if against.startswith(words)), ({}, {})
    )
    if not smaller and not larger:
        term = against.removesuffix(" dropped")
        formula = against if "~" in against else _without(record.model[0], term)
        smaller = {"formula": formula}
    small = fitted(record, **smaller) if smaller else results
    large = fitted(record, **larger) if larger else results
    test = likelihood_ratio_test(small, large).iloc[1]
    return {
        "loglik": large.llf,
        "loglik_small": small.llf,
        "chisq": test["statistic"],
        "df": test["df"],
        "p": test["p_value"],
    }


def _means(results: Any, record: Record, scale: str) -> Numbers:
    specs, by = _specs(record)
    table = calls.table_of_means(results, specs, by, scale=scale)
    labels = table[[*_in_order(record), *by]].astype(str).agg(",".join, axis=1)
    return _of_rows(labels, table)


def _pairs(results: Any, record: Record, scale: str, adjust: str) -> Numbers:
    """Name our differences by emmeans' labels, which come in the same order."""
    table = calls.pairs(results, *_specs(record), scale=scale, adjust=adjust)
    labels = [key.removesuffix(".estimate") for key in record.expected if key.endswith(".estimate")]
    assert len(labels) == len(table)
    return _of_rows(labels, table)


def _contrasts(results: Any) -> Numbers:
    weights = {"trend": [-3, -1, 1, 3], "first_vs_rest": [1, -1 / 3, -1 / 3, -1 / 3]}
    table = calls.compared(results, ["period"], weights)
    return _of_rows(table["contrast"], table)


def _trend(results: Any, record: Record) -> Numbers:
    variable = record.arguments["variable"]
    row = calls.slopes(results, variable, {variable: record.arguments[variable]}).iloc[0]
    return {"slope": row["estimate"], "se": row["se"]}


def _trends_compared(results: Any, record: Record) -> Numbers:
    specs, _ = _specs(record)
    return _of_rows(["N - Y"], calls.slopes_compared(results, record.arguments["var"], specs))


def _predictions(results: Any, record: Record) -> Numbers:
    """Return predictions of the first rows, or of new ones; the kind tells what of a bare row."""
    rows, prefix = model_data(record).head(5), "row"
    if "newdata" in record.arguments:
        rows, prefix = pd.DataFrame(record.arguments["newdata"]).fillna("new"), "new"
    bare = {
        "predict_marginal_new_group": "response_marginal",
        "predict_posterior_known_group": "response_posterior",
        "zero_probability": "zero_probability",
    }.get(record.kind)
    found = {}
    for what in dict.fromkeys(key.partition(".")[2] for key in record.expected):
        level = record.arguments.get("level", 0.95)
        values = calls.predictions(results, rows, what or bare, level)
        suffix = f".{what}" if what else ""
        found |= {f"{prefix}{i + 1}{suffix}": x for i, x in enumerate(values)}
    return found


def _residuals(results: Any, record: Record) -> Numbers:
    found = {}
    for kind in ("pearson", "deviance", "response"):
        if f"{kind}.sumsq" in record.expected:
            values = calls.residuals(results, kind)
            found |= {f"row{i + 1}.{kind}": x for i, x in enumerate(values[:10])}
            found[f"{kind}.sumsq"] = np.sum(values**2)
    return found


def _measures(results: Any, record: Record) -> Numbers:
    mean = "response" if record.arguments.get("lambda_from") == "mean of the response" else "null"
    found = {}
    for method in dict.fromkeys(key.partition(".")[0] for key in record.expected):
        values = calls.measures(results, method, mean)
        random = record.arguments["random_variance"]
        values["distribution_variance"] = random * (1.0 / values["icc_adjusted"] - 1.0)
        found |= {f"{method}.{key}": x for key, x in values.items()}
    return found


KINDS: Mapping[str, Callable[[Any, Record], Numbers]] = {
    "coefficients": _coefficients,
    "conditional_modes": _conditional_modes,
    "drop1_chisq": lambda results, _: _drop1(results),
    "emmeans_contrast": lambda results, _: _contrasts(results),
    "emmeans_link": lambda results, record: _means(results, record, "link"),
    "emmeans_pairs_ratio": lambda results, record: _pairs(results, record, "response", "none"),
    "emmeans_pairs_tukey": lambda results, record: _pairs(results, record, "link", "tukey"),
    "emmeans_response": lambda results, record: _means(results, record, "response"),
    "emtrends_pairs": _trends_compared,
    "fit_check": _fit_check,
    "likelihood_ratio_test": _likelihood_ratio,
    "overdispersion": lambda results, _: calls.overdispersion(results),
    "performance_icc_r2": lambda results, _: calls.measures(results, "theoretical"),
    "predict": _predictions,
    "predict_marginal_new_group": _predictions,
    "predict_newdata": _predictions,
    "predict_posterior_known_group": _predictions,
    "predict_se_fixed": _predictions,
    "profile_limits": _profile_limits,
    "r2_icc_nakagawa": _measures,
    "random_sd": _random_sd,
    "residuals": _residuals,
    "trend": _trend,
    "wald_chisq_by_term": _wald_by_term,
    "wald_limits": _wald_limits,
    "zero_probability": _predictions,
    "zeros": lambda results, record: calls.zeros(results, average="integrated" in record.note),
}


def _in_order(record: Record) -> list[str]:
    """Return the factors of emmeans' specification, without those after the bar."""
    return re.findall(r"\w+", record.arguments["specs"].partition("|")[0])


def _specs(record: Record) -> tuple[list[str], list[str]]:
    """Return factors and by; emmeans varies the first of several fastest, we the last."""
    return _in_order(record)[::-1], re.findall(r"\w+", record.arguments["specs"].partition("|")[2])


def _of_rows(labels: Any, table: pd.DataFrame) -> Numbers:
    """Return the columns of a table under emmeans' names."""
    rows = zip(labels, table.to_dict("records"), strict=True)
    return {
        f"{label}.{theirs}": row[ours] for label, row in rows for theirs, ours in _COLUMNS.items()
    }


def _term(name: str) -> str:
    """Return R's name of the term that a coefficient belongs to."""
    if name == "Intercept":
        return "(Intercept)"
    parts = [re.sub(r"\[T\..*\]$", "", part) for part in name.split(":")]
    return ":".join(sorted(part.replace(" ** ", "^") for part in parts))


def _without(formula: str, term: str) -> str:
    """Return a formula without one of its terms."""
    response, _, right = formula.partition(" ~ ")
    terms = [kept for kept in right.split(" + ") if kept != term]
    return f"{response} ~ {' + '.join(['1', *terms])}"
