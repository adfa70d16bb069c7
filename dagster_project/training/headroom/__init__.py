"""What more rows, each source and cleaner labels would give the chosen candidate. Run only where a spec asks for it."""
