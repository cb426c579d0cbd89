"""Review of a run: a person approves or rejects results and changes what is covered."""

from healthcare_deid.report.review.again import RerunMode
from healthcare_deid.report.review.items import Decision, Item, Reason
from healthcare_deid.report.review.review import Review
from healthcare_deid.report.review.server import ReviewServer

__all__ = ["Decision", "Item", "Reason", "RerunMode", "Review", "ReviewServer"]
