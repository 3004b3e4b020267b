"""Tests of intervals of every parameter."""
