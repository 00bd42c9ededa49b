// Blocks of Slack's markdown: CommonMark with GFM's tables and task lists, HTML as plain text, images as links.
//
// Lines are taken in one after the other, each first by the containers that are open (quotes, list items), then by the
// block that it starts or goes on with; so the work is linear and a text that still grows is never misread.

import { inline } from "/page/markdown-inline.js";
import { DEEPEST, decode, element, fence, heading } from "/page/markdown-nodes.js";

const QUOTE = /^ {0,3}> ?/;
const ATX = /^ {0,3}(#{1,6})(?:[ \t]+|$)/;
const FENCE = /^( {0,3})(?:(`{3,})([^`]*)|(~{3,})(.*))$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const SETEXT = /^ {0,3}(?:(=+)|-+) *$/;
const ITEM = /^( {0,3})([-*+]|(\d{1,9})[.)])(?=[ \t]|$)/;
const TASK = /^\[([ xX])\][ \t]+(?=\S)/;
const DELIMITERS = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*(?:\|[ \t]*)?$/;

export function renderMarkdown(text, how) {
  const parser = new Blocks();
  for (const line of text.replace(/\n$/, "").split("\n")) parser.take(line);
  return parser.root.children.map((block) => draw(block, how));
}

class Blocks {
  constructor() {
    this.root = { type: "root", children: [] };
    this.open = [this.root];
    this.leaf = null;
  }

  get container() {
    return this.open.at(-1);
  }

  take(line) {
    if (this.open.length === 1 && this.leaf?.type === "fence") {
      this.fenced(line);
      return;
    }
    let rest = untabbed(line);
    let matched = 1;
    for (; matched < this.open.length; matched += 1) {
      const inside = goOn(this.open[matched], rest);
      if (inside === null) break;
      rest = inside;
    }
    const all = matched === this.open.length;
    if (all && this.leaf?.type === "fence") {
      this.fenced(rest);
      return;
    }
    this.opened = false;
    rest = this.start(rest, matched);
    if (rest === null) return;
    // A paragraph may go on without the marks of its containers.
    const lazy = this.leaf?.type === "paragraph" && rest.trim() !== "";
    if (!all && !this.opened && !lazy) this.closeTo(matched);
    this.plain(rest);
  }

