"""How often a person may ask others to be friends."""

from django.conf import settings

from accounts.throttles import PersonThrottle


class FriendRequestThrottle(PersonThrottle):
    """Counts requests to known and unknown addresses alike."""

    scope = "friend_request"
    methods = frozenset({"POST"})

    def get_rate(self) -> str:
        return f"{settings.LIMIT_FRIEND_REQUESTS_PER_HOUR}/hour"
