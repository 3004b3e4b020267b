# Time bootMer or profile: Rscript inference_with_lme4.R JOB CSV FORMULA, one line of JSON on stdout.
suppressPackageStartupMessages(library(lme4))
given <- commandArgs(trailingOnly = TRUE)
model <- lmer(as.formula(given[3]), read.csv(given[2], stringsAsFactors = TRUE))
quietly <- function(expression) invisible(suppressMessages(suppressWarnings(expression)))
parameters <- function(m) c(fixef(m), sigma(m), getME(m, "theta"))
job <- list(
  bootstrap = list(call = function() bootMer(model, parameters, nsim = 100), scale = 10),
  profile = list(call = function() profile(model), scale = 1)
)[[given[1]]]
set.seed(1)
quietly(job$call())
start <- proc.time()[["elapsed"]]
quietly(job$call())
cat(sprintf('{"%s": %.6g}\n', given[1], job$scale * (proc.time()[["elapsed"]] - start)))
