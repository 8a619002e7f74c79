"""What a worker of a pool does in the measurement of overhead."""

import time


def nap(seconds: float) -> None:
    """Import what a real worker imports, and sleep."""
    import pipeline.ingest  # noqa: F401

    time.sleep(seconds)
