"""The runs that write the ledger, and the sending behind them: the only concurrency, the only way to the provider."""
