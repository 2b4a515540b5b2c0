/**
 * Files: sealed in chunks, hashed whole, described inside a message (docs/protocol.md §8.8).
 *
 * Nothing here holds a file: a sealer, a checker and an opener take pieces of any length.
 */
import sodium, { type StateAddress } from "libsodium-wrappers-sumo";
import { EMPTY, KEY_SIZE, concat } from "./encoding";
import { ProtocolError } from "./errors";
import { type Random, same, systemRandom } from "./primitives";

const CHUNK = 65_536;
const OVERHEAD = 17;
const HEADER = 24;
const TAG_MESSAGE = 0;
const TAG_FINAL = 3;
const MAX_LENGTH = 2 ** 40;

/** What opens a sealed file: its key, the hash and size of all sealed bytes, its length. */
export interface FileSeal {
  readonly key: Uint8Array;
  readonly hash: Uint8Array;
  readonly size: number;
  readonly length: number;
}

function required(condition: boolean, why: string): void {
  if (!condition) throw new ProtocolError("file", why);
}

/** Give the padded length, at most 12 % more, so that sizes say little (PURBs, §4). */
export function padme(length: number): number {
  if (length < 2) return length;
  // Arithmetic on doubles: bitwise operators stop at 32 bits, logarithms round.
  const exponent = length.toString(2).length - 1;
  const step = 2 ** (exponent - exponent.toString(2).length);
  return Math.ceil(length / step) * step;
}

/** Give the number of sealed bytes of a file of this length. */
export function sealedSize(length: number): number {
  const padded = padme(length);
  return HEADER + padded + OVERHEAD * Math.max(1, Math.ceil(padded / CHUNK));
}

/** Cut whole chunks off. Something stays back always: the last chunk shows only at the end. */
function chunksOf(waiting: Uint8Array, size: number): [Uint8Array[], Uint8Array] {
  const whole = Math.floor(Math.max(0, waiting.length - 1) / size);
  const cut = Array.from({ length: whole }, (_, at) => waiting.slice(at * size, (at + 1) * size));
  return [cut, waiting.slice(whole * size)];
}

class Hash {
  private readonly state: StateAddress = sodium.crypto_generichash_init(null, 32);

  update(data: Uint8Array): void {
    sodium.crypto_generichash_update(this.state, data);
  }

  final(): Uint8Array {
    return sodium.crypto_generichash_final(this.state, 32);
  }
}

/** Seals a file of a known length; each has a key of its own. */
export class FileSealer {
  private readonly key: Uint8Array;
  private readonly state: StateAddress;
  private readonly hash = new Hash();
  private header: Uint8Array;
  private taken = 0;
  private waiting: Uint8Array = EMPTY;

  constructor(
    private readonly length: number,
    random: Random = systemRandom,
  ) {
    if (!Number.isSafeInteger(length) || length < 0 || length > MAX_LENGTH) {
      throw new RangeError("a file has a length up to 2^40");
    }
    this.key = random(KEY_SIZE);
    const begun = sodium.crypto_secretstream_xchacha20poly1305_init_push(this.key);
    this.state = begun.state;
    this.header = begun.header;
  }

  /** Take the next bytes of the file; gives sealed bytes to pass on. */
  push(piece: Uint8Array): Uint8Array {
    this.taken += piece.length;
    if (this.taken > this.length) throw new RangeError("more bytes than the file was said to have");
    const [chunks, rest] = chunksOf(concat(this.waiting, piece), CHUNK);
    this.waiting = rest;
    return this.out(chunks.map((chunk) => this.seal(chunk, TAG_MESSAGE)));
  }

  /** Seal the rest with its padding: the last sealed bytes, and what opens the file. */
  finish(): { sealed: Uint8Array; seal: FileSeal } {
    const { key, length } = this;
    if (this.taken !== length) throw new RangeError("fewer bytes than the file was said to have");
    const padding = new Uint8Array(padme(length) - length);
    const [chunks, rest] = chunksOf(concat(this.waiting, padding), CHUNK);
    const sealed = chunks.map((chunk) => this.seal(chunk, TAG_MESSAGE));
    const last = this.out([...sealed, this.seal(rest, TAG_FINAL)]);
    const seal = { key, hash: this.hash.final(), size: sealedSize(length), length };
    return { sealed: last, seal };
  }

