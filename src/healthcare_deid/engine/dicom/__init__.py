"""Bytes and files, without policy.

The package has elements, file meta, directories, slices of files and atomic writes.
"""
