# Effects and coefficients of groups: lme4, merTools, and the rule of mixedup, which adds variances.
# Run in this folder: Rscript generate.R
suppressMessages({
  library(lme4)
  library(merTools)
  library(jsonlite)
})

folder <- "../../../skmixed/datasets/data"
sleepstudy <- read.csv(file.path(folder, "sleepstudy.csv"), colClasses = c(Subject = "factor"))
penicillin <- read.csv(file.path(folder, "penicillin.csv"), stringsAsFactors = TRUE)
pastes <- read.csv(file.path(folder, "pastes.csv"), stringsAsFactors = TRUE)

# mixedup::extract_random_coefs: value = beta + b, se = sqrt(se_fixed^2 + se_random^2).
added_variances <- function(fit, factor) {
  sd_random <- as.data.frame(ranef(fit, condVar = TRUE))
  sd_random <- sd_random[sd_random$grpvar == factor, ]
  sd_fixed <- sqrt(diag(as.matrix(vcov(fit))))
  term <- as.character(sd_random$term)
  data.frame(
    term = term, group = as.character(sd_random$grp),
    value = fixef(fit)[term] + sd_random$condval,
    se = sqrt(sd_fixed[term]^2 + sd_random$condsd^2)
  )
}

figures <- function(formula, data) {
  fit <- lmer(formula, data, control = lmerControl(
    optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5)
  ))
  modes <- as.data.frame(ranef(fit, condVar = TRUE))
  ranks <- expectedRank(fit)
  draws <- REsim(fit, n.sims = 20000, seed = 1)
  list(
    formula = paste(deparse(formula), collapse = " "),
    ranef = data.frame(
      factor = as.character(modes$grpvar), effect = as.character(modes$term),
      group = as.character(modes$grp), value = modes$condval, se = modes$condsd
    ),
    expectedRank = data.frame(
      factor = ranks$groupFctr, effect = ranks$term, group = as.character(ranks$groupLevel),
      expected_rank = ranks$ER, percentile = ranks$pctER
    ),
    REsim = data.frame(
      factor = draws$groupFctr, effect = draws$term, group = draws$groupID,
      mean = draws$mean, median = draws$median, sd = draws$sd
    ),
    added_variances = lapply(
      setNames(nm = names(ranef(fit))), function(factor) added_variances(fit, factor)
    )
  )
}

cases <- list(
  sleepstudy = figures(Reaction ~ Days + (Days | Subject), sleepstudy),
  penicillin = figures(diameter ~ 1 + (1 | plate) + (1 | sample), penicillin),
  pastes = figures(strength ~ 1 + (1 | batch / cask), pastes)
)
versions <- sapply(c("lme4", "merTools"), function(name) as.character(packageVersion(name)))
write_json(
  list(versions = as.list(versions), cases = cases), "group_effects.json",
  digits = 10, auto_unbox = TRUE
)
