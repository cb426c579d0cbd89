"""``python -m healthcare_deid.cli`` is ``healthcare-deid``."""

from healthcare_deid.cli import run

run()
