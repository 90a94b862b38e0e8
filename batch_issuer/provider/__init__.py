"""Everything that belongs to the provider, Ocote API Connect: its JSON, its meaning, its connection and its quota."""
