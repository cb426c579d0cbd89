"""Readers and writers of other notations: JSON, YAML, shell commands, JSON Schema, v1beta1."""
