"""Measure how long something takes, on machines that do other things, too."""

import time


def least_seconds(call, enough):
    """CPU seconds of a call: the least of three, or the first below `enough`."""
    least = float("inf")
    for _ in range(3):
        started = time.process_time()
        call()
        least = min(least, time.process_time() - started)
        if least < enough:
            break
    return least
