/**
 * Lets a test page judge this browser by the vectors: sets `runVector`, and does nothing by itself.
 * No page of the application loads it.
 */
import { runVector } from "../crypto/vector_runner";

declare global {
  var runVector: typeof import("../crypto/vector_runner").runVector;
}

globalThis.runVector = runVector;
