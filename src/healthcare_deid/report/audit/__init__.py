"""Audit: what may still identify somebody in results of any tool."""

from healthcare_deid.report.audit.acceptance import Acceptance
from healthcare_deid.report.audit.audit import Audit, BurnedIn, Looked, audit
from healthcare_deid.report.audit.findings import Place, Residual, Residue
from healthcare_deid.report.audit.originals import Originals
from healthcare_deid.report.audit.tree import AuditReport, audit_tree

__all__ = [
    "Acceptance",
    "Audit",
    "AuditReport",
    "BurnedIn",
    "Looked",
    "Originals",
    "Place",
    "Residual",
    "Residue",
    "audit",
    "audit_tree",
]
