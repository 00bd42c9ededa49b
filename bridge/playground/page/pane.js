// One platform's pane: channels, messages, threads, composers. Draws what the server says; keeps only what is selected.

import { icon } from "/page/icons.js";
import { element } from "/page/markdown.js";
import { drawMessage, fit } from "/page/message.js";

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
      row.empty ? element("li", { class: "empty" }, row.empty) : drawMessage(this, row, list),
    );
    if (atEnd || another) list.scrollTop = list.scrollHeight;
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
