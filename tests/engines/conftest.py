"""What the tests of engines share: each of them starts processes, so all are marked."""

from pathlib import Path
from secrets import token_hex

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Mark all tests of this folder."""
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.engines)


@pytest.fixture(scope="session", autouse=True)
def _token_of_ray():
    """Give Ray a token, which it reads once in a process and would keep in the home folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_TOKEN", token_hex(32))
        yield
