"""What the tests under fire share. `--long` makes them as long as a night."""

import pytest


@pytest.fixture(scope="session")
def effort(request):
    """What a count of rounds is multiplied by."""
    return 20 if request.config.getoption("--long") else 1
