"""Tests of the documentation: its examples, its tables, its contents."""
