"""The words every package shares: settings, studies, errors, recipes and safe files.

This package is the floor of the house: all others may import it and it imports none of them.
"""

__version__ = "0.1.0"
