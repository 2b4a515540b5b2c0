"""Everybody asks for everything. The routes come from the URLconf, the answers from the table."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from rest_framework.views import APIView

from tests.authorization.table import ACTORS, Row, every_row
from tests.cast import JSON, Cast

# Hundreds of cells: seconds, not minutes, but not for --fast.
pytestmark = pytest.mark.slow

METHODS = ("get", "post", "put", "patch", "delete")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
ROWS = every_row()


class Anything(dict[str, str]):
    """Fills every name of a path, so that a row's route is found without its scene."""

    def __missing__(self, name: str) -> str:
        return "00000000-0000-4000-8000-000000000000"


def patterns(found: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in found:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern.url_patterns, route)
        else:
            yield route, pattern


def api_routes() -> set[tuple[str, str]]:
    """(METHOD, route) of everything under /api/ that a view answers."""
    views = {
        route: getattr(pattern.callback, "cls", None)
        for route, pattern in patterns(get_resolver().url_patterns)
        if route.startswith("api/") and route != "api/<path:rest>"
    }
    assert all(isinstance(view, type) and issubclass(view, APIView) for view in views.values())
    return {
        (method.upper(), route)
        for route, view in views.items()
        for method in METHODS
        if hasattr(view, method)
    }


def route_of(row: Row) -> tuple[str, str]:
    return row.method, resolve(row.path.format_map(Anything())).route


def ask(row: Row, actor: str, cast: Cast, client: Client) -> Any:
    scene = row.scene(cast)
    body = row.body(scene, actor) if row.body else {}
    path = row.path.format_map(scene)
    return client.generic(row.method, path, json.dumps(body).encode(), JSON)


def client_of(row: Row, actor: str, cast: Cast) -> Client:
    if actor == "anonymous":
        return Client()
    return cast[actor].prove().client if row.device else cast[actor].client


def test_every_route_has_a_row_and_every_row_a_route():
    assert {route_of(row) for row in ROWS} == api_routes()


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_everybody_gets_the_answer_the_table_names(row, actor, cast):
    answer = ask(row, actor, cast, client_of(row, actor, cast))

    assert answer.status_code == row.statuses[ACTORS.index(actor)], answer.content


@pytest.mark.parametrize("row", [row for row in ROWS if row.method in UNSAFE], ids=str)
def test_nothing_is_changed_by_a_page_of_somebody_else(row, cast):
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(cast.alice.user)

    answer = ask(row, "alice", cast, forged)

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("row", [row for row in ROWS if "401" in str(row.statuses)], ids=str)
def test_a_suspended_person_gets_nothing(row, cast):
    cast.alice.user.suspended_at = cast.alice.user.created_at
    cast.alice.user.save()

    answer = ask(row, "alice", cast, cast.alice.client)

    assert (answer.status_code, answer.json()["code"]) == (403, "suspended")
