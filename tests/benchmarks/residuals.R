# Time nlme and glmmTMB on one case: Rscript residuals.R CASE CSV REPEATS, one line of JSON on stdout.
# Factors keep the order of their labels; the times are those of warm fits within this process.
suppressPackageStartupMessages({
  library(nlme)
  library(glmmTMB)
})
given <- commandArgs(trailingOnly = TRUE)
data <- read.csv(given[2], stringsAsFactors = TRUE)
repeats <- as.integer(given[3])
control <- lmeControl(maxIter = 200, msMaxIter = 500)
data$ar1_time <- if (given[1] == "unstructured") NULL else factor(data$occasion)

calls <- list(
  ar1 = list(
    nlme = quote(lme(gpa ~ occasion, data, ~ 1 | student, corAR1(form = ~occasion), control = control)),
    glmmTMB = quote(glmmTMB(gpa ~ occasion + (1 | student) + ar1(0 + ar1_time | student), data, dispformula = ~0, REML = TRUE))
  ),
  "ar1 x heterogeneous" = list(
    nlme = quote(lme(
      gpa ~ occasion, data, ~ 1 | student, corAR1(form = ~occasion),
      weights = varIdent(form = ~ 1 | occasion), control = control
    ))
  ),
  unstructured = list(
    nlme = quote(gls(
      distance ~ ageC * Sex, data, corSymm(form = ~ 1 | Subject), weights = varIdent(form = ~ 1 | age)
    )),
    glmmTMB = quote(glmmTMB(
      distance ~ ageC * Sex + us(0 + factor(age) | Subject), data, dispformula = ~0, REML = TRUE
    ))
  )
)

timed <- function(call) {
  fit <- suppressWarnings(eval(call))
  seconds <- replicate(repeats, system.time(suppressWarnings(eval(call)))[["elapsed"]])
  sprintf('{"seconds": %.17g, "llf": %.17g}', median(seconds), as.numeric(logLik(fit)))
}
found <- vapply(calls[[given[1]]], function(call) tryCatch(timed(call), error = function(e) "null"), "")
cat("{", paste(sprintf('"%s": %s', names(found), found), collapse = ", "), "}\n", sep = "")
