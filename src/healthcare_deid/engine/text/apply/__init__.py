"""Transformation of findings: policy, keys, transformations."""
