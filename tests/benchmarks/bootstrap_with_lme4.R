# Time bootMer: Rscript bootstrap_with_lme4.R CSV FORMULA REPLICATES, seconds on stdout.
suppressPackageStartupMessages(library(lme4))
given <- commandArgs(trailingOnly = TRUE)
model <- lmer(as.formula(given[2]), read.csv(given[1], stringsAsFactors = TRUE))
parameters <- function(m) c(fixef(m), sigma(m), getME(m, "theta"))
refit_all <- function(n) suppressMessages(suppressWarnings(bootMer(model, parameters, nsim = n)))
set.seed(1)
invisible(refit_all(5))
start <- proc.time()[["elapsed"]]
invisible(refit_all(as.integer(given[3])))
cat(proc.time()[["elapsed"]] - start, "\n")
