"""The header: carries a tag plan out, on pydicom datasets and on bytes."""
