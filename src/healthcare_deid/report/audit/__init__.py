"""The audit: what may still identify somebody in results, whoever made them."""

from healthcare_deid.report.audit.audit import Audit, BurnedIn, Looked, audit
from healthcare_deid.report.audit.findings import Place, Residual, Residue
from healthcare_deid.report.audit.originals import Originals

__all__ = ["Audit", "BurnedIn", "Looked", "Originals", "Place", "Residual", "Residue", "audit"]
