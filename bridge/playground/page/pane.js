// One platform's pane: channels, messages, threads, composers. Draws what the server says; keeps only what is selected.

import { Composer } from "/page/composer.js";
import { icon } from "/page/icons.js";
import { element } from "/page/markdown.js";
import { drawMessage } from "/page/message.js";
import { drawHome, drawModal, drawPrompts, drawQuestion } from "/page/surfaces.js";

const TAKES_TURNS = 2500;

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
  constructor(root, send, complain) {
    this.root = root;
    this.platform = root.dataset.platform;
    this.send = send;
    this.complain = complain;
    this.channel = null;
    this.thread = null;
    this.tab = "messages";
    this.follow = null;
    this.known = null;
    this.chosen = null;
    this.state = null;
    this.editing = null;
    this.menu = null;
    this.asking = null;
    this.above = null;
    this.warned = null;
    this.drafts = {};
    this.folded = new Set();
    this.turn = 0;
    this.part("person").addEventListener("change", (event) => {
      this.chosen = event.target.value;
      this.editing = this.menu = null;
      this.draw();
    });
    this.composers = { room: new Composer(this, this.part("form"), () => (this.platform === "discord" ? this.thread : null)) };
    if (this.platform === "slack") this.prepareSlack();
    this.lastComposer = this.composers.room;
    // A button that is drawn anew between press and release never hears of its click.
    this.pressed = false;
    root.addEventListener("pointerdown", () => { this.pressed = true; });
    for (const end of ["pointerup", "pointercancel"]) {
      window.addEventListener(end, () => setTimeout(() => this.release()));
    }
  }

  prepareSlack() {
    this.composers.thread = new Composer(this, this.part("thread-form"), () => this.thread);
    this.part("close").addEventListener("click", () => this.open(this.channel, null));
    this.part("stop").addEventListener("click", () => this.send("stop", { person: this.person, channel: this.channel, thread: this.thread }));
    for (const tab of ["messages", "home"]) this.part(`tab-${tab}`).addEventListener("click", () => this.turnTo(tab));
    window.addEventListener("click", (event) => {
      if (!this.menu || event.target.closest(".own")) return;
      this.menu = null;
      this.draw();
    });
    setInterval(() => {
      this.turn += 1;
      const open = this.state && this.opened();
      if (open?.thread.loading.length) this.drawActivity(open);
    }, TAKES_TURNS);
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

  async sendMessage(text, files, thread) {
    const sent = await this.send("post", { channel: this.channel, thread: thread || null, person: this.person, text, files });
    if (!sent) return null;
    // A question at the top of a channel is answered in a thread: show it as soon as it is there.
    if (!thread) this.follow = this.room.direct || /@bot\b/i.test(text) ? sent.id : null;
    this.known = null;
    this.draw();
    return sent;
  }

  async sendCommand(name, text, thread) {
    const sent = await this.send("command", { channel: this.channel, thread: thread || null, person: this.person, name, text });
    // Its answer comes in a thread of its own.
    if (sent) this.known = new Set(this.room.messages.map((one) => one.id));
    return sent;
  }

  press(row, one, value) {
    const act = { channel: row.channel, message: row.id, person: this.person, button: one.action_id, value: value ?? one.value };
    this.confirmed(one, () => this.send("press", act));
  }

  // Does it at once, or after the question that the app put before it.
  confirmed(one, act) {
    if (!one.confirm) return act();
    const answer = (yes) => {
      this.asking = null;
      this.draw();
      if (yes) act();
    };
    this.asking = { ...one.confirm, answer };
    this.draw();
  }

  useShortcut(row, shortcut) {
    this.follow = row.id;
    this.send("shortcut", { channel: row.channel, message: row.id, person: this.person, shortcut });
  }

  turnTo(tab) {
    this.tab = tab;
    this.send("look", { person: this.person, tab });
    this.draw();
  }

  useComposer(composer) {
    this.lastComposer = composer;
    this.root.dispatchEvent(new Event("used"));
  }

  fill(text) {
    this.lastComposer.fill(text);
  }

  open(channel, thread) {
    const another = channel !== this.channel;
    this.channel = channel;
    this.thread = thread;
    this.tab = "messages";
    this.follow = this.known = null;
    this.editing = this.menu = null;
    this.lastComposer = this.composers[thread && this.platform === "slack" ? "thread" : "room"];
    this.draw();
    this.lastComposer.box.focus();
    // Slack tells the app when somebody opens its messages.
    if (another && this.room.direct && this.platform === "slack") this.send("look", { person: this.person, tab: "messages" });
  }

  update(state) {
    this.state = state;
    this.warn(state.warnings ?? []);
    if (!this.pressed) this.draw();
  }

  // What Slack says to somebody alone, in passing. What was said before this page was opened is not said again.
  warn(warnings) {
    const last = warnings.at(-1)?.id ?? -1;
    const fresh = this.warned === null ? [] : warnings.filter((one) => one.id > this.warned);
    this.warned = last;
    for (const one of fresh) this.complain(one.words);
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

  // Channels as pairs of id and name, for menus.
  get places() {
    return this.state.channels.filter((one) => one.members.includes(this.person)).map((one) => [one.id, spelled(one)]);
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
    const followed = room.messages.find((one) => one.thread && (one.id === this.follow || (this.known && one.bot && !this.known.has(one.id))));
    if (followed) {
      this.thread = followed.id;
      this.follow = this.known = null;
    }
    const open = this.opened();
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

  drawSlack(room, open) {
    const place = spelled(room);
    const home = room.direct && this.tab === "home";
    this.part("title").textContent = place;
    this.part("tabs").hidden = !room.direct;
    for (const tab of ["messages", "home"]) this.part(`tab-${tab}`).setAttribute("aria-selected", String(this.tab === tab));
    for (const name of ["messages", "form", "prompts"]) this.part(name).hidden = home;
    this.part("home").hidden = !home;
    if (home) this.drawHome();
    this.composers.room.box.placeholder = room.direct ? "Message the bot · / for commands" : open ? `Message ${place}` : `Message ${place} · try @bot hello, or /`;
    this.drawMessages(this.part("messages"), room.messages, room.whispers, `Nothing in ${place} yet. ${this.invitation(room)}`);
    keep(this.part("prompts"), room.prompts && !home ? [{ id: "prompts", ...room.prompts }] : [], (row) => row.id, (row) => drawPrompts(this, row));
    this.drawAbove();
    const panel = this.part("thread");
    panel.hidden = !open || home;
    if (panel.hidden) return;
    this.part("thread-name").textContent = open.thread.name === "Thread" ? place : open.thread.name;
    this.drawMessages(this.part("thread-messages"), [{ ...open, thread: null }, ...open.thread.messages], open.thread.whispers, "");
    this.drawActivity(open);
    this.composers.thread.box.placeholder = "Reply · no @bot needed";
  }

  // What Slack says of the bot's work at the foot of a thread, and its own Stop above it.
  drawActivity({ thread }) {
    const busy = thread.session === "processing";
    const line = thread.loading.length ? thread.loading[this.turn % thread.loading.length] : thread.activity ? `bot ${thread.activity}` : busy ? "bot is working…" : "";
    this.part("thread-activity").textContent = line;
    this.part("working").hidden = !busy;
    this.part("stop").hidden = !thread.stoppable;
  }

  drawHome() {
    const view = this.state.homes.find((one) => one.person === this.person);
    const rows = view ? [view] : [{ id: "empty" }];
    keep(this.part("home"), rows, (row) => row.id, (row) => (row.blocks ? drawHome(this, row) : element("p", { class: "empty" }, "The bot shows nothing here yet.")));
  }

  // A modal covers the pane until it is answered, and so does a question.
  drawAbove() {
    const view = this.state.modals.find((one) => one.person === this.person);
    const rows = [...(view ? [view] : []), ...(this.asking ? [{ id: "asking", ...this.asking }] : [])];
    keep(this.part("above"), rows, (row) => row.id, (row) => (row.answer ? drawQuestion(row) : drawModal(this, row)));
    for (const name of ["side", "room", "thread"]) this.root.querySelector(`.${name}`).inert = rows.length > 0;
    const above = rows.at(-1)?.id ?? null;
    if (above === this.above) return;
    this.above = above;
    const first = this.part("above").lastElementChild?.querySelector("textarea, input, select, .go, .quiet");
    (first ?? this.lastComposer.box).focus();
  }

  drawDiscord(room, open) {
    const place = spelled(room);
    this.part("title").textContent = open ? open.thread.name : place;
    this.part("title").title = this.part("title").textContent;
    this.composers.room.box.placeholder = open ? "Message the thread · no @bot needed here" : `Message ${place} · try @bot hello`;
    const shown = open ? [{ ...open, thread: null }, ...open.thread.messages] : room.messages;
    this.drawMessages(this.part("messages"), shown, [], `Nothing in ${place} yet. ${this.invitation(room)}`);
    this.part("activity").textContent = (open ? open.thread.activity : room.activity) ? "bot is typing…" : "";
  }

  invitation(room) {
    return room.direct ? "Just write a question; no mention is needed here." : "Ask something: @bot help";
  }

  drawMessages(list, messages, whispers, empty) {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 48;
    const another = list.dataset.place !== `${this.channel}/${this.thread}`;
    list.dataset.place = `${this.channel}/${this.thread}`;
    const heard = whispers.filter((one) => one.only === this.person);
    const shown = heard.length ? [...messages, ...heard].sort((a, b) => a.time - b.time) : messages;
    const rows = shown.map((message) => ({
      ...message,
      told: message.told[this.person] ?? "",
      editing: this.editing?.id === message.id && this.editing.list === list,
      menu: this.menu?.id === message.id && this.menu.list === list,
      shortcuts: message.only ? [] : (this.state.shortcuts ?? []),
      outside: this.outside.has(message.author),
      thread: threadLine(message),
      viewer: this.person,
    }));
    keep(list, rows.length || !empty ? rows : [{ id: "empty", empty }], (row) => row.id, (row) =>
      row.empty ? element("li", { class: "empty" }, row.empty) : drawMessage(this, row, list),
    );
    if (atEnd || another) list.scrollTop = list.scrollHeight;
  }
}

const MARKS = { group: "lock", mpim: "people" };

function brief(channel) {
  return { id: channel.id, name: channel.name, kind: channel.kind, direct: channel.direct, shared: channel.shared };
}

function spelled(channel) {
  if (channel.direct) return `${channel.name} ↔ bot`;
  return MARKS[channel.kind] ? channel.name : `# ${channel.name}`;
}

function threadLine(message) {
  return message.thread ? { name: message.thread.name, count: message.thread.messages.length } : null;
}
