"""Reports for people: comparison, audit, review, dry run and run report. None of them prints a value."""

from healthcare_deid.engine.runs.report_page import write_report as write_run_report
from healthcare_deid.engine.runs.run_report import AttributeCounts, PixelCounts, RunReport
from healthcare_deid.report.audit import (
    Acceptance,
    Audit,
    AuditReport,
    Originals,
    Residual,
    Residue,
    audit,
    audit_tree,
)
from healthcare_deid.report.before_after import write_before_after
from healthcare_deid.report.compare import Comparison, ElementChange, PixelChange, Verdict, compare, summary_table
from healthcare_deid.report.compare_tree import Compared, ComparisonReport, compare_tree
from healthcare_deid.report.dry_run import DryRun, dry_run
from healthcare_deid.report.preview import Preview, preview
from healthcare_deid.report.review import Decision, Reason, RerunMode, Review, ReviewServer

__all__ = [
    "Acceptance",
    "AttributeCounts",
    "Audit",
    "AuditReport",
    "Compared",
    "Comparison",
    "ComparisonReport",
    "Decision",
    "DryRun",
    "ElementChange",
    "Originals",
    "PixelChange",
    "PixelCounts",
    "Preview",
    "Reason",
    "RerunMode",
    "Residual",
    "Residue",
    "Review",
    "ReviewServer",
    "RunReport",
    "Verdict",
    "audit",
    "audit_tree",
    "compare",
    "compare_tree",
    "dry_run",
    "preview",
    "summary_table",
    "write_before_after",
    "write_run_report",
]
