"""A query of the hot path, made into SQL once: Django takes longer to write it than to run it."""

import uuid
from collections.abc import Callable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet, UUIDField

Row = tuple[Any, ...]
ID = UUIDField()


class PreparedQuery:
    """``make`` gives the query for its ids, which may be nothing but compared with.

    It is called once for each kind of database, with ids that are nobody's, whose places are then
    those of the ids asked for. Rows are as the database gives them.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Any]], ids: int) -> None:
        self._make = make
        self._stand_ins = [uuid.uuid4() for _ in range(ids)]
        self._made: dict[str, tuple[str, Row]] = {}

    def first(self, *ids: uuid.UUID) -> Row | None:
        """The first row for these ids."""
        connection = connections[DEFAULT_DB_ALIAS]
        sql, places = self._made.get(connection.vendor) or self._compile()
        given = {
            stand_in: ID.get_db_prep_value(own, connection)
            for stand_in, own in zip(self._stand_ins, ids, strict=True)
        }
        with connection.cursor() as cursor:
            cursor.execute(sql, [given.get(place, place) for place in places])
            row: Row | None = cursor.fetchone()
        return row

    def _compile(self) -> tuple[str, Row]:
        connection = connections[DEFAULT_DB_ALIAS]
        query = self._make(*self._stand_ins)[:1].query
        sql, params = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
        adapted = {ID.get_db_prep_value(each, connection): each for each in self._stand_ins}
        places = tuple(adapted.get(param, param) for param in params)
        if not set(self._stand_ins) <= set(places):
            raise AssertionError("an id has no place of its own in the query")
        self._made[connection.vendor] = sql, places
        return sql, places