  // Opens what the line starts. Returns what is left of it for a paragraph or code; null where nothing is.
  start(rest, matched) {
    for (;;) {
      const all = matched === this.open.length;
      const continued = this.leaf?.type === "paragraph";
      if (indentOf(rest) >= 4 && (rest.trim() === "" || continued || (all && this.leaf?.type === "code"))) return rest;
      if (indentOf(rest) >= 4) {
        this.closeTo(matched);
        this.put({ type: "code", lines: [] }, true);
        return rest;
      }
      if (all && this.table(rest)) return null;
      let found;
      if (this.open.length <= DEEPEST && (found = QUOTE.exec(rest))) {
        this.closeTo(matched);
        this.enter({ type: "quote", children: [] });
        rest = untabbed(rest.slice(found[0].length));
      } else if ((found = ATX.exec(rest))) {
        this.closeTo(matched);
        const text = rest.slice(found[0].length).trim().replace(/(?:^|[ \t])#+$/, "");
        this.put({ type: "heading", level: found[1].length, text: text.trim() }, false);
        return null;
      } else if ((found = FENCE.exec(rest))) {
        this.closeTo(matched);
        const marker = found[2] ?? found[4];
        this.put({ type: "fence", indent: found[1].length, marker, info: (found[3] ?? found[5]).trim(), lines: [] }, true);
        return null;
      } else if (all && continued && (found = SETEXT.exec(rest))) {
        const { lines } = this.leaf;
        Object.assign(this.leaf, { type: "heading", level: found[1] ? 1 : 2, text: lines.join("\n").trim() });
        this.leaf = null;
        return null;
      } else if (RULE.test(rest)) {
        this.closeTo(matched);
        this.put({ type: "rule" }, false);
        return null;
      } else if (this.open.length <= DEEPEST && (found = ITEM.exec(rest)) && this.mayStart(found, rest, all && continued)) {
        this.closeTo(matched);
        rest = this.enterItem(found, rest);
      } else {
        return rest;
      }
      matched = this.open.length;
      if (rest.trim() === "") return rest;
    }
  }

  // Only a list that begins with something, and with 1, may break off a paragraph.
  mayStart(found, rest, interrupts) {
    return !interrupts || (rest.slice(found[0].length).trim() !== "" && (found[3] === undefined || Number(found[3]) === 1));
  }

  enterItem(found, rest) {
    const [marker, indent, mark, number] = found;
    let after = untabbed(rest.slice(marker.length));
    const spaces = indentOf(after);
    const content = after.trim() === "" || spaces > 4 ? 1 : spaces;
    after = after.slice(Math.min(content, spaces));
    const kind = mark.at(-1);
    let list = this.container.children.at(-1);
    if (list?.type !== "list" || list.kind !== kind) {
      list = { type: "list", kind, ordered: number !== undefined, start: Number(number ?? 1), children: [] };
      this.container.children.push(list);
    }
    const item = { type: "item", indent: indent.length + mark.length + content, children: [] };
    list.children.push(item);
    this.open.push(item);
    const task = TASK.exec(after);
    if (task) item.done = task[1] !== " ";
    return task ? after.slice(task[0].length) : after;
  }

  // The delimiter row makes a table of the line above it; later lines are rows.
  table(rest) {
    if (this.leaf?.type === "table") {
      if (rest.trim() === "" || [QUOTE, ATX, FENCE, RULE, ITEM].some((start) => start.test(rest))) return false;
      this.leaf.rows.push(cells(rest));
      return true;
    }
    const above = this.leaf?.type === "paragraph" ? this.leaf.lines.at(-1) : "";
    if (!above.includes("|") || !rest.includes("|") || !DELIMITERS.test(rest)) return false;
    const head = cells(above);
    const sides = cells(rest).map((cell) => (cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : undefined));
    if (head.length !== sides.length) return false;
    this.leaf.lines.pop();
    if (!this.leaf.lines.length) this.container.children.pop();
    this.put({ type: "table", head, sides, rows: [] }, true);
    return true;
  }

  plain(rest) {
    if (this.leaf?.type === "code") {
      if (rest.trim() === "" || indentOf(rest) >= 4) {
        this.leaf.lines.push(rest.slice(4));
        return;
      }
      this.leaf = null;
    }
    if (rest.trim() === "") {
      this.leaf = null;
    } else if (this.leaf?.type === "paragraph") {
      this.leaf.lines.push(rest.trimStart());
    } else {
      this.put({ type: "paragraph", lines: [rest.trimStart()] }, true);
    }
  }

  fenced(rest) {
    const { marker, indent, lines } = this.leaf;
    const closing = /^ {0,3}(`+|~+) *$/.exec(rest);
    if (closing && closing[1][0] === marker[0] && closing[1].length >= marker.length) this.leaf = null;
    else lines.push(rest.slice(Math.min(indent, indentOf(rest))));
  }

  enter(block) {
    this.put(block, false);
    this.open.push(block);
  }

  put(block, stays) {
    this.container.children.push(block);
    this.leaf = stays ? block : null;
  }

  // Something begins here: what stands deeper, and the block that was being read, are finished.
  closeTo(length) {
    this.opened = true;
    this.leaf = null;
    this.open.length = length;
  }
}

// The line without what the container takes of it; null where the line stands outside.
function goOn(container, rest) {
  if (container.type === "quote") {
    const found = QUOTE.exec(rest);
    return found ? untabbed(rest.slice(found[0].length)) : null;
  }
  if (rest.trim() === "") return container.children.length ? "" : null;
  return indentOf(rest) >= container.indent ? rest.slice(container.indent) : null;
}

function indentOf(line) {
  let end = 0;
  while (line[end] === " ") end += 1;
  return end;
}

// Tabs at the start become spaces, up to every fourth column.
function untabbed(line) {
  return line.replace(/^[ \t]+/, (space) => {
    let made = "";
    for (const char of space) made += char === "\t" ? " ".repeat(4 - (made.length % 4)) : char;
    return made;
  });
}

function cells(line) {
  const made = [""];
  const row = line.trim().replace(/^\|/, "");
  for (let at = 0; at < row.length; at += 1) {
    if (row[at] === "\\" && row[at + 1] === "|") {
      made[made.length - 1] += "|";
      at += 1;
    } else if (row[at] === "\\" && at + 1 < row.length) {
      made[made.length - 1] += row[at] + row[at + 1];
      at += 1;
    } else if (row[at] !== "|") {
      made[made.length - 1] += row[at];
    } else if (at + 1 < row.length) {
      made.push("");
    }
  }
  return made.map((cell) => cell.trim());
}

function draw(block, how) {
  const inner = () => block.children.map((child) => draw(child, how));
  switch (block.type) {
    case "paragraph":
      return element("p", {}, ...inline(block.lines.join("\n").trimEnd(), how));
    case "heading":
      return heading(block.level, inline(block.text, how));
    case "rule":
      return element("hr");
    case "fence":
      return fence(block.lines.join("\n"), decode(block.info).split(/\s+/)[0]);
    case "code":
      return fence(block.lines.join("\n").trimEnd(), "");
    case "quote":
      return element("blockquote", {}, ...inner());
    case "list":
      return element(block.ordered ? "ol" : "ul", block.ordered ? { start: block.start } : {}, ...inner());
    case "item":
      return drawItem(block, inner());
    case "table":
      return drawTable(block, how);
  }
  throw new Error(`no such block: ${block.type}`);
}

function drawItem(item, children) {
  if (item.done === undefined) return element("li", {}, ...children);
  const box = element("input", { type: "checkbox", disabled: true, checked: item.done, "aria-label": item.done ? "done" : "to do" });
  return element("li", { class: "task" }, box, ...children);
}

function drawTable({ head, sides, rows }, how) {
  const row = (tag, found, attributes) =>
    element("tr", {}, ...head.map((_, column) => element(tag, { ...attributes, class: sides[column] }, ...inline(found[column] ?? "", how))));
  const body = element("tbody", {}, ...rows.map((found) => row("td", found, {})));
  return element("div", { class: "table", tabindex: 0 }, element("table", {}, element("thead", {}, row("th", head, { scope: "col" })), body));
}
