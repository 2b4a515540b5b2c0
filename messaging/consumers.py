"""The chat socket: one method for each event of `frames.FROM_CLIENT`: parse, ask, answer."""

import logging
import os
import time
from typing import Any

from django.conf import settings
from django.db import Error

from accounts.protocol import to_base64url
from accounts.refusals import DeviceProof, DeviceRequired, Refused
from accounts.services import verify_device_proof
from messaging import frames, metrics, runtime, services
from messaging.device_socket import DeviceSocket
from messaging.fanout.devices import device_group
from messaging.frames import Request, Unreadable
from messaging.limits import TokenBucket
from messaging.pages import sync_page
from messaging.threads import db

log = logging.getLogger("gamrae.socket")

PROTOCOL_ERRORS, TOO_LARGE, TOO_MANY_FRAMES = 1008, 1009, 4029
PROTOCOL_ERRORS_UNTIL_CLOSED = 3


class ChatConsumer(DeviceSocket):
    """Reads the frames of one socket, one after the other."""

    async def websocket_connect(self, _message: Any) -> None:
        self.nonce: bytes | None = os.urandom(32)
        self.bucket = TokenBucket()
        self.protocol_errors = 0
        await self.open()
        nonce, origin = to_base64url(self.nonce), self.admission.origin
        self.push(frames.push("hello", nonce=nonce, origin=origin, now_ms=_now_ms()))

    async def websocket_receive(self, message: Any) -> None:
        text = message.get("text")
        if self.is_over:
            return
        if not self.bucket.take():
            self.end(TOO_MANY_FRAMES)
        elif text is not None and len(text.encode()) > settings.LIMIT_FRAME_BYTES:
            self.end(TOO_LARGE)
        else:
            await self._answer(text)

    async def _answer(self, text: str | None) -> None:
        ref = None
        try:
            request = frames.parse_frame(text)
            ref = request.ref
            if self.device_id is None and request.event != "device.prove":
                raise DeviceRequired
            await getattr(self, "on_" + request.event.replace(".", "_"))(request)
        except Unreadable as refused:
            self._refuse_unreadable(refused)
        except Refused as refused:
            self.push(frames.error(ref, refused.code, refused.extra.get("retry_after_ms")))
        except Error as error:
            log.error("code=unavailable user=%s error=%s", self.user_id, type(error).__name__)
            self.push(frames.error(ref, "unavailable", 1000))

    def _refuse_unreadable(self, refused: Unreadable) -> None:
        self.push(frames.error(refused.ref, refused.code))
        self.protocol_errors += refused.code == "protocol"
        if self.protocol_errors == PROTOCOL_ERRORS_UNTIL_CLOSED:
            self.end(PROTOCOL_ERRORS)

    async def on_device_prove(self, request: Request) -> None:
        nonce, self.nonce = self.nonce, None  # one try, then a new socket
        if nonce is None:
            raise DeviceProof
        device = await db(verify_device_proof)(
            self.admission.user,
            request.members["device_id"],
            nonce,
            request.members["signature"],
            self.admission.origin,
        )
        self.outlet.user_id = self.user_id
        await self.join_group(device_group(device.id))
        await self.join_rooms(list(await services.member_rooms(actor_id=self.user_id)))
        self.device_id = device.id
        self._reply(request, user_id=self.user_id, device_id=device.id)

    async def on_message_send(self, request: Request) -> None:
        assert self.device_id is not None  # noqa: S101 (see _answer)
        accepted = await services.send_message(
            actor_id=self.user_id, device_id=self.device_id, **request.members
        )
        members = {
            "state": accepted.state,
            "room_id": request.members["room_id"],
            "message_id": accepted.message_id,
            "accepted_ms": accepted.accepted_ms,
            "key_id": accepted.key_id,
            "stamp": to_base64url(accepted.stamp),
        }
        self._reply(request, **members, **({"seq": accepted.seq} if accepted.seq else {}))

    async def on_sync(self, request: Request) -> None:
        with metrics.SYNC_SECONDS.time():
            await self._send_pages(request)

    async def _send_pages(self, request: Request) -> None:
        cursors = request.members["rooms"]
        async for page in services.read_news(actor_id=self.user_id, cursors=cursors):
            self.push(sync_page(page))
            await self.outlet.calm()  # only for its own pages does a slow reader wait
        self._reply(request, rooms=len(cursors))

    async def on_heads(self, request: Request) -> None:
        heads = await services.heads(actor_id=self.user_id)
        runtime.hub().compare({room: seq for room, (seq, _) in heads.items()})
        rooms = {str(room): {"seq": seq, "epoch": epoch} for room, (seq, epoch) in heads.items()}
        self._reply(request, rooms=rooms)

    async def on_cursor_move(self, request: Request) -> None:
        assert self.device_id is not None  # noqa: S101 (see _answer)
        delivered_to, read_to = await services.move_cursor(
            actor_id=self.user_id, device_id=self.device_id, **request.members
        )
        self._reply(request, delivered_to=delivered_to, read_to=read_to)

    async def on_ping(self, request: Request) -> None:
        self._reply(request, t=request.members["t"], now_ms=_now_ms())

    def _reply(self, request: Request, **members: Any) -> None:
        self.push(frames.reply(request.ref, **members))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
