# Fit a problem with lme4: Rscript with_lme4.R CSV FORMULA REML REPEATS, one line of JSON on stdout.
suppressPackageStartupMessages(library(lme4))
given <- commandArgs(trailingOnly = TRUE)
formula <- as.formula(given[2])
reml <- given[3] == "reml"
repeats <- as.integer(given[4])
data <- read.csv(given[1], stringsAsFactors = FALSE)
# Labels are factors, as in R's own data; text becomes one in the fit.
for (name in all.vars(formula)) {
  if (is.integer(data[[name]]) && !grepl("^(y|x[0-9]+)$", name)) data[[name]] <- factor(data[[name]])
}

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
values <- function(numbers) paste(sprintf("%.17g", numbers), collapse = ", ")
table <- as.data.frame(VarCorr(fit))
random_sd <- table$sdcor[table$grp != "Residual" & is.na(table$var2)]
cat(sprintf(
  paste0(
    '{"seconds": %.17g, "peak": %.6g, "increase": %.6g, ',
    '"answer": {"log_likelihood": %.17g, "beta": [%s], "sigma": %.17g, "random_sd": [%s]}}\n'
  ),
  if (repeats > 1) mean(seconds) else seconds, memory("VmHWM"), memory("VmHWM") - loaded,
  as.numeric(logLik(fit)), values(fixef(fit)), sigma(fit), values(random_sd)
))
