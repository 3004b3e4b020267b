# Limits of profile likelihood, and standard errors of log standard deviations: intervals.json.
# Run in this folder: Rscript intervals.R
# lme4's own confint interpolates a coarse profile; here each limit is a root of the deviance that
# lme4 evaluates, minimised over all other parameters.
suppressMessages({library(lme4); library(glmmTMB); library(jsonlite)})
cutoff <- qchisq(0.95, 1)

variance_limits <- function(model) {
  deviance_of <- lme4:::devfun2(model, useSc = TRUE, signames = FALSE)
  start <- attr(deviance_of, "optimum")
  start <- start[seq_len(length(start) - length(fixef(model)))]
  is_cor <- grepl("^cor_", names(start))
  lower <- ifelse(is_cor, -0.9999, 0)
  upper <- ifelse(is_cor, 0.9999, Inf)
  best <- function(i, x, from) {
    if (length(start) == 1) return(list(objective = deviance_of(x), par = numeric(0)))
    f <- function(p) { full <- start; full[-i] <- p; full[i] <- x; deviance_of(full) }
    for (k in 1:3) {
      found <- nlminb(from, f, lower = lower[-i], upper = upper[-i], scale = 1 / pmax(abs(start[-i]), 0.1),
                      control = list(rel.tol = 1e-14, x.tol = 1e-12, eval.max = 5000, iter.max = 2000))
      from <- found$par
    }
    found
  }
  least <- min(deviance_of(start), best(1, start[[1]], start[-1])$objective)
  limit <- function(i, bound) {
    from <- start[-i]
    f <- function(x) {
      tries <- list(best(i, x, from), best(i, x, start[-i]))
      found <- tries[[which.min(sapply(tries, `[[`, "objective"))]]
      from <<- found$par
      found$objective - least - cutoff
    }
    end <- bound
    if (is.infinite(end)) { end <- 1.5 * start[[i]]; while (f(end) < 0) end <- 1.5 * end }
    from <- start[-i]
    if (f(end) < 0) return(bound)
    from <- start[-i]
    uniroot(f, sort(c(start[[i]], end)), tol = 1e-11)$root
  }
  # 0 is no value of sigma.
  lower[names(start) == "sigma"] <- 0.2 * start[["sigma"]]
  inner <- function(i, b) if (is_cor[i]) b * 0.98 else b
  limits <- lapply(seq_along(start), function(i) c(limit(i, inner(i, lower[i])), limit(i, inner(i, upper[i]))))
  setNames(limits, names(start))
}

slope_limits <- function(formula, data, name) {
  control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-11))
  full <- lmer(formula, data, REML = FALSE, control = control)
  without <- update(formula, paste("~ . -", name))
  f <- function(x) {
    data$shift <- x * data[[name]]
    held <- lmer(without, data, REML = FALSE, control = control, offset = shift)
    2 * as.numeric(logLik(full) - logLik(held)) - cutoff
  }
  at <- fixef(full)[[name]]; se <- sqrt(vcov(full)[name, name])
  c(uniroot(f, c(at - 4 * se, at), tol = 1e-9)$root, uniroot(f, c(at, at + 4 * se), tol = 1e-9)$root)
}

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10))
fit <- function(formula, data) lmer(formula, data, REML = FALSE, control = control)
profiles <- list(
  "Reaction ~ Days + (Days | Subject)" = variance_limits(fit(Reaction ~ Days + (Days | Subject), sleepstudy)),
  "Reaction ~ Days + (Days || Subject)" = variance_limits(fit(Reaction ~ Days + (Days || Subject), sleepstudy)),
  "Yield ~ 1 + (1 | Batch)" = variance_limits(fit(Yield ~ 1 + (1 | Batch), Dyestuff)),
  "diameter ~ 1 + (1 | plate) + (1 | sample)" =
    variance_limits(fit(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin)),
  "strength ~ 1 + (1 | batch / cask)" = variance_limits(fit(strength ~ 1 + (1 | batch / cask), Pastes))
)
# Orthodont is nlme's: the tests read it where the shared reference data are.
orthodont <- transform(as.data.frame(nlme::Orthodont), Subject = factor(as.character(Subject)), ageC = age - 11)
orthodont_profiles <- list(
  orth_rs = variance_limits(fit(distance ~ age + (age | Subject), orthodont)),
  orth_sex = variance_limits(fit(distance ~ ageC * Sex + (ageC | Subject), orthodont))
)
profiles[[1]]$Days <- slope_limits(Reaction ~ Days + (Days | Subject), sleepstudy, "Days")

log_errors <- function(reml) {
  m <- glmmTMB(Reaction ~ Days + (Days | Subject), sleepstudy, REML = reml)
  se <- sqrt(diag(vcov(m, full = TRUE)))
  se <- se[grepl("^d~|^theta", names(se))]
  raw <- getME(m, "theta")
  # theta: log SDs, then t with correlation t / sqrt(1 + t^2), whose Fisher z is asinh(t).
  list(sigma = se[[1]] / 2, sd_Intercept = se[[2]], sd_Days = se[[3]], z = se[[4]] / sqrt(1 + raw[[3]]^2))
}
writeLines(toJSON(list(
  made_with = paste("lme4", packageVersion("lme4"), "glmmTMB", packageVersion("glmmTMB")),
  profile = profiles, orthodont = orthodont_profiles, log_errors = list(ml = log_errors(FALSE), reml = log_errors(TRUE))
), digits = NA, auto_unbox = TRUE, pretty = TRUE), "intervals.json")
