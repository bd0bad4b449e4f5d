"""What every test stands on: real PostgreSQL, no network, a fixed moment."""

import datetime as dt

import pytest

NOW = dt.datetime(2026, 9, 10, 20, 0, tzinfo=dt.UTC)


@pytest.fixture
def now() -> dt.datetime:
    return NOW
