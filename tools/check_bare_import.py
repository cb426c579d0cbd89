"""Check, in an environment with the wheel and its base dependencies alone, that the package works without extras."""

from __future__ import annotations

import sys
import tempfile


def main() -> int:
    """Return 0 when the base install does what it says."""
    import healthcare_deid

    heavy = {"pydantic", "httplib2", "googleapiclient", "google.auth", "numpy", "pydicom"} & set(sys.modules)
    assert not heavy, f"import healthcare_deid loaded {sorted(heavy)}"

    config = healthcare_deid.presets.remove_metadata_and_all_text()
    assert config.to_api()["image"] == {"textRedactionMode": "REDACT_ALL_TEXT"}

    from healthcare_deid.errors import MissingExtraError

    message = _refusal(MissingExtraError)
    assert "pip install 'healthcare-deid[local]'" in message, message
    print(f"healthcare_deid {healthcare_deid.__version__}: base install works, and names the extra that is missing")
    return 0


def _refusal(expected: type[Exception]) -> str:
    """Return what the client says when the emulator's dependencies are not there."""
    import healthcare_deid

    try:
        healthcare_deid.DeidClient.local(tempfile.mkdtemp())
    except expected as error:
        return str(error)
    return "no error"


if __name__ == "__main__":
    sys.exit(main())
