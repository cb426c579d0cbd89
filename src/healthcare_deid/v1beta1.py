"""API version v1beta1: ``v1beta1.DeidentifyConfig`` and the messages in it (see `healthcare_deid.config.v1beta1`)."""

from __future__ import annotations

from healthcare_deid.config.v1beta1 import *  # noqa: F403 - the package's own __all__ is the public list
from healthcare_deid.config.v1beta1 import __all__ as __all__  # noqa: PLC0414 - a re-export, marked as one for type checkers
