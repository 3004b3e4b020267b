# Fit a generalised model by lme4 or glmmTMB; one line of JSON on stdout.
# Rscript generalised.R CSV LIBRARY FORMULA FAMILY SECONDS
given <- commandArgs(trailingOnly = TRUE)
library <- given[2]
suppressPackageStartupMessages(base::library(library, character.only = TRUE))
data <- read.csv(given[1], stringsAsFactors = TRUE)
formula <- as.formula(given[3])
room <- as.numeric(given[5])
fit <- function() {
  suppressWarnings(if (library == "lme4") glmer(formula, data, given[4]) else glmmTMB(formula, data, given[4]))
}

memory <- function(field) {
  lines <- readLines("/proc/self/status")
  as.numeric(gsub("[^0-9]", "", lines[startsWith(lines, field)])) / 1000
}
invisible(gc())
loaded <- memory("VmRSS")
try(cat("5", file = "/proc/self/clear_refs"), silent = TRUE)
seconds <- numeric()
repeat {
  start <- proc.time()[["elapsed"]]
  fitted <- fit()
  seconds <- c(seconds, proc.time()[["elapsed"]] - start)
  if (seconds[1] >= room || (length(seconds) >= 4 && sum(seconds) >= room)) break
}
if (length(seconds) > 1) seconds <- seconds[-1]
beta <- if (library == "lme4") fixef(fitted) else fixef(fitted)$cond
# The order of the alphabet, as in generalised_fits.py.
beta <- beta[order(gsub("[() ]", "", names(beta)), method = "radix")]
cat(sprintf(
  '{"seconds": %.17g, "increase": %.6g, "llf": %.17g, "beta": [%s]}\n',
  median(seconds), memory("VmHWM") - loaded, as.numeric(logLik(fitted)), paste(sprintf("%.17g", beta), collapse = ", ")
))
