"""The ledger room: the file that remembers every intent and every answer. SQL is spoken only here."""
