"""Each client test runs against our server and, to check the test itself, a stock redis-server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests._resp import RespClient

if TYPE_CHECKING:
    from tests._servers import Server


@pytest.fixture(params=["trioredis", "redis"])
def server(request: pytest.FixtureRequest) -> Server:
    """Return a server without keys."""
    found: Server = request.getfixturevalue(f"{request.param}_server")
    with RespClient(found.address) as client:
        client.call("FLUSHALL")
    return found
