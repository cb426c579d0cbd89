"""The plan: what is to happen to tags, text and pixels. Configs of both API versions compile into it."""
