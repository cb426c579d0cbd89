"""Show what was removed: tag by tag, and in pictures. Nothing here prints a value."""

from healthcare_deid.report.audit import Audit, AuditReport, Originals, Residual, Residue, audit, audit_tree
from healthcare_deid.report.compare import Comparison, ElementChange, PixelChange, Verdict, compare, summary_table
from healthcare_deid.report.pictures import write_before_after

__all__ = [
    "Audit",
    "AuditReport",
    "Comparison",
    "ElementChange",
    "Originals",
    "PixelChange",
    "Residual",
    "Residue",
    "Verdict",
    "audit",
    "audit_tree",
    "compare",
    "summary_table",
    "write_before_after",
]
