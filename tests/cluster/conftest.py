"""The services for all these tests, and a name of this run in them."""

import uuid

import pytest

from tests.cluster.own_services import services_of_this_run


@pytest.fixture(scope="session")
def addresses(tmp_path_factory):
    with services_of_this_run(tmp_path_factory.mktemp("services")) as settings:
        yield settings


@pytest.fixture(scope="session")
def namespace():
    """What tells the queues and collections of this run from those of another."""
    return f"test{uuid.uuid4().hex[:8]}"
