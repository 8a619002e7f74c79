"""The command ``cellcensus``: words in, calls to ``flows``, words and exit codes out."""
