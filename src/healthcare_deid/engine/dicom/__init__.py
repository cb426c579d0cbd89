"""DICOM as bytes and files, with no policy: elements, file meta, directories, slices of files, atomic writes."""
