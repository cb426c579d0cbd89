"""The neutral plan for tags, text and pixels.

Configs of both API versions compile into it.
"""
