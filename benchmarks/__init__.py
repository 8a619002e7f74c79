"""Every figure the project states is printed by a command here; the product imports none of it."""
