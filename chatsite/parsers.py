"""Bodies of API requests: JSON objects of a bounded size. Answers are always JSON."""

import json
from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from accounts.refusals import Refused


class BoundedJSONParser(JSONParser):
    """A JSON object in UTF-8 of at most ``body_limit`` bytes, which a view may set; else 1 MiB.

    Refuses ``too_large`` before reading more, and ``invalid`` for anything that is not an object,
    names a member twice or is nested too deeply.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        view = (parser_context or {}).get("view")
        limit = getattr(view, "body_limit", settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise Refused("too_large")
        try:
            value = json.loads(
                body.decode(), parse_constant=_no_constant, object_pairs_hook=_unique
            )
        except (ValueError, RecursionError):
            raise ParseError from None
        if not isinstance(value, dict):
            raise ParseError
        return value


def _no_constant(name: str) -> None:
    raise ValueError


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


class AlwaysFirst(BaseContentNegotiation):
    """There is one form of answer; what the client accepts does not change it."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        sent = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type or "application/json"
