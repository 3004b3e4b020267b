# Parametric bootstrap by lme4: Rscript parametric_bootstrap.R > parametric_bootstrap.csv
# Each response of simulate() is fitted by lmer() itself. refit(), which bootMer() calls, ends
# elsewhere in lme4 1.1-31: theta differs by 0.005 from lmer() of the same response, logLik by 4.
suppressMessages(library(lme4))
formula <- Reaction ~ Days + (Days | Subject)
fit <- function(data) suppressMessages(suppressWarnings(lmer(formula, data)))
model <- fit(sleepstudy)
parameters <- function(m) {
  covariance <- VarCorr(m)$Subject
  sd <- attr(covariance, "stddev")
  correlation <- attr(covariance, "correlation")[2, 1]
  c(fixef(m), sigma(m), sd, correlation, as.numeric(logLik(m)))
}
responses <- simulate(model, nsim = 2000, seed = 20240101)
draws <- t(sapply(responses, function(y) parameters(fit(transform(sleepstudy, Reaction = y)))))
names <- c(
  "Intercept", "Days", "sigma", "sd_Intercept|Subject", "sd_Days|Subject",
  "cor_Days.Intercept|Subject", "log_likelihood"
)
cat("parameter,n,mean,sd,lower,upper\n")
for (j in seq_along(names)) {
  x <- draws[is.finite(draws[, j]), j]
  q <- quantile(x, c(0.025, 0.975), type = 6)
  cat(sprintf('"%s",%d,%.10g,%.10g,%.10g,%.10g\n', names[j], length(x), mean(x), sd(x), q[1], q[2]))
}
