"""Bytes and files without policy: elements, file meta, directories, slices of files, atomic writes."""
