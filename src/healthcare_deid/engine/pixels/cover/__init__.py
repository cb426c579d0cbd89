"""Cover boxes in frames, and write the element again."""
