// The page's words: English in the scripts, looked up in the catalogue that came with the page.

const words = JSON.parse(document.getElementById("words").textContent);

export const language = document.documentElement.lang;

/** Return `english` in the page's language, with {names} filled in. */
export function t(english, values = {}) {
  const text = words[english] || english;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
