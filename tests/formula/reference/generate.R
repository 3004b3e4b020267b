# Writes r_functions.json: what R makes of the functions that formulas share with it.
# Run in this folder: Rscript generate.R

numbers <- function(values) {
  paste0("[", paste(sprintf("%.17g", as.numeric(values)), collapse = ", "), "]")
}
rows <- function(matrix) {
  paste0("[", paste(apply(as.matrix(matrix), 1, numbers), collapse = ", "), "]")
}

x <- c(1, 2.5, 3, 4.25, 7, 11, 11, 12.5)
far <- 1e6 + x
x_new <- c(0, 3.5, 20)
flavour <- c("b", "a", "c", "a", "b", "c", "c", "a")
dose <- c(2, 1, 4, 1, 2, 4, 4, 1)

cubic <- poly(x, 3)
entries <- c(
  x = numbers(x),
  x_new = numbers(x_new),
  dose = numbers(dose),
  flavour = paste0("[", paste0('"', flavour, '"', collapse = ", "), "]"),
  poly_3 = rows(cubic),
  poly_3_new = rows(predict(cubic, x_new)),
  poly_2_far = rows(poly(far, 2)),
  poly_2_far_new = rows(predict(poly(far, 2), 1e6 + x_new)),
  poly_2_raw = rows(poly(x, 2, raw = TRUE)),
  scale = numbers(scale(x)),
  scale_no_center = numbers(scale(x, center = FALSE)),
  scale_no_scale = numbers(scale(x, scale = FALSE)),
  scale_numbers = numbers(scale(x, center = 2, scale = 4)),
  log_base_3 = numbers(log(x, base = 3)),
  power = numbers(model.matrix(~ I(x^2) - 1)),
  factor = rows(model.matrix(~ factor(dose))),
  interaction = rows(model.matrix(~ flavour * x)),
  square = rows(model.matrix(~ (x + dose + factor(flavour))^2))
)
lines <- paste0('"', names(entries), '": ', entries)
writeLines(c("{", paste0(lines, c(rep(",", length(lines) - 1), "")), "}"), "r_functions.json")
