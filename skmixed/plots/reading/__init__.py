"""A fitted model with its rows, from estimators and results alike, as displays take it."""
