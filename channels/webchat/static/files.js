// What the page says and shows of a file, before and after it is sent.

import { region } from "./words.js";

const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** Say whether every browser shows files of this type. */
export function isPicture(mediaType) {
  return PICTURES.has(mediaType);
}

export function sizeName(bytes) {
  const [unit, size] = bytes < 1e6 ? ["kilobyte", bytes / 1e3] : ["megabyte", bytes / 1e6];
  const shown = size < 10 ? Math.max(0.1, Math.round(size * 10) / 10) : Math.round(size);
  return new Intl.NumberFormat(region, { style: "unit", unit, unitDisplay: "short" }).format(shown);
}
