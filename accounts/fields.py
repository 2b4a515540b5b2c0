"""Strict JSON for REST: bytes as base64url, ids as lower-case UUIDs, integers that are integers.

A member that no serializer names is refused, so that a misspelt one is noticed by who wrote it.
"""

import uuid
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.protocol import Malformed, from_base64url, to_base64url

MAX_SAFE_INTEGER = 2**53 - 1


@extend_schema_field({"type": "string", "format": "base64url"})
class BytesField(serializers.Field[bytes, str, str, Any]):
    """Canonical base64url without padding; ``exact`` bytes, or ``min`` to ``max``."""

    default_error_messages: ClassVar = {
        "encoding": "Not canonical base64url without padding.",
        "size": "Wrong number of bytes.",
    }

    def __init__(
        self,
        *,
        exact: int | None = None,
        min: int = 0,  # noqa: A002
        max: int | None = None,  # noqa: A002
        **options: Any,
    ) -> None:
        self.smallest = min if exact is None else exact
        self.largest = max if exact is None else exact
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> bytes:
        if not isinstance(data, str) or not data.isascii():
            self.fail("encoding")
        if self.largest is not None and len(data) > self.largest * 4 // 3 + 3:
            self.fail("size")
        try:
            value = from_base64url(data)
        except Malformed:
            self.fail("encoding")
        if len(value) < self.smallest or (self.largest is not None and len(value) > self.largest):
            self.fail("size")
        return value

    def to_representation(self, value: bytes) -> str:
        return to_base64url(bytes(value))


@extend_schema_field({"type": "string", "format": "uuid"})
class IdField(serializers.Field[uuid.UUID, str, str, Any]):
    """An id: 16 bytes as a lower-case UUID, and no other spelling of it."""

    default_error_messages: ClassVar = {"id": "Not a lower-case UUID."}

    def to_internal_value(self, data: Any) -> uuid.UUID:
        try:
            value = uuid.UUID(data) if isinstance(data, str) else None
        except ValueError:
            value = None
        if value is None or str(value) != data:
            self.fail("id")
        return value

    def to_representation(self, value: uuid.UUID) -> str:
        return str(value)


@extend_schema_field({"type": "integer", "format": "int64"})
class WholeField(serializers.Field[int, int, int, Any]):
    """A JSON integer from ``min`` (0) to ``max`` (2^53 - 1); no string, fraction or boolean."""

    default_error_messages: ClassVar = {"integer": "Not an integer in range."}

    def __init__(
        self,
        *,
        min: int = 0,  # noqa: A002
        max: int = MAX_SAFE_INTEGER,  # noqa: A002
        **options: Any,
    ) -> None:
        self.smallest, self.largest = min, max
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int or not self.smallest <= data <= self.largest:
            self.fail("integer")
        return int(data)

    def to_representation(self, value: int) -> int:
        return int(value)


class ShortListField(serializers.ListField):
    """A JSON array; one of more than ``max_length`` members is refused before any is read.

    The library looks at every member first and says of each what is wrong with it, so that one
    body full of them costs minutes and an answer of a hundred megabytes.
    """

    def __init__(self, *, max_length: int, **options: Any) -> None:
        self.longest = max_length
        super().__init__(max_length=max_length, **options)

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and len(data) > self.longest:
            self.fail("max_length", max_length=self.longest)
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """A JSON string; numbers are not quietly turned into one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses members it does not name."""

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        writable = {name for name, field in self.fields.items() if not field.read_only}
        unknown = sorted(str(name) for name in set(data) - writable)
        if unknown:
            raise serializers.ValidationError({name: ["Unknown member."] for name in unknown[:10]})
        return values
