"""What to de-identify: the API's messages as frozen, checked values. No I/O, no Google import."""
