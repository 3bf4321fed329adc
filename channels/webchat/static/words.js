// The page's words: English in the scripts, looked up in the catalogue that came with the page.

const words = JSON.parse(document.getElementById("words").textContent);

export const language = document.documentElement.lang;

// The language in the reader's region: it decides between 13:05 and 1:05 PM, and 1.5 and 1,5.
export const region = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;

/** Return `english` in the page's language, with {names} filled in. */
export function t(english, values = {}) {
  const text = words[english] || english;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
