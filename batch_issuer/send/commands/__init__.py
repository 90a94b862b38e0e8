"""The runs that write the ledger, one file a command: what each plans, and in which order it asks and sends."""
