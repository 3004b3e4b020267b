"""Tests of measures of fit."""
