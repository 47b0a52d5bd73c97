"""Ids of changes: UUIDv7, 16 bytes. The caller makes them."""

import os
import time


def new_id():
    now_ms = time.time_ns() // 1_000_000
    value = (now_ms << 80) | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | (7 << 76)  # The version,
    value = value & ~(0b11 << 62) | (0b10 << 62)  # and the variant.
    return value.to_bytes(16, "big")
