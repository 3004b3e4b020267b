"""Tests of diagnostics of rows and groups."""
