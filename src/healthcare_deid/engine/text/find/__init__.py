"""Detection of sensitive text: detectors, word lists, and the header's own values."""
