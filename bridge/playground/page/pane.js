// One platform's pane: channels, messages, threads, composers. Draws what the server says; keeps only what is selected.

import { icon } from "/page/icons.js";
import { element, render } from "/page/markdown.js";

const QUICK = ["👍", "👎"];
const RATED = { like: "like", dislike: "dislike", none: "no rating" };

// Makes the children of `parent` match `items`: nodes are kept by key and made again only when their content changed.
export function keep(parent, items, key, make) {
  const known = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let cursor = parent.firstElementChild;
  for (const item of items) {
    const id = String(key(item));
    const mark = JSON.stringify(item);
    let node = known.get(id);
    known.delete(id);
    if (!node || node.mark !== mark) {
      const made = make(item, node);
      made.dataset.key = id;
      made.mark = mark;
      if (node) {
        const focus = node.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
        if (cursor === node) cursor = made;
        node.replaceWith(made);
        if (focus) made.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus();
      }
      node = made;
    }
    if (node === cursor) cursor = cursor.nextElementSibling;
    else parent.insertBefore(node, cursor);
  }
  for (const node of known.values()) node.remove();
}

export class Pane {
  constructor(root, send) {
    this.root = root;
    this.platform = root.dataset.platform;
    this.send = send;
    this.channel = null;
    this.thread = null;
    this.follow = null;
    this.chosen = null;
    this.state = null;
    this.editing = null;
    this.part("person").addEventListener("change", (event) => {
      this.chosen = event.target.value;
      this.editing = null;
      this.draw();
    });
    this.compose("form", "composer", () => this.platform === "discord" && this.thread);
    if (this.platform === "slack") {
      this.compose("thread-form", "thread-composer", () => this.thread);
      this.part("close").addEventListener("click", () => this.open(this.channel, null));
    }
    this.lastComposer = this.part("composer");
    // A button that is drawn anew between press and release never hears of its click.
    this.pressed = false;
    root.addEventListener("pointerdown", () => { this.pressed = true; });
    for (const end of ["pointerup", "pointercancel"]) {
      window.addEventListener(end, () => setTimeout(() => this.release()));
    }
  }

