"""Upload, download and DICOMweb."""
