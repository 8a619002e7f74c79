"""Inner loops over pixels and outlines, compiled by numba.

Only what runs for every detection of every frame is here; each kernel does what a few lines of
NumPy would say, and its test compares it with those lines.
"""
