"""Tests of predictions of rows, groups and folds from all others."""
