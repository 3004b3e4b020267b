"""The linear cases of the shared references that have no residual structure."""

from __future__ import annotations

__all__ = ["LARGE", "LEAST_SQUARES", "ONE_FACTOR", "SEVERAL_FACTORS", "STRUCTURED"]

ONE_FACTOR = (
    "weights_sim",
    "weights_sim_ml",
    "weights_sim_lme",
    "weights_sleep",
    "ogorek_plain",
    "ogorek_cross",
    "sim757_full",
    "sim757_slope",
    "pigs_ri",
    "pigs_ri_ml",
    "pigs_rs",
    "pigs_rs_ml",
    "pigs_rs_indep",
    "gpa_ri",
    "gpa_ri_ml",
    "gpa_ri_sex",
    "gpa_rs",
    "gpa_rs_ml",
    "gpa_rs_sex",
    "gpa_rs_sex_ml",
    "gpa_rs_indep",
    "gpa_job",
    "gpa_tmb_ri_reml",
    "gpa_tmb_rs",
    "popularity",
    "popularity_ri",
    "form_ri",
    "form_rs",
    "form_slope_only",
    "form_uncorr",
    "form_fixed_site",
    "form_fixed_site_slopes",
    "sleep_rs",
    "sleep_rs_ml",
    "sleep_indep",
    "sleep_indep_ml",
    "sleep_ri",
    "sleep_ri_ml",
    "sleep_offset",
    "sleep_poly",
    "tmb_sleep_reml",
    "dyestuff",
    "dyestuff_ml",
    "dyestuff2",
    "dyestuff2_ml",
    "pastes_sample_ml",
    "cake",
    "machines_ri",
    "machines_slopes",
    "machines_cell",
    "oxboys",
    "exam_rs",
    "exam_rs_ml",
    "exam_full",
    "math_null",
    "math_ses",
    "math_cross",
    "math_cross_ri",
    "math_cross_ml",
    "math_cross_lme",
    "orth_rs",
    "orth_sex",
    "orth_sex_ml",
    "orth_ri_ml",
    "orth_lme",
    "orth_lme_ml",
    "ovary_ri",
)
"""Cases with one grouping factor."""

SEVERAL_FACTORS = (
    "pupils",
    "pupils_ml",
    "pupils_slope",
    "nurses_slash",
    "nurses_hierach",
    "nurses_hierach2",
    "nurses_nested",
    "nurses_wrong",
    "nurses_slope",
    "form_nested",
    "form_nested_slopes",
    "form_two_levels",
    "form_crossed",
    "form_rs_crossed",
    "form_uncorr_crossed",
    "form_slope_only_crossed",
    "penicillin",
    "penicillin_ml",
    "pastes",
    "pastes_ml",
    "cake_ml",
    "machines_nested",
    "oats",
    "oats_int",
    "oats_factor",
    "pixel",
)
"""Cases with two grouping factors, crossed or nested."""

STRUCTURED = ("gpa_tmb_ar1_only", "gpa_tmb_ar1", "gpa_tmb_diag")
"""Cases with a structure of glmmTMB; what is identified of them is compared."""

LARGE = (
    "insteval",
    "insteval_service",
    "insteval_service_ml",
)
"""Cases with so many levels of several factors that a fit takes seconds."""

LEAST_SQUARES = ("lm_pigs", "lm_pigs_strat", "lm_gpa")
"""Cases without random effects."""
