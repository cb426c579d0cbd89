"""Repair of JPEG-LS codestreams with formal faults that decoders refuse (ITU-T T.87)."""

from __future__ import annotations

from healthcare_deid.engine.dicom.fragments import END_OF_IMAGE

_FRAME = b"\xff\xf7"
_SAMPLES_AT, _SAMPLING_AT = 9, 11
"""Offsets from the SOF marker of the number of components and of the first one's sampling factors (T.87 C.2.2)."""
_SAME = 0x11
"""Sampling factors of 1 in both directions."""


def put_right(stream: bytes) -> bytes:
    """Return a codestream in the form that CharLS accepts.

    Some encoders pad with zeros before the end marker, some omit the marker, and some give a single component sampling
    factors, which are meaningless. CharLS refuses streams with missing or surplus bytes, so a wrong repair cannot go
    unnoticed.
    """
    end = stream.rfind(END_OF_IMAGE)
    body = bytearray((stream if end < 0 else stream[:end]).rstrip(b"\0"))
    frame = body.find(_FRAME)
    if frame >= 0 and len(body) > frame + _SAMPLING_AT and body[frame + _SAMPLES_AT] == 1:
        body[frame + _SAMPLING_AT] = _SAME
    return bytes(body) + END_OF_IMAGE
