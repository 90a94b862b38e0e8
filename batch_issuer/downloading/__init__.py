"""The files of documents: fetched in bulk, checked, and filed on the disk."""
