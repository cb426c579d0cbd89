"""Bytes and files, without policy.

Elements, file meta, directories, slices of files and atomic writes.
"""
