"""JPEG-LS that its decoder refuses for its form: put right without touching what it says (ITU-T T.87)."""

from __future__ import annotations

from healthcare_deid.engine.dicom.fragments import END_OF_IMAGE

_FRAME = b"\xff\xf7"
_SAMPLES_AT, _SAMPLING_AT = 9, 11
"""Where a frame header has the number of components, and the first one's sampling factors (T.87 C.2.2)."""
_SAME = 0x11


def put_right(stream: bytes) -> bytes:
    """Return a codestream in the form that CharLS wants.

    Some encoders fill up with zeros before the end marker, some leave it out, and some give the only component sampling
    factors, which mean nothing then. CharLS decodes no stream of which bytes are missing or left over: one that was put
    right wrongly stays refused.
    """
    end = stream.rfind(END_OF_IMAGE)
    body = bytearray((stream if end < 0 else stream[:end]).rstrip(b"\0"))
    frame = body.find(_FRAME)
    if frame >= 0 and len(body) > frame + _SAMPLING_AT and body[frame + _SAMPLES_AT] == 1:
        body[frame + _SAMPLING_AT] = _SAME
    return bytes(body) + END_OF_IMAGE
