/** How the benchmarks of this browser measure. */

/** How long each run took, by what was done. */
export type Milliseconds = Record<string, number[]>;

export const randomBytes = (size: number): Uint8Array => crypto.getRandomValues(new Uint8Array(size));

export async function times(count: number, work: () => unknown): Promise<number[]> {
  const found: number[] = [];
  for (let run = 0; run < count; run += 1) {
    const began = performance.now();
    await work();
    found.push(performance.now() - began);
  }
  return found;
}
