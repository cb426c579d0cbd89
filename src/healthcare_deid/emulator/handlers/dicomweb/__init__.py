"""DICOMweb (PS3.18) as the service speaks it: store, search, retrieve, delete."""
