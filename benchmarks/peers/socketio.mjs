// A chat server with socket.io and amqplib: what Gamrae's web process does, without its checks.
//
// A message is put on a queue and emitted to its room; nobody is told whether the queue has it.
// With DURABLE=1 it is persistent, in a quorum queue, and emitted and acknowledged only after the
// broker's confirm; writer.mjs takes it from there.
import { createServer } from "node:http";
import amqp from "amqplib";
import { Server } from "socket.io";

const QUEUE = "peer.messages";
const durable = process.env.DURABLE === "1";
const connection = await amqp.connect(process.env.BROKER_URL);
const channel = durable ? await connection.createConfirmChannel() : await connection.createChannel();
if (durable) {
  await channel.assertQueue(`${QUEUE}.durable`, { durable: true, arguments: { "x-queue-type": "quorum" } });
} else {
  // Nobody takes from it, as nobody is promised anything; it must not grow either.
  await channel.assertQueue(QUEUE, { durable: false, maxLength: 10_000 });
}

const http = createServer();
const io = new Server(http, { serveClient: false, transports: ["websocket"], perMessageDeflate: false });

io.on("connection", (socket) => {
  socket.on("join", (room) => {
    socket.join(room);
    socket.emit("joined");
  });
  socket.on("message", durable ? confirmed : emitted);
});

function emitted(message) {
  const accepted = { ...message, accepted_ms: Date.now() };
  channel.sendToQueue(QUEUE, Buffer.from(JSON.stringify(accepted)));
  io.to(message.room_id).emit("message", accepted);
}

function confirmed(message, answer) {
  const accepted = { ...message, accepted_ms: Date.now() };
  const body = Buffer.from(JSON.stringify(accepted));
  channel.sendToQueue(`${QUEUE}.durable`, body, { persistent: true }, (refused) => {
    if (refused) return;
    answer("accepted");
    io.to(message.room_id).emit("message", accepted);
  });
}

http.listen(0, "127.0.0.1", () => console.log(`Peer: http://127.0.0.1:${http.address().port}`));
