// What the panes of both platforms share: channels, messages, threads, composers. Draws what the server says; keeps only what
// is selected.

import { Composer } from "/page/composer.js";
import { icon } from "/page/icons.js";
import { element } from "/page/markdown.js";
import { drawMessage } from "/page/message.js";

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

// Keeps the end of a list in sight while it grows, and while what stands around it changes, until somebody scrolls away.
function stick(list) {
  const down = () => {
    if (list.stuck) list.scrollTop = list.scrollHeight;
  };
  list.stuck = true;
  list.addEventListener("scroll", () => {
    list.stuck = list.scrollHeight - list.scrollTop - list.clientHeight < 48;
  });
  list.addEventListener("load", down, true); // of pictures, which do not tell their list by themselves
  new ResizeObserver(down).observe(list);
}

export class Pane {
  constructor(root, send, complain) {
    this.root = root;
    this.platform = root.dataset.platform;
    this.send = send;
    this.complain = complain;
    this.channel = null;
    this.thread = null;
    this.follow = null;
    this.chosen = null;
    this.state = null;
    this.editing = null;
    this.menu = null;
    this.folded = new Set();
    this.known = null;
    this.above = null;
    this.warned = null;
    this.drafts = {};
    this.part("person").addEventListener("change", (event) => {
      this.chosen = event.target.value;
      this.editing = this.menu = null;
      this.draw();
    });
    this.composer = this.lastComposer = new Composer(this, this.part("form"), () => this.threadOfRoom);
    for (const list of root.querySelectorAll(".messages")) stick(list);
    window.addEventListener("click", (event) => {
      if (!this.menu || event.target.closest(".own")) return;
      this.menu = null;
      this.draw();
    });
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

  // What is done

  async sendMessage(text, files, thread, more = {}) {
    this.known = null;
    const sent = await this.send("post", { channel: this.channel, thread: thread || null, person: this.person, text, files, ...more });
    if (!sent) return null;
    // A question at the top of a channel is answered in a thread: show it as soon as it is there.
    if (!thread) this.follow = this.room.direct || /@bot\b/i.test(text) ? sent.id : null;
    this.draw();
    return sent;
  }

  async sendCommand(name, text, thread, files) {
    // Its answer comes in a thread of its own, perhaps before the act itself is confirmed.
    this.known = thread ? null : new Set(this.room.messages.map((one) => one.id));
    const sent = await this.send("command", { channel: this.channel, thread: thread || null, person: this.person, name, text, files });
    if (!sent) this.known = null;
    return sent;
  }

  useShortcut(row, shortcut) {
    this.follow = row.id;
    this.send("shortcut", { channel: row.channel, message: row.id, person: this.person, shortcut });
  }

  useComposer(composer) {
    this.lastComposer = composer;
    this.root.dispatchEvent(new Event("used"));
  }

  fill(text) {
    this.lastComposer.fill(text);
  }

  open(channel, thread) {
    this.channel = channel;
    this.thread = thread;
    this.stopFollowing();
    this.editing = this.menu = null;
    this.lastComposer = this.composerOf(thread);
    this.draw();
    this.lastComposer.box.focus();
  }

  update(state) {
    this.warn(state.warnings ?? []);
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

  get commands() {
    return this.state?.commands ?? [];
  }

  get shortcuts() {
    return this.state.shortcuts ?? [];
  }

  // What the platform says to somebody alone, in passing. What was said before this page was opened is not said again.
  warn(warnings) {
    const last = warnings.at(-1)?.id ?? -1;
    const fresh = this.warned === null ? [] : warnings.filter((one) => one.id > this.warned);
    this.warned = last;
    for (const one of fresh) this.complain(one.words);
  }

  isFollowed(message) {
    return message.id === this.follow || (this.known !== null && message.bot && !this.known.has(message.id));
  }

  stopFollowing() {
    this.follow = this.known = null;
  }

  opened() {
    return this.room.messages.find((message) => message.id === this.thread && message.thread);
  }

  draw() {
    if (!this.state || !this.state.channels.length) return;
    const room = this.room;
    this.channel = room.id;
    this.names = Object.fromEntries([...this.state.people, this.state.bot].map((one) => [one.id, one.name]));
    this.outside = new Set(this.state.people.filter((one) => one.outside).map((one) => one.id));
    const followed = room.messages.find((one) => one.thread && this.isFollowed(one));
    if (followed) {
      this.thread = followed.id;
      this.stopFollowing();
    }
    const open = this.opened();
    if (this.thread && !open) this.thread = null;
    this.drawChannels();
    this.drawPerson(room);
    this.drawRoom(room, open);
  }

  drawChannels() {
    const rows = this.state.channels.flatMap((one) => this.linesOf(one));
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
        ...(MARKS[row.kind] ? [icon(MARKS[row.kind], 11), " "] : []),
        label,
        ...(row.shared ? [" ", element("span", { class: "shared", title: "Shared with another company" }, icon("shared", 12))] : []),
      );
      button.addEventListener("click", () => this.open(row.parent ?? row.id, row.thread ?? null));
      return element("li", { class: row.kind === "thread" ? "sub" : undefined }, button);
    });
  }

  drawPerson(room) {
    const select = this.part("person");
    const people = this.state.people.filter((one) => room.members.includes(one.id));
    keep(select, people, (one) => one.id, (one) => element("option", { value: one.id }, one.outside ? `${one.name} (external)` : one.name));
    select.value = this.person;
    select.disabled = people.length < 2;
  }

  // What covers the pane until it is answered: a modal, a question.
  cover(rows, draw) {
    keep(this.part("above"), rows, (row) => row.id, draw);
    for (const name of ["side", "room", "thread"]) this.root.querySelector(`.${name}`)?.toggleAttribute("inert", rows.length > 0);
    const above = rows.at(-1)?.id ?? null;
    if (above === this.above) return;
    this.above = above;
    const first = this.part("above").lastElementChild?.querySelector("textarea, input, select, .go, .quiet");
    (first ?? this.lastComposer.box).focus();
  }

  // What goes along with the next message, beside files.
  chips() {
    return [];
  }

  // Whether one can reply to this very message.
  canAnswer() {
    return false;
  }

  invitation(room) {
    return room.direct ? "Just write a question; no mention is needed here." : "Ask something: @bot help";
  }

  drawMessages(list, messages, whispers, empty) {
    const place = `${this.channel}/${this.thread}`;
    if (list.dataset.place !== place) list.stuck = true;
    list.dataset.place = place;
    const heard = whispers.filter((one) => one.only === this.person);
    const shown = heard.length ? [...messages, ...heard].sort((a, b) => a.time - b.time) : messages;
    const rows = shown.map((message) => ({
      ...message,
      told: message.told[this.person] ?? "",
      editing: this.editing?.id === message.id && this.editing.list === list,
      menu: this.menu?.id === message.id && this.menu.list === list,
      shortcuts: message.only || message.system ? [] : this.shortcuts,
      answerable: this.canAnswer(message),
      outside: this.outside.has(message.author),
      thread: threadLine(message),
      viewer: this.person,
    }));
    keep(list, rows.length || !empty ? rows : [{ id: "empty", empty }], (row) => row.id, (row) =>
      row.empty ? element("li", { class: "empty" }, row.empty) : drawMessage(this, row, list),
    );
    if (list.stuck) list.scrollTop = list.scrollHeight;
  }
}

const MARKS = { group: "lock", mpim: "people", private: "people", forum: "forum" };

export function brief(channel) {
  return { id: channel.id, name: channel.name, kind: channel.kind, direct: channel.direct, shared: channel.shared };
}

export function spelled(channel) {
  if (channel.direct) return `${channel.name} ↔ bot`;
  return MARKS[channel.kind] ? channel.name : `# ${channel.name}`;
}

function threadLine(message) {
  const { thread } = message;
  return thread ? { name: thread.name, count: thread.messages.length, state: thread.state } : null;
}
