"""The models, formulas and calls that the library promises, row by row."""
