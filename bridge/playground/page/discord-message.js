// What only Discord's messages have: rows of buttons, the line above a reply or an answer, tags, what one person alone sees.

import { icon } from "/page/icons.js";
import { element } from "/page/markdown.js";
import { linkable } from "/page/markdown-nodes.js";

const JUDGING = new Set(["👍", "👎"]);
const SPOKEN = { "👍": "Good answer", "👎": "Bad answer" };
// The looks by which an app shows which of two buttons was chosen.
const CHOSEN = new Set(["success", "danger"]);

export function buttonRows(pane, row) {
  return row.rows.map((buttons) => {
    const judged = buttons.some((one) => JUDGING.has(one.emoji));
    return element("div", { class: judged ? "buttons judge" : "buttons" }, ...buttons.map((one) => buttonUnder(pane, row, one)));
  });
}

function buttonUnder(pane, row, { id, label, emoji, style, url, disabled, choices }) {
  if (choices) return menuUnder(pane, row, id, label, choices);
  const face = [...(emoji ? [icon(emoji, 14)] : []), ...(emoji && label ? [" "] : []), label];
  if (url) return !linkable(url) ? "" : element("a", { class: "press link", href: url, target: "_blank", rel: "noopener noreferrer", "data-testid": "press" }, ...face, " ↗");
  const attributes = { type: "button", class: `press ${style}`, disabled, "data-focus": `press ${id}`, "data-testid": "press", "data-button": id };
  if (!label) Object.assign(attributes, { title: SPOKEN[emoji] ?? emoji, "aria-label": SPOKEN[emoji] ?? emoji });
  if (JUDGING.has(emoji)) attributes["aria-pressed"] = String(CHOSEN.has(style));
  const button = element("button", attributes, ...face);
  button.addEventListener("click", () => pane.send("press", { channel: row.channel, message: row.id, person: pane.person, button: id }));
  return button;
}

function menuUnder(pane, row, id, label, choices) {
  const options = choices.map((one) => element("option", { value: one.value }, one.label));
  const menu = element("select", { "data-focus": `press ${id}`, "data-testid": "menu", "data-button": id }, element("option", { value: "" }, label || "Make a selection"), ...options);
  menu.addEventListener("change", () => menu.value && pane.send("press", { channel: row.channel, message: row.id, person: pane.person, button: id, value: menu.value }));
  return menu;
}

export function aboveOf(row) {
  return element("p", { class: "over", "data-testid": "over" }, icon("reply", 11), ` ${row.above}`);
}

export function postHead({ name, tags }) {
  return element("div", { class: "posted" }, element("h4", {}, name), ...tags.map(drawTag));
}

export function drawTag(name) {
  return element("span", { class: "tag", "data-testid": "tag" }, name);
}

export function onlyFoot(pane, row) {
  const dismiss = element("button", { type: "button", "data-focus": "dismiss", "data-testid": "dismiss" }, "Dismiss message");
  dismiss.addEventListener("click", () => pane.send("dismiss", { person: pane.person, message: row.id }));
  return element("p", { class: "only", "data-testid": "only" }, icon("eye", 13), " Only you can see this · ", dismiss);
}
