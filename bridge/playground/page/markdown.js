// Turns message text into DOM nodes. Text only ever becomes text nodes: nothing here parses HTML.
//
// Three dialects: "markdown" (Slack's markdown blocks), "mrkdwn" (Slack's own, entity-escaped) and "discord".

const DEEPEST = 8;

const MARKDOWN = new RegExp(
  [
    String.raw`(?<escape>\\[!-\/:-@\[-${"`"}{-~])`,
    String.raw`(?<tick>${"`"}+)(?<code>[\s\S]*?[^${"`"}])\k<tick>(?!${"`"})`,
    String.raw`\[(?<label>[^\]\n]+)\]\((?<href>https?:\/\/[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)\)`,
    String.raw`<(?<angle>https?:\/\/[^\s<>]+)>`,
    String.raw`(?<bare>https?:\/\/[^\s<>]*[^\s<>.,;:!?'")\]*_~])`,
    String.raw`<@!?(?<who>\w+)>`,
    String.raw`\*\*(?<bold>(?=\S)[\s\S]*?\S)\*\*(?!\*)`,
    String.raw`(?<!\w)__(?<double>(?=\S)[\s\S]*?\S)__(?!\w)`,
    String.raw`~~(?<strike>(?=\S)[\s\S]*?\S)~~`,
    String.raw`\*(?<star>(?=[^\s*])(?:[\s\S]*?[^\s*])?)\*(?!\*)`,
    String.raw`(?<!\w)_(?<line>(?=[^\s_])(?:[^_]*[^\s_])?)_(?!\w)`,
  ].join("|"),
  "g",
);

const MRKDWN = new RegExp(
  [
    String.raw`(?<tick>${"`"})(?<code>[^${"`"}\n]+)${"`"}`,
    String.raw`<(?<angle>https?:\/\/[^\s<>|]+)(?:\|(?<label>[^<>]*))?>`,
    String.raw`<@(?<who>\w+)(?:\|[^<>]*)?>`,
    String.raw`<(?<special>[!#][^<>]*)>`,
    String.raw`(?<![\w*])\*(?<bold>(?=[^\s*])(?:[^*\n]*[^\s*])?)\*(?![\w*])`,
    String.raw`(?<!\w)_(?<line>(?=[^\s_])(?:[^_\n]*[^\s_])?)_(?!\w)`,
    String.raw`(?<![\w~])~(?<strike>(?=[^\s~])(?:[^~\n]*[^\s~])?)~(?![\w~])`,
  ].join("|"),
  "g",
);

const FENCE = /^ {0,3}(`{3,}|~{3,})([^`]*)$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(\s+)(.*)$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

// `names` maps ids to names for mentions.
export function render(text, dialect, names) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(text.replace(/\r\n?/g, "\n").split("\n"), { dialect, names }, 0));
  return fragment;
}

function blocks(lines, how, depth) {
  const made = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    if (!line.trim()) {
      at += 1;
      continue;
    }
    const [node, next] =
      fence(lines, at, how) ||
      (depth < DEEPEST && (heading(lines, at, how) || quote(lines, at, how, depth))) ||
      (how.dialect !== "mrkdwn" && depth < DEEPEST && (table(lines, at, how) || list(lines, at, how, depth))) ||
      paragraph(lines, at, how);
    made.push(node);
    at = next;
  }
  return made;
}

