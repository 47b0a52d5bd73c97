"""A server whose wire is under test, whoever wrote it."""

from dataclasses import dataclass


@dataclass
class Served:
    address: str
    services: list  # Full names, besides health and reflection. The first has the largest files.
    frame_time_s: float = 5.0
    unread_time_s: float = 10.0
