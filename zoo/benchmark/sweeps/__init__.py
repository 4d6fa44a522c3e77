"""Many runs: their ledger, and how they share the work."""
