"""The neutral plan for tags, text and pixels, which configs of both API versions compile into."""
