"""Tests of skmixed.inference."""
