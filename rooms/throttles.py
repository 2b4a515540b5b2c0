"""How often a person may begin a room."""

from accounts.throttles import PersonThrottle


class NewRoomThrottle(PersonThrottle):
    """A friend of many could otherwise fill their lists, and the database."""

    scope = "new_room"
    rate = "60/hour"
    methods = frozenset({"POST"})
