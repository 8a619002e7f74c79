"""The bench: one specimen, its cells and its recording, and what a person decides about them."""
