// A broadcast with ws and nothing around it: no queue, no checks, one frame made for each socket.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const rooms = new Map();
const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });

server.on("connection", (socket) => {
  let room = new Set();
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.event === "join") {
      room = rooms.get(message.room_id) ?? rooms.set(message.room_id, new Set()).get(message.room_id);
      room.add(socket);
      socket.send('{"event":"joined"}');
      return;
    }
    const text = JSON.stringify({ ...message, accepted_ms: Date.now() });
    for (const each of room) each.send(text);
  });
  socket.on("close", () => room.delete(socket));
});

http.listen(0, "127.0.0.1", () => console.log(`Peer: http://127.0.0.1:${http.address().port}`));
