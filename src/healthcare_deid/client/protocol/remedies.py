"""Remedies for the service's errors.

The service's own text may hold data and is not part of ``str(error)``. It is matched here, and not repeated.
"""

from __future__ import annotations

import re

_QUOTA = (
    "A quota or rate limit is used up. Wait, or send less at a time (parallel=, fewer operations at once); the page "
    "'Quotas' of the Google Cloud console shows and raises it."
)
_BY_REASON = {
    "RATE_LIMIT_EXCEEDED": _QUOTA,
    "rateLimitExceeded": _QUOTA,
    "userRateLimitExceeded": _QUOTA,
    "quotaExceeded": _QUOTA,
    "SERVICE_DISABLED": "Enable the API: gcloud services enable healthcare.googleapis.com",
    "accessNotConfigured": "Enable the API: gcloud services enable healthcare.googleapis.com",
    "BILLING_DISABLED": "Enable billing for the project.",
    "USER_PROJECT_DENIED": "The caller may not charge quota to the project given by with_quota_project().",
}
"""Remedies by ``ErrorInfo.reason`` or the reason of the older error format."""
_BY_TEXT = (
    (("cloud storage permission",), "Grant the Healthcare service agent access to the bucket."),
    (("not initiali[sz]ed",), "The dataset was created a moment ago: try again in a minute."),
    (
        (r"\b(location|region)", r"\b(same|differ|match|mismatch|across|cross)"),
        "Source and destination have to be in the same location: the service does not de-identify across locations.",
    ),
    (("quota",), _QUOTA),
)
"""Remedies by patterns in the service's text, all of which have to occur."""
_BY_STATUS = {
    407: "The proxy asks for a user and a password: HTTP_PROXY=http://user:password@host:port",
    413: "The request is too large: the service takes 10 MB, except for Store.",
    429: _QUOTA,
}


def remedy(status: int, reason: str, message: str) -> str:
    """Return the remedy for an error.

    It is empty if the error's class says all that is known.
    """
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    for patterns, text in _BY_TEXT:
        if all(re.search(pattern, message[:2000], re.IGNORECASE) for pattern in patterns):
            return text
    return _BY_STATUS.get(status, "")
