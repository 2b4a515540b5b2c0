"""What is counted while Redis is away."""

import pytest
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts.throttles import PersonThrottle
from chatsite import cache as chatsite_cache
from chatsite.cache import SharedCache
from tests.e2e.site import free_port


@pytest.fixture
def cache(monkeypatch):
    """A cache whose Redis refuses connections."""
    monkeypatch.setattr(chatsite_cache, "_rest", chatsite_cache._Rest())
    made = SharedCache(f"redis://127.0.0.1:{free_port()}/0", {})
    made.clear()
    yield made
    made.clear()


def test_what_is_kept_is_found_again(cache):
    cache.set("a", 1)

    assert (cache.get("a"), cache.get("b", 2), cache.has_key("a")) == (1, 2, True)
    assert cache.get_many(iter(["a", "b"])) == {"a": 1}
    assert (cache.add("a", 3), cache.touch("a"), cache.delete("a"), cache.get("a")) == (
        False,
        True,
        True,
        None,
    )


def test_a_count_goes_on_in_another_thread_of_the_process(cache):
    assert cache.incr("n") == 1

    assert SharedCache(f"redis://127.0.0.1:{free_port()}/0", {}).incr("n") == 2


def test_redis_is_asked_once_a_second_and_not_by_every_request(cache, caplog):
    for _ in range(20):
        cache.get("a")

    assert len([record for record in caplog.records if "cache_unavailable" in record.message]) <= 2


def test_a_limit_still_holds(cache, alice, mallory, monkeypatch):
    class TwoAnHour(PersonThrottle):
        scope, rate = "test", "2/hour"

    monkeypatch.setattr(TwoAnHour, "cache", cache)

    def may(person):
        request = APIRequestFactory().get("/")
        request.user = person.user
        return TwoAnHour().allow_request(request, APIView())

    assert [may(alice), may(alice), may(alice)] == [True, True, False]
    assert may(mallory)
