"""Application of a tag plan to the header.

One executor works on pydicom datasets, one on bytes.
"""