  release() {
    if (!this.pressed) return;
    this.pressed = false;
    this.draw();
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  compose(formName, boxName, threadOf) {
    const box = this.part(boxName);
    const form = this.part(formName);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const text = box.value;
      if (!text.trim()) return;
      const sent = await this.send("post", { channel: this.channel, thread: threadOf() || null, person: this.person, text });
      if (!sent) return;
      box.value = "";
      fit(box);
      // A question at the top of a channel is answered in a thread: show it as soon as it is there.
      if (!threadOf()) this.follow = /@bot\b/i.test(text) ? sent.id : null;
      this.draw();
    });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    box.addEventListener("input", () => fit(box));
    box.addEventListener("focus", () => {
      this.lastComposer = box;
      this.root.dispatchEvent(new Event("used"));
    });
  }

  fill(text) {
    this.lastComposer.value = text;
    fit(this.lastComposer);
    this.lastComposer.focus();
  }

  open(channel, thread) {
    this.channel = channel;
    this.thread = thread;
    this.follow = null;
    this.editing = null;
    this.lastComposer = this.part(thread && this.platform === "slack" ? "thread-composer" : "composer");
    this.draw();
    this.lastComposer.focus();
  }

  update(state) {
    this.state = state;
    if (!this.pressed) this.draw();
  }

  get room() {
    return this.state.channels.find((channel) => channel.id === this.channel) ?? this.state.channels[0];
  }

  get person() {
    const here = this.room.members;
    return here.includes(this.chosen) ? this.chosen : here[0];
  }

  draw() {
    if (!this.state || !this.state.channels.length) return;
    const room = this.room;
    this.channel = room.id;
    this.names = Object.fromEntries([...this.state.people, this.state.bot].map((one) => [one.id, one.name]));
    const followed = room.messages.find((message) => message.id === this.follow);
    if (followed?.thread) {
      this.thread = followed.id;
      this.follow = null;
    }
    const open = room.messages.find((message) => message.id === this.thread && message.thread);
    if (this.thread && !open) this.thread = null;
    this.drawChannels();
    this.drawPerson(room);
    if (this.platform === "slack") this.drawSlack(room, open);
    else this.drawDiscord(room, open);
  }

  drawChannels() {
    const rows = [];
    for (const channel of this.state.channels) {
      rows.push({ ...brief(channel), current: channel.id === this.channel && (this.platform === "slack" || !this.thread) });
      if (this.platform !== "discord") continue;
      for (const message of channel.messages.filter((one) => one.thread)) {
        rows.push({
          id: `${channel.id}/${message.id}`,
          name: message.thread.name,
          kind: "thread",
          parent: channel.id,
          thread: message.id,
          current: message.id === this.thread,
        });
      }
    }
    keep(this.part("channels"), rows, (row) => row.id, (row) => {
      const label = row.kind === "thread" ? row.name : spelled(row);
      const button = element(
        "button",
        {
          type: "button",
          title: label,
          "aria-current": row.current ? "true" : undefined,
          "data-focus": "open",
          "data-testid": row.kind === "thread" ? "discord-thread-link" : `${this.platform}-channel-${row.id}`,
        },
        ...(row.kind === "group" ? [icon("lock", 11), " "] : []),
        label,
      );
      button.addEventListener("click", () => this.open(row.parent ?? row.id, row.thread ?? null));
      return element("li", { class: row.kind === "thread" ? "sub" : undefined }, button);
    });
  }

  drawPerson(room) {
    const select = this.part("person");
    const people = this.state.people.filter((one) => room.members.includes(one.id));
    keep(select, people, (one) => one.id, (one) => element("option", { value: one.id }, one.name));
    select.value = this.person;
    select.disabled = people.length < 2;
  }

  drawSlack(room, open) {
    const place = spelled(room);
    this.part("title").textContent = place;
    this.part("composer").placeholder = open ? `Message ${place}` : `Message ${place} · try @bot hello`;
    this.drawMessages(this.part("messages"), room.messages, `Nothing in ${place} yet. ${this.invitation(room)}`);
    const panel = this.part("thread");
    panel.hidden = !open;
    if (!open) return;
    this.drawMessages(this.part("thread-messages"), [{ ...open, thread: null }, ...open.thread.messages], "");
    this.part("thread-activity").textContent = open.thread.activity ? `bot ${open.thread.activity}` : "";
    this.part("thread-composer").placeholder = "Reply · no @bot needed";
  }

  drawDiscord(room, open) {
    const place = spelled(room);
    this.part("title").textContent = open ? open.thread.name : place;
    this.part("title").title = this.part("title").textContent;
    this.part("composer").placeholder = open ? "Message the thread · no @bot needed here" : `Message ${place} · try @bot hello`;
    const shown = open ? [{ ...open, thread: null }, ...open.thread.messages] : room.messages;
    this.drawMessages(this.part("messages"), shown, `Nothing in ${place} yet. ${this.invitation(room)}`);
    this.part("activity").textContent = (open ? open.thread.activity : room.activity) ? "bot is typing…" : "";
  }

  invitation(room) {
    return room.direct ? "Just write a question; no mention is needed here." : "Ask something: @bot help";
  }

  drawMessages(list, messages, empty) {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 48;
    const another = list.dataset.place !== `${this.channel}/${this.thread}`;
    list.dataset.place = `${this.channel}/${this.thread}`;
    const rows = messages.map((message) => {
      const told = message.told[this.person] ?? "";
      const editing = this.editing?.id === message.id && this.editing.list === list;
      return { ...message, told, editing, thread: threadLine(message), viewer: this.person };
    });
    keep(list, rows.length || !empty ? rows : [{ id: "empty", empty }], (row) => row.id, (row) =>
      row.empty ? element("li", { class: "empty" }, row.empty) : this.message(row, list),
    );
    if (atEnd || another) list.scrollTop = list.scrollHeight;
  }

  message(row, list) {
    const head = element("div", { class: "by" }, element("strong", {}, row.name));
    if (row.bot) head.append(element("span", { class: "badge" }, "APP"));
    head.append(element("time", { datetime: new Date(row.time * 1000).toISOString() }, clock(row.time)));
    const text = element("div", { class: "text", "data-testid": "text" }, render(row.text, row.dialect, this.names, row.mentions));
    if (row.edited) (text.lastElementChild?.matches("p") ? text.lastElementChild : text).append(element("span", { class: "edited" }, "(edited)"));
    const body = element("div", { class: "body" }, head, row.editing ? this.editor(row) : text, ...row.files.map(card));
    if (row.buttons.length) body.append(element("div", { class: "buttons" }, ...row.buttons.map((one) => this.button(row, one))));
    if (row.told) body.append(element("p", { class: "told", role: "status", "data-testid": "told" }, row.told));
    body.append(this.reactions(row));
    if (row.thread) body.append(this.threadButton(row));
    if (row.author === row.viewer && !row.editing) body.append(this.ownControls(row, list));
    return element(
      "li",
      { class: row.bot ? "message bot" : "message", "data-testid": "message", "data-author": row.bot ? "bot" : "person", "data-id": row.id },
      element("span", { class: "avatar", "aria-hidden": "true", "data-tone": row.bot ? "bot" : tone(row.name) }, row.bot ? icon("bot", 24) : row.name[0]),
      body,
    );
  }

  // A button under an answer, as the platform has it.
  button(row, { id, label, style }) {
    const attributes = { type: "button", class: `press ${style}`, "data-focus": `press ${id}`, "data-testid": "press", "data-button": id };
    const button = element("button", attributes, label);
    button.addEventListener("click", () => this.send("press", { channel: row.channel, message: row.id, person: this.person, button: id }));
    return button;
  }

  ownControls(row, list) {
    const control = (name, label, act) => {
      const button = element("button", { type: "button", title: label, "aria-label": label, "data-focus": name, "data-testid": name }, icon(name === "edit" ? "pencil" : "bin", 15));
      button.addEventListener("click", act);
      return button;
    };
    const edit = () => {
      this.editing = { id: row.id, list, text: row.typed };
      this.draw();
      this.focusEditor();
    };
    const remove = () => this.send("delete", { channel: row.channel, message: row.id, person: this.person });
    return element("div", { class: "own" }, control("edit", "Edit your message", edit), control("delete", "Delete your message", remove));
  }

  // What is typed lives in `editing`, since the message may be drawn anew meanwhile.
  editor(row) {
    const box = element("textarea", { rows: "1", "aria-label": "Your message, edited", "data-focus": "editor", "data-testid": "editor" });
    box.value = this.editing.text;
    box.addEventListener("input", () => {
      this.editing.text = box.value;
      fit(box);
    });
    const close = () => {
      const list = this.editing.list;
      this.editing = null;
      this.draw();
      list.querySelector(`[data-id="${CSS.escape(row.id)}"] [data-focus="edit"]`)?.focus();
    };
    const save = async () => {
      const text = this.editing.text;
      if (text === row.typed) return close();
      if (await this.send("edit", { channel: row.channel, message: row.id, person: this.person, text })) close();
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

  focusEditor() {
    const box = this.editing.list.querySelector('[data-focus="editor"]');
    fit(box);
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
  }

  reactions(row) {
    const bar = element("div", { class: "reactions" });
    const shown = row.reactions.map((one) => one.emoji);
    for (const { emoji, people } of row.reactions) bar.append(this.pill(row, emoji, people));
    if (row.bot) {
      for (const emoji of QUICK) if (!shown.includes(emoji)) bar.append(this.pill(row, emoji, []));
    }
    if (row.rating) {
      bar.append(element("span", { class: "rating", "data-testid": "rating", "data-rating": row.rating, title: "What Dify was told about this answer" }, `Dify: ${RATED[row.rating]}`));
    }
    return bar;
  }

  pill(row, emoji, people) {
    const mine = people.includes(row.viewer);
    const who = people.map((id) => this.names[id] ?? id).join(", ");
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
      this.send("react", { channel: row.channel, message: row.id, person: this.person, emoji, add: !mine });
    });
    return button;
  }

  threadButton(row) {
    const label = row.thread.count === 1 ? "1 reply" : `${row.thread.count} replies`;
    const name = this.platform === "discord" ? `${row.thread.name} · ${label}` : label;
    const button = element("button", { type: "button", class: "replies", "data-focus": "thread", "data-testid": "open-thread" }, name);
    button.addEventListener("click", () => this.open(this.channel, row.id));
    return button;
  }
}

function brief(channel) {
  return { id: channel.id, name: channel.name, kind: channel.kind, direct: channel.direct };
}

function spelled(channel) {
  if (channel.direct) return `${channel.name} ↔ bot`;
  return channel.kind === "group" ? channel.name : `# ${channel.name}`;
}

function threadLine(message) {
  return message.thread ? { name: message.thread.name, count: message.thread.messages.length } : null;
}

// A file on a message. Only what was really uploaded can be had again.
function card(file) {
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

function fit(box) {
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight + 2, 120)}px`;
}
