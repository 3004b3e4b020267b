"""Tests of simulation and the bootstrap."""
