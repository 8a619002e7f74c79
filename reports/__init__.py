"""Reports: content in, text or bytes out. Knows no database, no torch and no clock."""
