// Writes what the durable socket.io peer has accepted into MongoDB, 200 at a time.
import amqp from "amqplib";
import { MongoClient } from "mongodb";

const QUEUE = "peer.messages.durable";
const BATCH = 200;
const BATCH_MS = 20;
const mongo = new MongoClient(process.env.MONGO_URL);
const rows = mongo.db().collection("peer_messages");
const connection = await amqp.connect(process.env.BROKER_URL);
const channel = await connection.createChannel();
await channel.assertQueue(QUEUE, { durable: true, arguments: { "x-queue-type": "quorum" } });
await channel.prefetch(2 * BATCH);

let waiting = [];
let isWriting = false;

async function write() {
  if (isWriting || waiting.length === 0) return;
  isWriting = true;
  const batch = waiting.splice(0, BATCH);
  await rows.insertMany(batch.map((each) => JSON.parse(each.content.toString())));
  channel.ack(batch.at(-1), true);
  isWriting = false;
  if (waiting.length >= BATCH) await write();
}

await channel.consume(QUEUE, (message) => {
  waiting.push(message);
  if (waiting.length === BATCH) void write();
});
setInterval(() => void write(), BATCH_MS);
console.log("Peer: writing");
