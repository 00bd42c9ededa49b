// Slack's pane: a thread stands beside its channel; commands, shortcuts, modals, the bot's Home tab, Slack's own Stop.

import { Composer } from "/page/composer.js";
import { element } from "/page/markdown.js";
import { Pane, brief, keep, spelled } from "/page/pane.js";
import { drawHome, drawModal, drawPrompts, drawQuestion } from "/page/surfaces.js";

// Milliseconds for which each of several loading messages stands.
const TAKES_TURNS = 2500;

export class SlackPane extends Pane {
  constructor(root, send, complain) {
    super(root, send, complain);
    this.tab = "messages";
    this.known = null;
    this.asking = null;
    this.above = null;
    this.warned = null;
    this.drafts = {};
    this.turn = 0;
    this.threadComposer = new Composer(this, this.part("thread-form"), () => this.thread);
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
      if (!this.state?.channels.length) return;
      const open = this.opened();
      if (open?.thread.loading.length) this.drawActivity(open);
    }, TAKES_TURNS);
  }

  get threadOfRoom() {
    return null;
  }

  composerOf(thread) {
    return thread ? this.threadComposer : this.composer;
  }

  linesOf(channel) {
    return [{ ...brief(channel), current: channel.id === this.channel }];
  }

  // Channels as pairs of id and name, for menus.
  get places() {
    return this.state.channels.filter((one) => one.members.includes(this.person)).map((one) => [one.id, spelled(one)]);
  }

  isFollowed(message) {
    return super.isFollowed(message) || (this.known !== null && message.bot && !this.known.has(message.id));
  }

  stopFollowing() {
    super.stopFollowing();
    this.known = null;
  }

  // What is done

  async sendMessage(text, files, thread) {
    this.known = null;
    return super.sendMessage(text, files, thread);
  }

  async sendCommand(name, text, thread) {
    // Its answer comes in a thread of its own, perhaps before the act itself is confirmed.
    this.known = new Set(this.room.messages.map((one) => one.id));
    const sent = await this.send("command", { channel: this.channel, thread: thread || null, person: this.person, name, text });
    if (!sent) this.known = null;
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

  open(channel, thread) {
    const another = channel !== this.channel;
    this.tab = "messages";
    super.open(channel, thread);
    // Slack tells the app when somebody opens its messages.
    if (another && this.room.direct) this.send("look", { person: this.person, tab: "messages" });
  }

  update(state) {
    this.warn(state.warnings ?? []);
    super.update(state);
  }

  // What Slack says to somebody alone, in passing. What was said before this page was opened is not said again.
  warn(warnings) {
    const last = warnings.at(-1)?.id ?? -1;
    const fresh = this.warned === null ? [] : warnings.filter((one) => one.id > this.warned);
    this.warned = last;
    for (const one of fresh) this.complain(one.words);
  }

  // What is drawn

  drawRoom(room, open) {
    const place = spelled(room);
    const home = room.direct && this.tab === "home";
    this.part("title").textContent = place;
    this.part("tabs").hidden = !room.direct;
    for (const tab of ["messages", "home"]) this.part(`tab-${tab}`).setAttribute("aria-selected", String(this.tab === tab));
    for (const name of ["messages", "form", "prompts"]) this.part(name).hidden = home;
    this.part("home").hidden = !home;
    if (home) this.drawHome();
    this.composer.box.placeholder = room.direct ? "Message the bot · / for commands" : open ? `Message ${place}` : `Message ${place} · try @bot hello, or /`;
    this.drawMessages(this.part("messages"), room.messages, room.whispers, `Nothing in ${place} yet. ${this.invitation(room)}`);
    keep(this.part("prompts"), room.prompts && !home ? [{ id: "prompts", ...room.prompts }] : [], (row) => row.id, (row) => drawPrompts(this, row));
    this.drawAbove();
    const panel = this.part("thread");
    panel.hidden = !open || home;
    if (panel.hidden) return;
    this.part("thread-name").textContent = open.thread.name === "Thread" ? place : open.thread.name;
    this.drawMessages(this.part("thread-messages"), [{ ...open, thread: null }, ...open.thread.messages], open.thread.whispers, "");
    this.drawActivity(open);
    this.threadComposer.box.placeholder = "Reply · no @bot needed";
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
}
