// What every dialect is made of: elements, links, line breaks, mentions, and a finder of code spans.

// Deeper nesting is shown flat: deep enough for any message, shallow enough for the browser's layout.
export const DEEPEST = 16;

const LINKABLE = /^(?:https?:\/\/|mailto:)[^\s\p{Cc}]+$/iu;
const BARE = /https?:\/\/[^\s<>[\]`"|\p{Cc}]+/iuy;
const ENTITY = /&(?:#[xX]([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-zA-Z][a-zA-Z0-9]{1,31}));/y;

const NAMED = new Map();

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

export function linkable(address) {
  return LINKABLE.test(address);
}

// Callers have asked `linkable` first.
export function link(address, ...children) {
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

export function mention(name) {
  return element("span", { class: "mention" }, name);
}

export function heading(level, children) {
  return element("p", { class: `heading h${level}`, role: "heading", "aria-level": level + 2 }, ...children);
}

export function fence(text, language) {
  return element("pre", { tabindex: 0 }, element("code", { "data-language": language || undefined }, text));
}

// Text nodes with a line break for every newline.
export function broken(text) {
  const made = [];
  text.split("\n").forEach((line, index) => {
    if (index) made.push(element("br"));
    if (line) made.push(line);
  });
  return made;
}

// The web address that starts exactly at `at`, without the punctuation that belongs to the sentence around it; or "".
export function bareAddress(text, at) {
  BARE.lastIndex = at;
  const found = BARE.exec(text);
  if (!found || (at && /[\p{L}\p{N}_]/u.test(text[at - 1]))) return "";
  let address = found[0];
  let open = 0;
  for (const char of address) open += char === "(" ? 1 : char === ")" ? -1 : 0;
  for (;;) {
    const last = address.at(-1);
    if (last === ")" && open < 0) open += 1;
    else if (!/[?!.,:;*_~'|]/.test(last)) break;
    address = address.slice(0, -1);
  }
  return /^https?:\/\/.+/i.test(address) ? address : "";
}

// The character that an entity at `at` stands for, with its length in the source; or null. HTML's own names all work.
export function entity(text, at) {
  ENTITY.lastIndex = at;
  const found = ENTITY.exec(text);
  if (!found) return null;
  const [source, hex, decimal, name] = found;
  if (name) {
    // Nothing but "&", letters, digits and ";" gets here, so there is no markup to parse.
    if (!NAMED.has(source)) NAMED.set(source, new DOMParser().parseFromString(source, "text/html").documentElement.textContent);
    const decoded = NAMED.get(source);
    return decoded.includes(";") ? null : { text: decoded, length: source.length };
  }
  const code = hex ? parseInt(hex, 16) : parseInt(decimal, 10);
  const valid = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return { text: valid ? String.fromCodePoint(code) : "\ufffd", length: source.length };
}

export function decode(text) {
  if (!text.includes("&")) return text;
  let made = "";
  for (let at = 0; at < text.length; ) {
    const found = text[at] === "&" ? entity(text, at) : null;
    made += found ? found.text : text[at];
    at += found ? found.length : 1;
  }
  return made;
}

// Finds where a code span ends. All runs of backticks are looked up once, so that unclosed ones cost nothing more.
export class Ticks {
  constructor(text) {
    this.starts = new Map();
    for (const run of text.matchAll(/`+/g)) {
      if (!this.starts.has(run[0].length)) this.starts.set(run[0].length, []);
      this.starts.get(run[0].length).push(run.index);
    }
  }

  // Start of the first run of exactly `length` backticks at or after `from`, or -1.
  next(length, from) {
    const starts = this.starts.get(length) ?? [];
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] < from) low = middle + 1;
      else high = middle;
    }
    return low < starts.length ? starts[low] : -1;
  }
}

export function runLength(text, at) {
  let end = at;
  while (end < text.length && text[end] === text[at]) end += 1;
  return end - at;
}
