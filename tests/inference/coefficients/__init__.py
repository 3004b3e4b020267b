"""Tests of tests and degrees of freedom of coefficients."""
