"""The review of a run: a person looks at results, approves or rejects them, and covers what was missed."""

from healthcare_deid.report.review.review import Decision, Item, Review
from healthcare_deid.report.review.server import ReviewServer

__all__ = ["Decision", "Item", "Review", "ReviewServer"]
