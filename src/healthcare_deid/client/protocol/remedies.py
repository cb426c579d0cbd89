"""Remedies for errors of the service.

The service's text may contain patient data, so it is matched here but never copied into ``str(error)``.
"""

from __future__ import annotations

import re

_QUOTA = (
    "A quota or rate limit is exceeded. Wait, or send fewer requests at a time (parallel=, fewer operations); the "
    "Quotas page of the Google Cloud console shows the limit and takes requests to raise it."
)
# Remedies by ErrorInfo.reason, or by the reason in the legacy error format.
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
# Remedies by patterns in the service's text. All patterns of a row must match.
_BY_TEXT = (
    (("cloud storage permission",), "Grant the Healthcare service agent access to the bucket."),
    (("not initiali[sz]ed",), "The dataset is still being created: try again in a minute."),
    (
        (r"\b(location|region)", r"\b(same|differ|match|mismatch|across|cross)"),
        "Source and destination must be in the same location: the service does not de-identify across locations.",
    ),
    (("quota",), _QUOTA),
)
_BY_STATUS = {
    407: "The proxy requires a user name and password: set HTTP_PROXY=http://user:password@host:port",
    413: "The request is too large: the service accepts 10 MB, except for Store.",
    429: _QUOTA,
}


def remedy(status: int, reason: str, message: str) -> str:
    """Return the remedy for an error of the service.

    Returns an empty string if the error's class already says it all.
    """
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    # After the reason, which is exact. Google may reword its texts at any time.
    for patterns, text in _BY_TEXT:
        # The server's text can be of any length, and its start says what is wrong.
        if all(re.search(pattern, message[:2000], re.IGNORECASE) for pattern in patterns):
            return text
    return _BY_STATUS.get(status, "")
