// Slack's own mrkdwn, as `text` carries it: entity-escaped, markers only at the border of a word, no headings, lists or tables.

import { DEEPEST, bareAddress, broken, element, fence, link, linkable, mention } from "/page/markdown-nodes.js";
import { spellSpecial } from "/page/markdown-inline.js";

const QUOTE = /^(?:&gt;|>) ?/;
// A zero-width space parts as any space does: outside a marker it sets it free, inside it keeps it from marking.
const WORD = String.raw`[\p{L}\p{N}_]`;
const DENSE = String.raw`[^\s\u200b]`;

// Between two markers: code and links as a whole, backticks that open no code, and anything else on the line.
function marked(mark, name) {
  const inner = ["`[^`\\n]+`", "`(?![^`\\n]+`)", "<[^<>\\n]+>", `[^<\`\\n${mark}]`].join("|");
  return String.raw`(?<!${WORD}|[${mark}])[${mark}](?<${name}>(?=${DENSE})(?:${inner})+(?<=${DENSE}))[${mark}](?!${WORD}|[${mark}])`;
}

const SPAN = new RegExp(
  [
    String.raw`${"`"}(?<code>[^${"`"}\n]+)${"`"}`,
    String.raw`<(?<address>(?:https?:\/\/|mailto:)[^\s<>|]+)(?:\|(?<label>[^<>]*))?>`,
    String.raw`<@(?<who>\w+)(?:\|[^<>]*)?>`,
    String.raw`<(?<special>[!#][^<>|]*)(?:\|(?<name>[^<>]*))?>`,
    marked("*", "bold"),
    marked("_", "italic"),
    marked("~", "strike"),
    String.raw`(?<bare>https?:\/\/)`,
  ].join("|"),
  "gu",
);

export function renderMrkdwn(text, how) {
  const made = [];
  let end = 0;
  // A fence may start anywhere and has no language; one without an end is plain text.
  for (const found of text.matchAll(/```\n?([\s\S]+?)\n?```/g)) {
    made.push(...lines(text.slice(end, found.index), how));
    made.push(fence(unescape(found[1]), ""));
    end = found.index + found[0].length;
  }
  made.push(...lines(text.slice(end), how));
  return made;
}

function lines(text, how) {
  const made = [];
  let group = [];
  let quoted = false;
  const close = () => {
    const whole = group.join("\n").replace(/^\n+|\n+$/g, "");
    if (whole.trim()) made.push(...paragraphs(whole, how, quoted));
    group = [];
  };
  for (const line of text.split("\n")) {
    if (QUOTE.test(line) !== quoted) {
      close();
      quoted = !quoted;
    }
    group.push(quoted ? line.replace(QUOTE, "") : line);
  }
  close();
  return made;
}

function paragraphs(text, how, quoted) {
  const made = text.split(/\n{2,}/).map((part) => element("p", {}, ...spans(part, how, 0)));
  return quoted ? [element("blockquote", {}, ...made)] : made;
}

function spans(text, how, depth) {
  const made = [];
  let end = 0;
  const pattern = new RegExp(SPAN);
  let found;
  while (depth < DEEPEST && (found = pattern.exec(text))) {
    made.push(...broken(unescape(text.slice(end, found.index))));
    end = found.index + found[0].length;
    const part = found.groups;
    if (part.bare) {
      const address = bareAddress(text, found.index);
      const whole = unescape(address);
      made.push(linkable(whole) ? link(whole, whole) : part.bare);
      end = found.index + (linkable(whole) ? address.length : part.bare.length);
      pattern.lastIndex = end;
    } else {
      made.push(span(part, how, depth));
    }
  }
  made.push(...broken(unescape(text.slice(end))));
  return made;
}

function span(part, how, depth) {
  const wrap = (tag, inner) => element(tag, {}, ...spans(inner, how, depth + 1));
  if (part.code) return element("code", {}, unescape(part.code));
  if (part.who) return mention(`@${how.names[part.who] ?? part.who}`);
  if (part.special) return mention(unescape(spellSpecial(part.special, part.name)));
  if (part.address) {
    const address = unescape(part.address);
    const label = unescape(part.label || part.address.replace(/^mailto:/, ""));
    return linkable(address) ? link(address, label) : label;
  }
  if (part.bold) return wrap("strong", part.bold);
  return part.strike ? wrap("s", part.strike) : wrap("em", part.italic);
}

function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
