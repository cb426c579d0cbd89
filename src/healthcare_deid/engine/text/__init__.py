"""Detection of infoTypes in text, and transformation of the findings."""