function fence(lines, at, how) {
  const opening = lines[at].match(FENCE);
  if (!opening) return null;
  const closing = new RegExp(`^ {0,3}${opening[1][0]}{${opening[1].length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !closing.test(lines[end])) end += 1;
  const text = lines.slice(at + 1, end).join("\n");
  const language = opening[2].trim().split(/\s+/)[0];
  const code = element("code", { "data-language": language || undefined }, how.dialect === "mrkdwn" ? unescape(text) : text);
  return [element("pre", { tabindex: 0 }, code), Math.min(end + 1, lines.length)];
}

function heading(lines, at, how) {
  if (how.dialect === "mrkdwn") return null;
  if (how.dialect === "markdown" && RULE.test(lines[at])) return [element("hr"), at + 1];
  const small = how.dialect === "discord" && lines[at].match(/^-# (.+)$/);
  if (small) return [element("p", { class: "small" }, ...inline(small[1], how, 0)), at + 1];
  const found = lines[at].match(/^ {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$/);
  if (!found || (how.dialect === "discord" && found[1].length > 3)) return null;
  return [element("p", { class: `heading h${found[1].length}`, role: "heading", "aria-level": found[1].length + 2 }, ...inline(found[2], how, 0)), at + 1];
}

function quote(lines, at, how, depth) {
  const mark = how.dialect === "mrkdwn" ? /^(?:&gt;|>) ?/ : how.dialect === "discord" ? /^> / : /^ {0,3}> ?/;
  if (!mark.test(lines[at])) return null;
  let end = at;
  while (end < lines.length && mark.test(lines[end])) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(mark, ""));
  return [element("blockquote", {}, ...blocks(inner, how, depth + 1)), end];
}

function table(lines, at, how) {
  if (how.dialect !== "markdown" || !lines[at].includes("|") || !TABLE_RULE.test(lines[at + 1] ?? "") || !lines[at + 1].includes("-")) return null;
  const head = element("tr", {}, ...cells(lines[at]).map((cell) => element("th", { scope: "col" }, ...inline(cell, how, 0))));
  const body = element("tbody");
  let end = at + 2;
  while (end < lines.length && lines[end].trim() && lines[end].includes("|")) {
    body.append(element("tr", {}, ...cells(lines[end]).map((cell) => element("td", {}, ...inline(cell, how, 0)))));
    end += 1;
  }
  return [element("div", { class: "table", tabindex: 0 }, element("table", {}, element("thead", {}, head), body)), end];
}

function cells(line) {
  return line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function list(lines, at, how, depth) {
  const first = lines[at].match(ITEM);
  if (!first) return null;
  const ordered = /\d/.test(first[2]);
  const made = element(ordered ? "ol" : "ul", ordered ? { start: parseInt(first[2], 10) } : {});
  const indent = first[1].length;
  let end = at;
  while (end < lines.length) {
    const item = lines[end].match(ITEM);
    if (!item || item[1].length > indent + 1 || item[1].length < indent || /\d/.test(item[2]) !== ordered) break;
    const inner = [item[4]];
    const inset = indent + 2;
    end += 1;
    while (end < lines.length) {
      const next = lines[end];
      const belongs = next.trim() ? /^\s*/.exec(next)[0].length >= inset : /^\s/.test(lines[end + 1] ?? "");
      if (!belongs) break;
      inner.push(next.replace(new RegExp(`^\\s{0,${item[1].length + item[2].length + 1}}`), ""));
      end += 1;
    }
    made.append(element("li", {}, ...blocks(inner, how, depth + 1)));
    while (end < lines.length && !lines[end].trim() && ITEM.test(lines[end + 1] ?? "")) end += 1;
  }
  return [made, end];
}

function paragraph(lines, at, how) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !startsBlock(lines, end, how)) end += 1;
  return [element("p", {}, ...inline(lines.slice(at, end).join("\n"), how, 0)), end];
}

function startsBlock(lines, at, how) {
  if (FENCE.test(lines[at])) return true;
  if (how.dialect === "mrkdwn") return /^(?:&gt;|>)/.test(lines[at]);
  if (/^(?:#{1,6}\s|> |-# )/.test(lines[at]) || ITEM.test(lines[at])) return true;
  return how.dialect === "markdown" && (RULE.test(lines[at]) || (lines[at].includes("|") && TABLE_RULE.test(lines[at + 1] ?? "")));
}

function inline(text, how, depth) {
  const made = [];
  const spell = how.dialect === "mrkdwn" ? unescape : (plain) => plain;
  const pattern = how.dialect === "mrkdwn" ? MRKDWN : MARKDOWN;
  let end = 0;
  for (const found of depth < DEEPEST ? text.matchAll(pattern) : []) {
    breakLines(made, spell(text.slice(end, found.index)));
    made.push(...span(found, how, depth, spell));
    end = found.index + found[0].length;
  }
  breakLines(made, spell(text.slice(end)));
  return made;
}

function span(found, how, depth, spell) {
  const part = found.groups;
  const wrap = (tag, inner) => [element(tag, {}, ...inline(inner, how, depth + 1))];
  if (part.escape) return [part.escape.slice(1)];
  if (part.code) return [element("code", {}, spell(part.code))];
  if (part.who) return [element("span", { class: "mention" }, `@${how.names[part.who] ?? part.who}`)];
  if (part.special) return [element("span", { class: "mention" }, spell(part.special.split("|").pop().replace(/^[!#]/, "@")))];
  const address = part.href ?? part.angle ?? part.bare;
  if (address) return [link(spell(address), part.label === undefined ? spell(address) : spell(part.label))];
  if (part.bold) return wrap("strong", part.bold);
  if (part.double) return wrap(how.dialect === "discord" ? "u" : "strong", part.double);
  if (part.strike) return wrap("s", part.strike);
  return wrap("em", part.star ?? part.line);
}

function link(address, label) {
  // The patterns let only http and https through.
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label);
}

function breakLines(made, text) {
  text.split("\n").forEach((line, index) => {
    if (index) made.push(element("br"));
    if (line) made.push(line);
  });
}

function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
