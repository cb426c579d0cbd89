"""Ready configs, the tutorial's two use cases among them (see `healthcare_deid.config.presets`)."""

from healthcare_deid.config.presets import *  # noqa: F403 - the module's own __all__ is the public list
from healthcare_deid.config.presets import __all__ as __all__
