/** Signed reasons for removing somebody, committed by another device (docs/protocol.md §6.5). */
import {
  EMPTY,
  ID_SIZE,
  SIGNATURE_SIZE,
  SUITE_BYTE,
  lp,
  lpFields,
  u64,
  u8,
  uint,
} from "./encoding";
import { ProtocolError } from "./errors";
import { type DeviceKeys, signAsDevice } from "./identity";
import { sign, verify } from "./primitives";

export const LEAVE = 1;
export const REMOVE_INTENT = 2;
export const SERVER_REMOVE = 3;
/** The reasons of a server-remove. */
export const KEY_WAS_REPLACED = 1;
const LABELS: Readonly<Record<number, string>> = {
  [LEAVE]: "leave",
  [REMOVE_INTENT]: "remove-intent",
  [SERVER_REMOVE]: "server-remove",
};

/** Whose membership a statement is about; joinedEpoch keeps it from being used again. */
export interface Subject {
  readonly room: Uint8Array;
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
  readonly joinedEpoch: number;
}

/** A leave, a remove-intent or a server-remove. */
export interface Statement {
  readonly kind: number;
  readonly signerUser: Uint8Array;
  readonly signerDevice: Uint8Array;
  readonly time: Uint8Array;
  readonly reason: Uint8Array;
  readonly sig: Uint8Array;
}

/** Write what is signed; the server's statement adds time and reason. */
export function encodeSubject(subject: Subject, ...more: readonly Uint8Array[]): Uint8Array {
  const { room, user, amkPub, joinedEpoch } = subject;
  return lp(SUITE_BYTE, room, user, amkPub, u64(joinedEpoch), ...more);
}

/** Write a statement as it stands in a remove operation. */
export function encodeStatement(statement: Statement): Uint8Array {
  const { kind, signerUser, signerDevice, time, reason, sig } = statement;
  return lp(u8(kind), signerUser, signerDevice, time, reason, sig);
}

/** Read a statement; `parse` for another shape. */
export function parseStatement(data: Uint8Array): Statement {
  const sizes = [1, null, null, null, null, SIGNATURE_SIZE] as const;
  const [kind, signerUser, signerDevice, time, reason, sig] = lpFields(data, sizes);
  const expected = uint(kind) === SERVER_REMOVE ? [0, 0, 8, 1] : [ID_SIZE, ID_SIZE, 0, 0];
  const lengths = [signerUser, signerDevice, time, reason].map((field) => field.length);
  if (!(uint(kind) in LABELS) || lengths.some((length, at) => length !== expected[at])) {
    throw new ProtocolError("parse", "not a statement");
  }
  return { kind: uint(kind), signerUser, signerDevice, time, reason, sig };
}

/** Check the signature over this subject; `signature` when it is not the signer's. */
export function verifyStatement(
  statement: Statement,
  subject: Subject,
  signerPub: Uint8Array,
): void {
  const { kind, time, reason, sig } = statement;
  const content =
    kind === SERVER_REMOVE ? encodeSubject(subject, time, reason) : encodeSubject(subject);
  verify(signerPub, LABELS[kind] ?? "", content, sig);
}

/** Say whether a key of the server's signed its word: it has one for each of its logs. */
export function isServersWord(
  statement: Statement,
  subject: Subject,
  serverKeys: readonly Uint8Array[] = [],
): boolean {
  if (statement.kind !== SERVER_REMOVE) return false;
  return serverKeys.some((key) => {
    try {
      verifyStatement(statement, subject, key);
      return true;
    } catch (error) {
      if (error instanceof ProtocolError) return false;
      throw error;
    }
  });
}

/** Say whether the server says that an account was started again under another key. */
export function isStartedAgain({ kind, reason }: Statement): boolean {
  return kind === SERVER_REMOVE && reason[0] === KEY_WAS_REPLACED;
}

/** Declare that the own account leaves; somebody else commits it. */
export async function makeLeave(
  keys: DeviceKeys,
  room: Uint8Array,
  joinedEpoch: number,
): Promise<Statement> {
  const { user, amkPub } = keys;
  return deviceStatement(keys, LEAVE, { room, user, amkPub, joinedEpoch });
}

/** Declare, as an admin, that a member has to go; any member may commit it. */
export async function makeRemoveIntent(keys: DeviceKeys, subject: Subject): Promise<Statement> {
  return deviceStatement(keys, REMOVE_INTENT, subject);
}

async function deviceStatement(
  keys: DeviceKeys,
  kind: number,
  subject: Subject,
): Promise<Statement> {
  const sig = await signAsDevice(keys, LABELS[kind] ?? "", encodeSubject(subject));
  const { user: signerUser, device: signerDevice } = keys;
  return { kind, signerUser, signerDevice, time: EMPTY, reason: EMPTY, sig };
}

/** Declare, as the server, that an account has gone; `time` in ms, `reason` one byte. */
export function makeServerRemove(
  serverSeed: Uint8Array,
  subject: Subject,
  { time, reason }: { time: number; reason: number },
): Statement {
  const when = u64(time);
  const why = u8(reason);
  const sig = sign(serverSeed, "server-remove", encodeSubject(subject, when, why));
  const kind = SERVER_REMOVE;
  return { kind, signerUser: EMPTY, signerDevice: EMPTY, time: when, reason: why, sig };
}
