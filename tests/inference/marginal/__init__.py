"""Tests of marginal means and slopes."""
