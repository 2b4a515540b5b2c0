/**
 * Sealing of everything sensitive that IndexedDB keeps: AES-256-GCM under a key that the browser
 * never gives out. Whoever copies the profile's files without the browser's key store gets bytes.
 */
import { decodeBase64url, encodeBase64url, utf8 } from "../../crypto/encoding";

/** A sealed value, bound to its place: it opens nowhere else. */
export interface Sealed {
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly data: Uint8Array<ArrayBuffer>;
}

const DECODER = new TextDecoder("utf-8", { fatal: true });

function toPlain(_name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: encodeBase64url(value) };
  if (value instanceof Map) return { $map: [...(value as Map<unknown, unknown>)] };
  return value;
}

function fromPlain(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("$bytes" in value) return decodeBase64url(value.$bytes as string);
  if ("$map" in value) return new Map(value.$map as [unknown, unknown][]);
  return value;
}

/** Write plain data (byte arrays and maps included) as JSON. */
export function encodeValue(value: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(utf8(JSON.stringify(value, toPlain)));
}

/** Read what `encodeValue` wrote. */
export function decodeValue(data: Uint8Array): unknown {
  return JSON.parse(DECODER.decode(data), fromPlain);
}

/** Seals and opens values for named places. */
export class Vault {
  constructor(private readonly key: CryptoKey) {}

  /** Make the key of a new store. */
  static newKey(): Promise<CryptoKey> {
    return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, [
      "encrypt",
      "decrypt",
    ]);
  }

  /** Seal a value for one place, such as "rooms/<id>". */
  async seal(place: string, value: unknown): Promise<Sealed> {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const algorithm = { name: "AES-GCM", iv, additionalData: new Uint8Array(utf8(place)) };
    const data = await crypto.subtle.encrypt(algorithm, this.key, encodeValue(value));
    return { iv, data: new Uint8Array(data) };
  }

  /** Open a value; OperationError when it was changed or belongs to another place. */
  async open<T>(place: string, { iv, data }: Sealed): Promise<T> {
    const algorithm = { name: "AES-GCM", iv, additionalData: new Uint8Array(utf8(place)) };
    const opened = await crypto.subtle.decrypt(algorithm, this.key, data);
    return decodeValue(new Uint8Array(opened)) as T;
  }
}
