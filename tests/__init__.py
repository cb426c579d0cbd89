"""Tests of the package, laid out as its folders are; helpers are imported as ``tests.…``."""
