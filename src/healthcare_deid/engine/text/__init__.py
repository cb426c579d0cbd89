"""Find infoTypes in text, and transform what is found."""
