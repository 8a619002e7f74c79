"""Generations: raised by hand when the same input would give other numbers.

They stand apart from the code they describe, so that whether a result is up to date can be decided
without importing torch.
"""

TRAIN = 10
PREDICT = 8
