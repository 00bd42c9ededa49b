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
    this.asking = null;
    this.turn = 0;
    this.threadComposer = new Composer(this, this.part("thread-form"), () => this.thread);
    this.part("close").addEventListener("click", () => this.open(this.channel, null));
    this.part("stop").addEventListener("click", () => this.send("stop", { person: this.person, channel: this.channel, thread: this.thread }));
    for (const tab of ["messages", "home"]) this.part(`tab-${tab}`).addEventListener("click", () => this.turnTo(tab));
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

  // Slack takes whatever begins with a slash for a command, and sends no files along with one.
  commandIn(text) {
    return /^\/\S+/.exec(text)?.[0] ?? null;
  }

  get sendsFilesWithCommands() {
    return false;
  }

  // What is done

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

  drawAbove() {
    const view = this.state.modals.find((one) => one.person === this.person);
    const rows = [...(view ? [view] : []), ...(this.asking ? [{ id: "asking", ...this.asking }] : [])];
    this.cover(rows, (row) => (row.answer ? drawQuestion(row) : drawModal(this, row)));
  }
}
