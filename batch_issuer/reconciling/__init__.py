"""What a reconciliation is about: gathered from the ledger, compared with the files, noted and signed by persons."""
