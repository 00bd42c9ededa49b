// One message of a pane: text, files, buttons, reactions, and for its author the controls to change it or take it away.

import { drawMessageBlocks, endOf } from "/page/blocks.js";
import { icon } from "/page/icons.js";
import { aboveOf, buttonRows, onlyFoot, postHead } from "/page/discord-message.js";
import { element, render } from "/page/markdown.js";

const QUICK = ["👍", "👎"];
const RATED = { like: "like", dislike: "dislike", none: "no rating" };

export function drawMessage(pane, row, list) {
  const head = element("div", { class: "by" }, element("strong", {}, row.name));
  if (row.bot) head.append(element("span", { class: "badge" }, "APP"));
  if (row.outside) head.append(element("span", { class: "badge", title: "From another company" }, "EXTERNAL"));
  head.append(element("time", { datetime: new Date(row.time * 1000).toISOString() }, clock(row.time)));
  const body = element("div", { class: "body" });
  const discord = pane.platform === "discord";
  if (row.only && !discord) body.append(element("p", { class: "only", "data-testid": "only" }, icon("eye", 13), " Only visible to you"));
  if (row.above) body.append(aboveOf(row));
  body.append(head);
  if (row.post) body.append(postHead(row.post));
  body.append(...(row.editing ? [editor(pane, row)] : content(pane, row)), ...row.files.map(card));
  if (row.rows) body.append(...buttonRows(pane, row));
  if (row.told) body.append(element("p", { class: "told", role: "status", "data-testid": "told" }, row.told));
  if (row.only && discord) body.append(onlyFoot(pane, row));
  if (!row.only && !row.system) body.append(reactions(pane, row));
  if (row.thread) body.append(threadButton(pane, row));
  const own = row.author === row.viewer && !row.system;
  if (!row.only && !row.editing && (own || row.answerable || row.shortcuts.length)) body.append(controls(pane, row, list, own));
  return element(
    "li",
    { class: `message${row.bot ? " bot" : ""}${row.only ? " whisper" : ""}${row.system ? " system" : ""}`, "data-testid": "message", "data-author": row.bot ? "bot" : "person", "data-id": row.id, "data-stream": row.stream || undefined },
    element("span", { class: "avatar", "aria-hidden": "true", "data-tone": row.bot ? "bot" : tone(row.name) }, row.bot ? icon("bot", 24) : row.name[0]),
    body,
  );
}

// Slack's blocks where there are some, else the text.
function content(pane, row) {
  if (row.system) return [element("p", { class: "text" }, row.system)];
  if (row.thinking) return [element("p", { class: "thinking", role: "status", "data-testid": "thinking" }, `${row.name} is thinking…`)];
  const mark = row.stream === "live" ? element("span", { class: "live", role: "img", "aria-label": "still being written", "data-testid": "live" }) : row.edited ? element("span", { class: "edited" }, "(edited)") : null;
  if (row.blocks?.length) {
    const press = (one, value) => pane.press(row, one, value);
    return drawMessageBlocks(row.blocks, { id: row.id, names: pane.names, places: [], folded: pane.folded, press }, mark);
  }
  // A message may be its files alone.
  if (!row.text && !mark && row.files.length) return [];
  const text = element("div", { class: "text", "data-testid": "text" }, render(row.text, row.dialect, pane.names, row.mentions));
  if (mark) endOf(text).append(mark);
  return [text];
}

// What appears when one points at a message: in Discord the reply, for its author the means to change it, and the menu of what the
// app offers for messages.
function controls(pane, row, list, own) {
  const control = (name, label, drawing, act) => {
    const button = element("button", { type: "button", title: label, "aria-label": label, "data-focus": name, "data-testid": name }, icon(drawing, 15));
    button.addEventListener("click", act);
    return button;
  };
  const bar = element("div", { class: row.menu ? "own open" : "own" });
  if (row.answerable) bar.append(control("reply", `Reply to ${row.name}`, "reply", () => pane.reply(row)));
  if (own) {
    const edit = () => {
      pane.editing = { id: row.id, list, text: row.typed };
      pane.draw();
      focusEditor(pane);
    };
    const remove = () => pane.send("delete", { channel: row.channel, message: row.id, person: pane.person });
    bar.append(control("edit", "Edit your message", "pencil", edit), control("delete", "Delete your message", "bin", remove));
  }
  if (!row.shortcuts.length) return bar;
  const toggle = (open) => {
    pane.menu = open ? { id: row.id, list } : null;
    pane.draw();
  };
  const more = control("more", "More actions", "dots", () => toggle(!row.menu));
  more.setAttribute("aria-haspopup", "menu");
  more.setAttribute("aria-expanded", String(Boolean(row.menu)));
  bar.append(more);
  if (!row.menu) return bar;
  const menu = element("div", { class: "menu", role: "menu", "aria-label": "More actions" });
  for (const { id, label } of row.shortcuts) {
    const line = element("button", { type: "button", role: "menuitem", "data-focus": `shortcut ${id}`, "data-testid": `shortcut-${id}` }, label);
    line.addEventListener("click", () => {
      toggle(false);
      pane.useShortcut(row, id);
    });
    menu.append(line);
  }
  bar.append(menu);
  bar.addEventListener("keydown", (event) => event.key === "Escape" && toggle(false));
  return bar;
}