  private seal(chunk: Uint8Array, tag: number): Uint8Array {
    return sodium.crypto_secretstream_xchacha20poly1305_push(this.state, chunk, null, tag);
  }

  private out(sealed: readonly Uint8Array[]): Uint8Array {
    const joined = concat(this.header, ...sealed);
    this.header = EMPTY;
    this.hash.update(joined);
    return joined;
  }
}

/** Compares all sealed bytes with size and hash, before one of them is opened. */
export class FileChecker {
  private readonly hash: Hash;
  private size = 0;

  constructor(
    private readonly seal: FileSeal,
    { limit }: { limit: number },
  ) {
    required(seal.length >= 0 && seal.length <= MAX_LENGTH, "a length out of range");
    required(seal.size === sealedSize(seal.length), "a size that is not the length's");
    required(seal.size <= limit, "a file that is too large");
    this.hash = new Hash();
  }

  /** Take the next sealed bytes; `file` as soon as there are too many. */
  push(piece: Uint8Array): void {
    this.size += piece.length;
    required(this.size <= this.seal.size, "more bytes than the file has");
    this.hash.update(piece);
  }

  /** Give the opener of the bytes that were checked; `file` when they are not the ones. */
  finish(): FileOpener {
    required(this.size === this.seal.size, "fewer bytes than the file has");
    required(same(this.hash.final(), this.seal.hash), "other bytes than the file's");
    return new FileOpener(this.seal);
  }
}

/**
 * Opens a file that was checked; comes only from a checker.
 *
 * It is given the bytes again, from a place that others may have written to meanwhile, so it
 * checks them again: what it gave is worth something only when `finish` has returned.
 */
export class FileOpener {
  private readonly hash = new Hash();
  private state: StateAddress | null = null;
  private waiting: Uint8Array = EMPTY;
  private padded = 0;
  private given = 0;

  constructor(private readonly seal: FileSeal) {}

  /** Take the next sealed bytes; gives opened ones. */
  push(piece: Uint8Array): Uint8Array {
    this.hash.update(piece);
    this.waiting = concat(this.waiting, piece);
    if (this.state === null) {
      if (this.waiting.length < HEADER) return EMPTY;
      const header = this.waiting.slice(0, HEADER);
      this.state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(header, this.seal.key);
      this.waiting = this.waiting.slice(HEADER);
    }
    const [chunks, rest] = chunksOf(this.waiting, CHUNK + OVERHEAD);
    this.waiting = rest;
    return concat(...chunks.map((chunk) => this.open(chunk, TAG_MESSAGE)));
  }

  /** Open the last chunk; `file` when anything is not as it was checked. */
  finish(): Uint8Array {
    const opened = this.open(this.waiting, TAG_FINAL);
    required(this.padded === padme(this.seal.length), "another padded length");
    required(same(this.hash.final(), this.seal.hash), "other bytes than were checked");
    return opened;
  }

  private open(chunk: Uint8Array, wanted: number): Uint8Array {
    const { state } = this;
    if (state === null || chunk.length < OVERHEAD) {
      throw new ProtocolError("file", "shorter than its header and tag");
    }
    const pulled = sodium.crypto_secretstream_xchacha20poly1305_pull(state, chunk, null);
    if (pulled === false) throw new ProtocolError("file", "a chunk does not open");
    required(pulled.tag === wanted, "a chunk with another tag");
    this.padded += pulled.message.length;
    return this.withoutPadding(pulled.message);
  }

  private withoutPadding(opened: Uint8Array): Uint8Array {
    const content = opened.slice(0, Math.max(0, this.seal.length - this.given));
    required(
      opened.subarray(content.length).every((byte) => byte === 0),
      "padding that is not zero",
    );
    this.given += content.length;
    return content;
  }
}

/** Check and open a file that is in memory anyway. */
export function openFile(
  seal: FileSeal,
  pieces: readonly Uint8Array[],
  options: { limit: number },
): Uint8Array {
  const checker = new FileChecker(seal, options);
  for (const piece of pieces) checker.push(piece);
  const opener = checker.finish();
  const opened = pieces.map((piece) => opener.push(piece));
  return concat(...opened, opener.finish());
}
