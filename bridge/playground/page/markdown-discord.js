// Discord's dialect: headings 1 to 3, small print, lists, quotes, fences anywhere, underline, spoilers, masked links. What it
// does not know (tables, deeper headings, images, rules, HTML) stays as it was written.
//
// A marker pairs with the next one of its kind, so that what is unclosed is plain text.

import { DEEPEST, Ticks, bareAddress, broken, element, fence, heading, link, linkable, mention, runLength } from "/page/markdown-nodes.js";

const HEADING = /^ *(#{1,3})[ \t]+(?=\S)(.*)$/;
const SMALL = /^ *-#[ \t]+(?=\S)(.*)$/;
const ITEM = /^( *)([-*]|(\d{1,9})\.)[ \t]+(?=\S)(.*)$/;
const LANGUAGE = /^([A-Za-z0-9_+\-.#]+)\n/;
const ESCAPABLE = /[^0-9A-Za-z\s]/;
const TOKEN = /<(?:@!?(\d{15,20})|@&(\d{15,20})|#(\d{15,20}))>|@(everyone|here)\b/y;
const ANGLE = /<(https?:\/\/[^\s<>]{1,2000}|mailto:[^\s<>]{1,2000})>/iy;
const TARGET = /\(\s*(?:<([^\s<>]{1,2000})>|([^\s()]{1,2000}(?:\([^\s()]{0,500}\)[^\s()]{0,500}){0,4}))(?:\s+"[^"\n]{0,500}")?\s*\)/y;
const MOST_LABEL = 1000;

// Longest first: "***a***" is an emphasis around a strong one.
const MARKS = [
  ["**", "strong"],
  ["__", "u"],
  ["~~", "s"],
  ["||", "spoiler"],
  ["*", "em"],
  ["_", "em"],
];

export function renderDiscord(text, how) {
  return blocks(text.trim(), how, 0);
}

function blocks(text, how, depth) {
  const made = [];
  const ticks = new Ticks(text);
  let plain = "";
  let at = 0;
  // Line breaks that only end a line before a block, or begin one after it, are no empty lines.
  const flush = (beforeBlock) => {
    if (plain) made.push(...flow(plain, how, depth, beforeBlock));
    plain = "";
  };
  while (at < text.length) {
    const starts = at === 0 || text[at - 1] === "\n";
    const block = starts && depth < DEEPEST ? lineBlock(text, at, how, depth, ticks) : null;
    if (block) {
      flush(true);
      made.push(...block.nodes);
      at = block.end;
      continue;
    }
    const { end, fenced } = scanLine(text, at, ticks);
    plain += text.slice(at, end);
    at = end;
    if (!fenced) continue;
    flush(true);
    made.push(fence(fenced.code, fenced.language));
    at = fenced.end + (text[fenced.end] === "\n" ? 1 : 0);
  }
  flush(false);
  return made;
}

// A paragraph of running text. Discord shows every empty line.
function flow(text, how, depth, beforeBlock) {
  const body = text.replace(/^\n+|\n+$/g, "");
  const blanks = (count) => Array.from({ length: Math.max(0, count) }, () => element("p", {}, element("br")));
  const leading = /^\n*/.exec(text)[0].length;
  if (!body) return beforeBlock ? blanks(leading) : [];
  const trailing = text.length - leading - body.length;
  return [...blanks(leading), element("p", {}, ...inline(body, how, depth)), ...(beforeBlock ? blanks(trailing - 1) : [])];
}

// What can only begin at the start of a line.
function lineBlock(text, at, how, depth, ticks) {
  const end = lineEnd(text, at);
  const line = text.slice(at, end);
  if (!how.quoted && line.startsWith(">>> ")) {
    const inner = blocks(text.slice(at + 4), { ...how, quoted: true }, depth + 1);
    return { nodes: [element("blockquote", {}, ...inner)], end: text.length };
  }
  if (!how.quoted && line.startsWith("> ")) return quote(text, at, how, depth);
  const small = SMALL.exec(line);
  if (small) return { nodes: [element("p", { class: "small" }, ...inline(small[1], how, depth))], end: end + 1 };
  const found = HEADING.exec(line);
  if (found) {
    const words = found[2].replace(/[ \t]*#+[ \t]*$/, "");
    return { nodes: [heading(found[1].length, inline(words || found[2], how, depth))], end: end + 1 };
  }
  return ITEM.test(line) ? list(text, at, how, depth, ticks) : null;
}

function quote(text, at, how, depth) {
  const inner = [];
  while (at < text.length && text.startsWith("> ", at)) {
    const end = lineEnd(text, at);
    inner.push(text.slice(at + 2, end));
    at = end + 1;
  }
  return { nodes: [element("blockquote", {}, ...blocks(inner.join("\n"), { ...how, quoted: true }, depth + 1))], end: at };
}

// Items on following lines, deeper ones inside; what is indented below an item belongs to it, fences with all their lines.
function list(text, at, how, depth, ticks) {
  const rows = [];
  while (at < text.length) {
    const first = text.slice(at, lineEnd(text, at));
    const found = ITEM.exec(first);
    if (!found && (!rows.length || !/^ {2,}\S/.test(first))) break;
    let { end, fenced } = scanLine(text, at, ticks);
    while (fenced) ({ end, fenced } = scanLine(text, fenced.end, ticks));
    const lines = text.slice(at, end).replace(/\n$/, "");
    if (found) rows.push({ indent: found[1].length, inset: first.length - found[4].length, number: found[3], text: "" });
    const row = rows.at(-1);
    const own = found ? lines.slice(row.inset) : `\n${lines}`;
    row.text += own.replace(new RegExp(`\\n {1,${row.inset}}`, "g"), "\n");
    at = end;
  }
  const cursor = { at: 0 };
  const nodes = [];
  while (cursor.at < rows.length) nodes.push(nest(rows, cursor, how, depth));
  return { nodes, end: at };
}

function nest(rows, cursor, how, depth) {
  const first = rows[cursor.at];
  const ordered = first.number !== undefined;
  const made = element(ordered ? "ol" : "ul", ordered ? { start: Number(first.number) } : {});
  while (cursor.at < rows.length) {
    const row = rows[cursor.at];
    if (row.indent < first.indent || (row.indent === first.indent && (row.number !== undefined) !== ordered)) break;
    if (row.indent > first.indent && made.lastElementChild && depth < DEEPEST) {
      made.lastElementChild.append(nest(rows, cursor, how, depth + 1));
      continue;
    }
    made.append(element("li", {}, ...(depth < DEEPEST ? blocks(row.text, how, depth + 1) : broken(row.text))));
    cursor.at += 1;
  }
  return made;
}

// Runs from `at` to the end of its line (with the line break), or to the start of a fence on the way. Code spans may go on
// over lines.
function scanLine(text, at, ticks) {
  while (at < text.length && text[at] !== "\n") {
    if (text[at] === "\\") {
      at += 2;
    } else if (text[at] === "`") {
      const fenced = readFence(text, at);
      if (fenced) return { end: at, fenced };
      const length = runLength(text, at);
      const close = ticks.next(length, at + length);
      at = close < 0 ? at + length : close + length;
    } else {
      at += 1;
    }
  }
  return { end: Math.min(at + 1, text.length), fenced: null };
}

function readFence(text, at) {
  if (!text.startsWith("```", at)) return null;
  const close = text.indexOf("```", at + 3);
  if (close < 0) return null;
  const whole = text.slice(at + 3, close);
  if (!whole.trim()) return null;
  const language = LANGUAGE.exec(whole);
  const code = (language ? whole.slice(language[0].length) : whole).replace(/^\n+|\n+$/g, "");
  return { code, language: language?.[1], end: close + 3 };
}

function lineEnd(text, at) {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function inline(text, how, depth) {
  const made = [];
  const ticks = new Ticks(text);
  const gone = new Set();
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const found = depth < DEEPEST ? spanAt(text, at, how, depth, ticks, gone) : null;
    if (found?.plain !== undefined) plain += found.plain;
    else if (found) {
      made.push(...broken(plain), found.node);
      plain = "";
    } else plain += text[at];
    at = found ? found.end : at + 1;
  }
  made.push(...broken(plain));
  return made;
}

// What starts at `at`: { node or plain, end }; null for ordinary text. `gone` holds the marks that come no more.
function spanAt(text, at, how, depth, ticks, gone) {
  const char = text[at];
  switch (char) {
    case "\\":
      return escaped(text, at + 1);
    case "`":
      return code(text, at, ticks);
    case "<": {
      ANGLE.lastIndex = at;
      const found = ANGLE.exec(text);
      if (found && linkable(found[1])) return { node: link(found[1], found[1].replace(/^mailto:/i, "")), end: at + found[0].length };
      return token(text, at, how);
    }
    case "@":
      return token(text, at, how);
    case "[":
      return masked(text, at, how, depth);
    case "h":
    case "H": {
      const address = bareAddress(text, at);
      return address && linkable(address) ? { node: link(address, address), end: at + address.length } : null;
    }
    case "*":
    case "_":
    case "~":
    case "|":
      return marked(text, at, how, depth, gone);
  }
  return null;
}

function escaped(text, at) {
  if (at >= text.length || !ESCAPABLE.test(text[at])) return null;
  const char = String.fromCodePoint(text.codePointAt(at));
  return { plain: char, end: at + char.length };
}

function code(text, at, ticks) {
  const length = runLength(text, at);
  const close = ticks.next(length, at + length);
  if (close < 0) return { plain: "`".repeat(length), end: at + length };
  const inner = text.slice(at + length, close);
  return { node: element("code", {}, inner.replace(/^ (?=`)|(?<=`) $/g, "")), end: close + length };
}

// A mention is highlighted only where the message's own lists say that it is one.
function token(text, at, how) {
  TOKEN.lastIndex = at;
  const found = TOKEN.exec(text);
  if (!found) return null;
  const [source, who, role, place, everyone] = found;
  const end = at + source.length;
  const { people, everyone: all } = how.live;
  if (everyone) return { ...(all ? { node: mention(source) } : { plain: source }), end };
  const name = how.names[who ?? role ?? place];
  if (who && name !== undefined) return { node: people.includes(who) ? mention(`@${name}`) : element("span", { class: "silent" }, `@${name}`), end };
  return { plain: source, end };
}

// [label](address) or [label](<address>). A label that is itself an address would hide where the link leads: not a link.
function masked(text, at, how, depth) {
  const most = Math.min(text.length, at + MOST_LABEL);
  let end = at + 1;
  let open = 1;
  for (; end < most; end += 1) {
    if (text[end] === "\\") end += 1;
    else if (text[end] === "[") open += 1;
    else if (text[end] === "]" && (open -= 1) === 0) break;
  }
  if (text[end] !== "]" || open) return null;
  TARGET.lastIndex = end + 1;
  const found = TARGET.exec(text);
  const address = found?.[1] ?? found?.[2];
  const label = text.slice(at + 1, end);
  if (!address || !linkable(address) || !label.trim() || /https?:\/\/|mailto:/i.test(label)) return null;
  const inner = inline(label, { ...how, live: { people: [], everyone: false } }, depth + 1);
  return { node: link(address, ...inner), end: end + 1 + found[0].length };
}

function marked(text, at, how, depth, gone) {
  for (const [mark, tag] of MARKS) {
    if (!text.startsWith(mark, at) || gone.has(mark)) continue;
    const close = closing(text, at, mark, gone);
    if (close < 0) continue;
    const inner = inline(text.slice(at + mark.length, close), how, depth + 1);
    const node = tag === "spoiler" ? element("span", { class: "spoiler", tabindex: 0 }, ...inner) : element(tag, {}, ...inner);
    return { node, end: close + mark.length };
  }
  return { plain: text[at], end: at + 1 };
}

// Where the mark that opens at `at` is closed, past escapes; -1 where it is not. Code does not hide a mark, as on Discord.
function closing(text, at, mark, gone) {
  const from = at + mark.length;
  const single = mark.length === 1;
  if (single && (/\s/.test(text[from] ?? " ") || (mark === "_" && at && /\w/.test(text[at - 1])))) return -1;
  let end = from;
  while (end < text.length) {
    if (text[end] === "\\") {
      end += 2;
    } else if (text[end] !== mark[0]) {
      end += 1;
    } else {
      const run = runLength(text, end);
      if (single && run === 1 && end > from) {
        if (mark === "*") return /\s/.test(text[end - 1]) ? -1 : end;
        if (mark === "_" && !/\w/.test(text[end + 1] ?? " ")) return end;
      }
      // Of a longer run the last characters close, so that an inner mark may end just before.
      if (single && run === 3) return end + 2;
      if (!single && run >= 2 && end > from) return end + run - 2;
      end += run;
    }
  }
  gone.add(mark);
  return -1;
}
