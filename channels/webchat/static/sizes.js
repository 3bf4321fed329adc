// How large a file is, in words.

import { language } from "./words.js";

// The page's language in the reader's region: it decides between 13:05 and 1:05 PM, and 1.5 and 1,5.
export const region = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;

export function sizeName(bytes) {
  const [unit, size] = bytes < 1e6 ? ["kilobyte", bytes / 1e3] : ["megabyte", bytes / 1e6];
  const shown = size < 10 ? Math.max(0.1, Math.round(size * 10) / 10) : Math.round(size);
  return new Intl.NumberFormat(region, { style: "unit", unit, unitDisplay: "short" }).format(shown);
}