// What is typed lives in `editing`, since the message may be drawn anew meanwhile.
function editor(pane, row) {
  const draft = pane.editing;
  const box = element("textarea", { rows: "1", "aria-label": "Your message, edited", "data-focus": "editor", "data-testid": "editor" });
  box.value = draft.text;
  queueMicrotask(() => fit(box)); // once it stands in the page
  box.addEventListener("input", () => {
    draft.text = box.value;
    fit(box);
  });
  const close = () => {
    if (pane.editing !== draft) return;
    pane.editing = null;
    pane.draw();
    draft.list.querySelector(`[data-id="${CSS.escape(row.id)}"] [data-focus="edit"]`)?.focus();
  };
  const save = async () => {
    if (draft.text === row.typed) return close();
    if (await pane.send("edit", { channel: row.channel, message: row.id, person: pane.person, text: draft.text })) close();
  };
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      save();
    }
  });
  const form = element(
    "form",
    { class: "editor" },
    box,
    element("button", { type: "button", class: "quiet", "data-focus": "cancel" }, "Cancel"),
    element("button", { "data-focus": "save", "data-testid": "save" }, "Save"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
  form.querySelector(".quiet").addEventListener("click", close);
  return form;
}

function focusEditor(pane) {
  const box = pane.editing.list.querySelector('[data-focus="editor"]');
  fit(box);
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}

function reactions(pane, row) {
  const bar = element("div", { class: "reactions" });
  const shown = row.reactions.map((one) => one.emoji);
  for (const { emoji, people } of row.reactions) bar.append(pill(pane, row, emoji, people));
  if (row.bot) {
    for (const emoji of QUICK) if (!shown.includes(emoji)) bar.append(pill(pane, row, emoji, []));
  }
  if (row.rating) {
    bar.append(element("span", { class: "rating", "data-testid": "rating", "data-rating": row.rating, title: "What Dify was told about this answer" }, `Dify: ${RATED[row.rating]}`));
  }
  return bar;
}

function pill(pane, row, emoji, people) {
  const mine = people.includes(row.viewer);
  const who = people.map((id) => pane.names[id] ?? id).join(", ");
  const verb = mine ? "Take away" : "React with";
  const button = element(
    "button",
    {
      type: "button",
      class: people.length ? "pill" : "pill quick",
      "aria-pressed": String(mine),
      "aria-label": people.length ? `${emoji} by ${who}. ${verb} ${emoji}` : `${verb} ${emoji}`,
      title: people.length ? `${who} reacted with ${emoji}` : `${verb} ${emoji}`,
      "data-testid": emoji === "👍" ? "react-up" : emoji === "👎" ? "react-down" : "react",
      "data-focus": emoji,
    },
    icon(emoji, 14),
  );
  if (people.length) button.append(element("b", {}, String(people.length)));
  button.addEventListener("click", () => {
    pane.send("react", { channel: row.channel, message: row.id, person: pane.person, emoji, add: !mine });
  });
  return button;
}

function threadButton(pane, row) {
  const label = row.thread.count === 1 ? "1 reply" : `${row.thread.count} replies`;
  const name = [...(row.thread.name && pane.platform === "discord" && !row.post ? [row.thread.name] : []), label, ...(row.thread.state ? [row.thread.state] : [])].join(" · ");
  const button = element("button", { type: "button", class: "replies", "data-focus": "thread", "data-testid": "open-thread" }, name);
  button.addEventListener("click", () => pane.open(pane.channel, row.id));
  return button;
}

// A file on a message. Only what was really uploaded can be had again; pictures are shown.
function card(file) {
  const attributes = { class: "picture", "data-testid": "picture", "data-focus": `file ${file.name}`, href: file.url, download: file.name, title: `Download ${file.name}` };
  if (file.image && file.url) return element("a", attributes, element("img", { src: file.url, alt: file.name }));
  const inside = [
    element("span", { class: "sheet", "aria-hidden": "true" }, icon("file", 20)),
    element("span", { class: "about" }, element("b", {}, file.name), element("small", {}, sized(file.size))),
  ];
  const kept = { class: "file", "data-testid": "file", "data-focus": `file ${file.name}` };
  if (!file.url) return element("div", kept, ...inside);
  return element("a", { ...kept, href: file.url, download: file.name, title: `Download ${file.name}` }, ...inside);
}

function sized(bytes) {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} kB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function tone(name) {
  return [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 5;
}

// Makes a box as high as what is typed in it, within reason.
export function fit(box) {
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight + 2, 120)}px`;
}
