/**
 * Reading a QR code off a photo that the person takes: the page itself never sees the camera, which
 * its headers forbid. Only where the browser reads codes by itself; typing works everywhere.
 */

interface Detector {
  detect(image: ImageBitmapSource): Promise<{ rawValue: string }[]>;
}

type Detectors = new (options: { formats: string[] }) => Detector;

function detectors(): Detectors | undefined {
  return (globalThis as { BarcodeDetector?: Detectors }).BarcodeDetector;
}

/** Say whether this browser reads codes. */
export function canReadPhotos(): boolean {
  return detectors() !== undefined;
}

/** The text of the first code on a photo; null when there is none, or it is no picture. */
export async function codeOnPhoto(photo: Blob): Promise<string | null> {
  const Known = detectors();
  if (Known === undefined) return null;
  try {
    const image = await createImageBitmap(photo);
    const [code] = await new Known({ formats: ["qr_code"] }).detect(image);
    image.close();
    return code?.rawValue ?? null;
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}
