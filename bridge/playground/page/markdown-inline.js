// CommonMark's inline rules (with GFM's strikethrough and bare addresses), and Slack's own mentions, which stay live in
// Markdown. Strict on purpose: no leniency for CJK, so that what needs it is seen here before members see it.
//
// Text is cut into pieces once; emphasis and links are then found by looking at delimiters only, in linear time.

import { DEEPEST, Ticks, bareAddress, broken, decode, element, entity, link, linkable, mention, runLength } from "/page/markdown-nodes.js";

const PUNCTUATION = /[\p{P}\p{S}]/u;
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const AUTOLINK = /<((?:https?:\/\/|mailto:)[^\s<>\p{Cc}]{1,2000})>/iuy;
const SLACK_TOKEN = /<(?:@([UW][A-Z0-9]+)|([!#][^\s<>|][^<>|]*))(?:\|([^<>]*))?>/y;
const SLACK_WORD = /@(?:channel|here|everyone)\b/y;
const MOST_ADDRESS = 2000;
const MOST_TITLE = 1000;
const TAGS = { "*1": "em", "*2": "strong", "_1": "em", "_2": "strong", "~2": "s" };

export function inline(text, how) {
  const scan = new Scan(text, how);
  scan.run();
  emphasize(scan.pieces, 0);
  return build(scan.pieces);
}

class Scan {
  constructor(text, how) {
    this.text = text;
    this.how = how;
    this.pieces = [];
    this.brackets = [];
    this.ticks = new Ticks(text);
    this.plain = "";
  }

  add(piece) {
    if (this.plain) this.pieces.push({ text: this.plain });
    this.plain = "";
    if (piece) this.pieces.push(piece);
  }

  run() {
    const { text } = this;
    let at = 0;
    while (at < text.length) at = this.step(at);
    this.add(null);
  }

  // Takes in what starts at `at` and returns where the next begins.
  step(at) {
    const { text } = this;
    const char = text[at];
    switch (char) {
      case "\\":
        if (at + 1 < text.length && (text[at + 1] === "\n" || ESCAPABLE.test(text[at + 1]))) {
          this.plain += text[at + 1];
          return at + 2;
        }
        break;
      case "`":
        return this.code(at);
      case "*":
      case "_":
      case "~":
        return this.delimiters(at);
      case "[":
        this.open(at, false);
        return at + 1;
      case "!":
        if (text[at + 1] !== "[") break;
        this.open(at, true);
        return at + 2;
      case "]":
        return this.close(at);
      case "<":
        return this.angle(at);
      case "&": {
        const found = entity(text, at);
        if (!found) break;
        this.plain += found.text;
        return at + found.length;
      }
      case "@": {
        SLACK_WORD.lastIndex = at;
        const found = at && /[\w@]/.test(text[at - 1]) ? null : SLACK_WORD.exec(text);
        if (!found) break;
        this.add({ node: mention(found[0]) });
        return at + found[0].length;
      }
      case "\n":
        while (this.plain.endsWith(" ")) this.plain = this.plain.slice(0, -1);
        break;
      case "h":
      case "H": {
        const address = bareAddress(text, at);
        if (!address || !linkable(decode(address))) break;
        this.add({ tag: "a", address: decode(address), label: decode(address) });
        return at + address.length;
      }
    }
    this.plain += char;
    return at + 1;
  }

  code(at) {
    const length = runLength(this.text, at);
    const end = this.ticks.next(length, at + length);
    if (end < 0) {
      this.plain += "`".repeat(length);
      return at + length;
    }
    let code = this.text.slice(at + length, end).replaceAll("\n", " ");
    if (/^ .* $/.test(code) && code.trim()) code = code.slice(1, -1);
    this.add({ node: element("code", {}, code) });
    return end + length;
  }

  delimiters(at) {
    const { text } = this;
    const char = text[at];
    const count = runLength(text, at);
    const before = at ? characterBefore(text, at) : "\n";
    const after = at + count < text.length ? String.fromCodePoint(text.codePointAt(at + count)) : "\n";
    const left = flanks(after, before);
    const right = flanks(before, after);
    const word = char === "_";
    const canOpen = left && (!word || !right || PUNCTUATION.test(before));
    const canClose = right && (!word || !left || PUNCTUATION.test(after));
    if (char === "~" && count !== 2) this.plain += text.slice(at, at + count);
    else this.add({ char, count, whole: count, canOpen, canClose, closes: [], opens: [] });
    return at + count;
  }

  open(at, image) {
    this.add({ text: image ? "![" : "[" });
    this.brackets.push({ piece: this.pieces.length - 1, image, active: true });
  }

  close(at) {
    const opener = this.brackets.pop();
    const target = opener?.active ? readTarget(this.text, at + 1) : null;
    if (!target || !linkable(target.address)) {
      this.plain += "]";
      return at + 1;
    }
    this.add(null);
    emphasize(this.pieces, opener.piece + 1);
    // What stands in an image's brackets is shown as the words of a link to it: Slack shows no images in text.
    const inner = this.pieces.splice(opener.piece);
    inner.shift();
    const bare = inner.flatMap((piece) => (piece.tag !== "a" ? [piece] : piece.inner?.length ? piece.inner : [{ text: piece.label }]));
    this.pieces.push({ tag: "a", address: target.address, inner: bare, label: opener.image ? "image" : target.address });
    if (!opener.image) {
      // Links hold no links. Those further left were switched off by an earlier one.
      for (let index = this.brackets.length - 1; index >= 0 && this.brackets[index].active; index -= 1) {
        if (!this.brackets[index].image) this.brackets[index].active = false;
      }
    }
    return target.end;
  }

  angle(at) {
    const { text, how } = this;
    AUTOLINK.lastIndex = at;
    const address = AUTOLINK.exec(text);
    if (address) {
      this.add({ tag: "a", address: address[1], label: address[1].replace(/^mailto:/i, "") });
      return at + address[0].length;
    }
    SLACK_TOKEN.lastIndex = at;
    const token = SLACK_TOKEN.exec(text);
    if (token) {
      const [source, who, special, label] = token;
      this.add({ node: mention(who ? `@${how.names[who] ?? label ?? who}` : spellSpecial(special, label)) });
      return at + source.length;
    }
    this.plain += "<";
    return at + 1;
  }
}

export function spellSpecial(special, label) {
  if (special.startsWith("#")) return `#${label || special.slice(1)}`;
  return `@${(label || special.slice(1)).replace(/^@/, "")}`;
}

function characterBefore(text, at) {
  const low = text.charCodeAt(at - 1);
  return low >= 0xdc00 && low <= 0xdfff && at > 1 ? text.slice(at - 2, at) : text[at - 1];
}

// Whether a run of delimiters clings to `inner`, which stands on its one side, given what stands on its other.
function flanks(inner, outer) {
  if (/\s/u.test(inner)) return false;
  return !PUNCTUATION.test(inner) || /\s/u.test(outer) || PUNCTUATION.test(outer);
}

// "(address "title")" at `at`: the address and where it ends; or null.
function readTarget(text, at) {
  if (text[at] !== "(") return null;
  let end = skipSpace(text, at + 1);
  let address = "";
  if (text[end] === "<") {
    const from = end + 1;
    end = from;
    while (end < text.length && end - from < MOST_ADDRESS && !/[<>\n]/.test(text[end])) end += text[end] === "\\" ? 2 : 1;
    if (text[end] !== ">") return null;
    address = text.slice(from, end).replaceAll(" ", "%20");
    end += 1;
  } else {
    const from = end;
    let depth = 0;
    while (end < text.length && end - from < MOST_ADDRESS && !/[\s\p{Cc}]/u.test(text[end])) {
      if (text[end] === "(" && (depth += 1) > DEEPEST) return null;
      if (text[end] === ")" && (depth -= 1) < 0) break;
      end += text[end] === "\\" && ESCAPABLE.test(text[end + 1] ?? "") ? 2 : 1;
    }
    address = text.slice(from, end);
    if (depth > 0) return null;
  }
  const afterAddress = end;
  end = skipSpace(text, end);
  const quote = { '"': '"', "'": "'", "(": ")" }[text[end]];
  if (quote && end > afterAddress) {
    const from = (end += 1);
    while (end < text.length && end - from < MOST_TITLE && text[end] !== quote) end += text[end] === "\\" ? 2 : 1;
    if (text[end] !== quote) return null;
    end = skipSpace(text, end + 1);
  }
  return text[end] === ")" ? { address: plainly(address), end: end + 1 } : null;
}

function skipSpace(text, at) {
  const end = Math.min(text.length, at + MOST_TITLE);
  while (at < end && /[ \t\n]/.test(text[at])) at += 1;
  return at;
}

function plainly(address) {
  return decode(address.replace(/\\([!-/:-@[-`{-~])/g, (_, char) => (char === "&" ? "&amp;" : char)));
}

// Pairs the delimiters among `pieces[from..]` (CommonMark, "process emphasis").
function emphasize(pieces, from) {
  const runs = pieces.slice(from).filter((piece) => piece.char);
  runs.forEach((run, index) => {
    run.before = index - 1;
  });
  // For each kind of closer, how far left openers have been looked for in vain.
  const bottoms = new Map();
  for (let index = 0; index < runs.length; index += 1) {
    const closer = runs[index];
    if (!closer.canClose) continue;
    while (closer.count > 0) {
      const kind = `${closer.char}${closer.canOpen}${closer.whole % 3}`;
      const bottom = bottoms.get(kind) ?? -1;
      let found = closer.before;
      while (found > bottom && !pair(runs[found], closer)) found = runs[found].before;
      if (found <= bottom) {
        bottoms.set(kind, closer.before);
        break;
      }
      const opener = runs[found];
      const used = opener.count >= 2 && closer.count >= 2 ? 2 : 1;
      const tag = TAGS[`${closer.char}${used}`];
      opener.opens.unshift(tag);
      closer.closes.push(tag);
      opener.count -= used;
      closer.count -= used;
      // What stands between the two can pair no more.
      closer.before = opener.count ? found : opener.before;
    }
    if (!closer.canOpen || !closer.count) {
      if (index + 1 < runs.length) runs[index + 1].before = closer.before;
    }
  }
}

function pair(opener, closer) {
  if (opener.char !== closer.char || !opener.canOpen || !opener.count) return false;
  const both = opener.canClose || closer.canOpen;
  return !both || (opener.whole + closer.whole) % 3 !== 0 || (opener.whole % 3 === 0 && closer.whole % 3 === 0);
}

// A run of delimiters closes first, then shows what is left of it, then opens.
function build(pieces, depth = 0) {
  const top = { nodes: [], open: true };
  const open = [top];
  for (const piece of pieces) {
    for (const tag of piece.closes ?? []) {
      const { nodes, flat } = open.pop();
      open.at(-1).nodes.push(...(flat ? nodes : [element(tag, {}, ...nodes)]));
    }
    open.at(-1).nodes.push(...show(piece, depth + open.length));
    for (const _ of piece.opens ?? []) open.push({ nodes: [], flat: depth + open.length > DEEPEST });
  }
  return top.nodes;
}

function show(piece, depth) {
  if (piece.node) return [piece.node];
  if (piece.char) return piece.count ? [piece.char.repeat(piece.count)] : [];
  if (piece.tag !== "a") return broken(piece.text);
  const inner = piece.inner ? build(piece.inner, depth) : [];
  const seen = inner.length ? inner : [piece.label];
  return [link(piece.address, ...seen)];
}
