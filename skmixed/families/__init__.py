"""Distributions of the response given its linear predictor, and the links between both."""
