"""The life of one socket: opened, watched, closed for a reason, left by its rooms and groups."""

import asyncio
import contextlib
import logging
import time
import uuid
from typing import Any, cast

import orjson
from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from django.db import Error

from accounts.access import device_of
from accounts.models import Device
from accounts.realtime import user_group
from messaging import endings, frames, metrics, runtime, services
from messaging.drain import this_process
from messaging.gate import Admission, person_behind
from messaging.threads import db
from messaging.transport import Send, close, outlet_for

log = logging.getLogger("gamrae.socket")

NOT_SIGNED_IN, TOO_SLOW = 4001, 4008
PROOF_SECONDS = 10.0
SESSION_CHECK_SECONDS = 50.0
CLOSING_SECONDS = 5.0


class DeviceSocket(AsyncConsumer):
    """One open socket of one person, and from its proof on of one device.

    Nothing here waits for another socket, and no event passes through the thread that all requests
    share.
    """

    async def dispatch(self, message: Any) -> None:
        """As Channels does it, without a trip through the shared thread for each event."""
        await getattr(self, get_handler_name(message))(message)

    async def open(self) -> None:
        """Accept what the gate has let through."""
        self.admission: Admission = cast(dict[str, Any], self.scope)["admission"]
        self.user_id: uuid.UUID = self.admission.user.id
        self.device_id: uuid.UUID | None = None
        self.is_over = False
        self.groups: set[str] = set()
        send = cast(Send, self.base_send)
        await send({"type": "websocket.accept"})
        self.outlet = outlet_for(send, too_slow=lambda: self.end(TOO_SLOW))
        this_process().add(self)
        endings.this_process().add(self)
        self.watch = asyncio.create_task(self._watch())
        await self.join_group(user_group(self.user_id))

    async def websocket_disconnect(self, _message: Any) -> None:
        if not self.is_over:
            # Not by its code: the client may name any of thousands.
            metrics.CLOSES.labels("client").inc()
        self.is_over = True
        self.watch.cancel()
        self.outlet.shut()
        this_process().remove(self)
        endings.this_process().remove(self)
        for name in self.groups:
            with contextlib.suppress(Exception):  # a layer that is down has forgotten us anyway
                await self.channel_layer.group_discard(name, self.channel_name)
        await runtime.hub().leave_all(self.outlet)
        raise StopConsumer

    async def person_push(self, message: dict[str, Any]) -> None:
        """News for this person or device; a new room is joined before it is named."""
        frame = message["frame"]
        if self.device_id is None or self.is_over:
            return
        if frame["event"] == "room.added":
            await self.join_rooms([uuid.UUID(frame["room_id"])])
        elif frame["event"] in {"room.removed", "room.deleted"}:
            await runtime.hub().leave(uuid.UUID(frame["room_id"]), self.outlet)
        self.push(orjson.dumps(frame))

    async def session_ended(self, message: dict[str, Any]) -> None:
        """All sessions of the person ended, or the one of this session key or device."""
        own = {
            "session_key": self.admission.session.session_key,
            "device_id": str(self.device_id) if self.device_id else None,
        }
        if all(message.get(name) in (None, value) for name, value in own.items()):
            self.end(NOT_SIGNED_IN)

    async def look_again(self) -> None:
        """See `endings.Socket.look_again`."""
        if not (self.is_over or await self._still_valid()):
            self.end(NOT_SIGNED_IN)

    async def join_rooms(self, room_ids: list[uuid.UUID]) -> None:
        """Get the frames of these rooms, as far as the person is still a member of them."""
        for room_id in room_ids:
            await runtime.hub().join(room_id, self.outlet)
        # Who was removed between the look and the joining was not yet there to be dropped.
        member_of = await services.member_rooms(actor_id=self.user_id)
        for room_id in set(room_ids) - member_of:
            await runtime.hub().leave(room_id, self.outlet)

    async def join_group(self, name: str) -> None:
        """Get what is said to a person or a device."""
        self.groups.add(name)
        await self.channel_layer.group_add(name, self.channel_name)

    def push(self, frame: bytes) -> None:
        """Send a frame, or keep it while the reader is slow."""
        self.outlet.write((frame,))

    def hint(self, within_ms: int) -> None:
        """See `drain.Socket.hint`."""
        self.push(frames.push("reconnect", within_ms=within_ms))

    def end(self, code: int) -> None:
        """Close with this code; what comes after is not read. Safe to call twice."""
        if not self.is_over:
            self.is_over = True
            metrics.CLOSES.labels(code).inc()
            self.closing = asyncio.create_task(self._close(code))

    async def _close(self, code: int) -> None:
        await self.outlet.finish()
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await close(cast(Send, self.base_send), code)
        except TimeoutError:
            self.outlet.abort()
        except Exception as error:  # each server has its own word for "the peer is gone"
            log.debug("code=gone error=%s", type(error).__name__)
        await runtime.hub().leave_all(self.outlet)

    async def _watch(self) -> None:
        """Close a socket that proves nothing in time, or whose session or device has ended."""
        opened = time.monotonic()
        await asyncio.sleep(PROOF_SECONDS)
        if self.device_id is not None:  # opening and proof have just looked at session and device
            await asyncio.sleep(SESSION_CHECK_SECONDS - PROOF_SECONDS)
        while self.device_id is not None and await self._still_valid():
            log.debug("code=still_valid seconds=%d", time.monotonic() - opened)
            await asyncio.sleep(SESSION_CHECK_SECONDS)
        self.end(NOT_SIGNED_IN)

    async def _still_valid(self) -> bool:
        try:
            person = await person_behind(cast(dict[str, Any], self.scope))
            if person is None or person[0].id != self.user_id:
                return False
            if self.device_id is not None:
                await db(device_of)(self.user_id, self.device_id)
        except Device.DoesNotExist:
            return False
        except Error as error:
            log.error("code=session_unchecked error=%s", type(error).__name__)
        return True
