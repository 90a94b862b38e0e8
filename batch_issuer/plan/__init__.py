"""What a run would do, computed before it does anything: documents checked and encoded, plans, credit notes."""
