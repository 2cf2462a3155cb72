"""Tables from the records of runs; nothing here parses a log."""
