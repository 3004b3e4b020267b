# Fit a problem with lme4: Rscript with_lme4.R CSV FORMULA REML REPEATS, one line of JSON on stdout.
suppressPackageStartupMessages(library(lme4))
given <- commandArgs(trailingOnly = TRUE)
formula <- as.formula(given[2])
reml <- given[3] == "reml"
repeats <- as.integer(given[4])
data <- read.csv(given[1], stringsAsFactors = FALSE)
# A factor, as in R's own sleepstudy.
if (is.integer(data$g)) data$g <- factor(data$g)

memory <- function(field) {
  lines <- readLines("/proc/self/status")
  as.numeric(gsub("[^0-9]", "", lines[startsWith(lines, field)])) / 1000
}
if (repeats > 1) invisible(lmer(formula, data, REML = reml))
invisible(gc())
loaded <- memory("VmRSS")
try(cat("5", file = "/proc/self/clear_refs"), silent = TRUE)
seconds <- numeric(repeats)
for (i in seq_len(repeats)) {
  start <- proc.time()[["elapsed"]]
  fit <- lmer(formula, data, REML = reml)
  seconds[i] <- proc.time()[["elapsed"]] - start
}
cat(sprintf(
  paste0(
    '{"seconds": %.17g, "peak": %.6g, "increase": %.6g, ',
    '"answer": {"log_likelihood": %.17g, "beta": [%s], "sigma": %.17g}}\n'
  ),
  if (repeats > 1) mean(seconds) else seconds, memory("VmHWM"), memory("VmHWM") - loaded,
  as.numeric(logLik(fit)), paste(sprintf("%.17g", fixef(fit)), collapse = ", "), sigma(fit)
))
