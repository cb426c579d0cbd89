"""Find text in pictures, read it, and choose what is covered."""
