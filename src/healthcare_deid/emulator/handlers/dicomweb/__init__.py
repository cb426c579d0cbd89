"""DICOMweb (PS3.18) as the service implements it."""
