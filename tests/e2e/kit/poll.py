"""Waiting for something that can be observed. The only place in the suite that lets time pass."""

import asyncio
import time

LOOK_EVERY_S = 0.01


async def until(condition, what, within=10.0):
    """Returns the first true value of condition(), which may be a coroutine function. Names what never came."""
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within:g} s")
        await asyncio.sleep(LOOK_EVERY_S)
