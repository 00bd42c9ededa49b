// Discord's pane. A thread takes the channel's place, and stands below it in the list; so does a post in a forum.

import { drawTag } from "/page/discord-message.js";
import { drawForm } from "/page/discord-surfaces.js";
import { icon } from "/page/icons.js";
import { element } from "/page/markdown.js";
import { Pane, brief, keep, spelled } from "/page/pane.js";

export class DiscordPane extends Pane {
  constructor(root, send, complain) {
    super(root, send, complain);
    this.replying = null;
    this.tags = new Set();
  }

  get threadOfRoom() {
    return this.thread;
  }

  composerOf() {
    return this.composer;
  }

  // Discord's client offers commands by person and place, and takes only those for commands.
  get offered() {
    if (!this.state?.channels.length) return [];
    return (this.opened()?.thread ?? this.room).offered[this.person] ?? [];
  }

  get commands() {
    const { offered } = this;
    return super.commands.filter((one) => offered.includes(one.name));
  }

  get shortcuts() {
    const { offered } = this;
    return super.shortcuts.filter((one) => offered.includes(one.id));
  }

  commandIn(text) {
    const [word] = text.split(/\s/, 1);
    return this.commands.some((one) => one.name === word) ? word : null;
  }

  get sendsFilesWithCommands() {
    return true;
  }

  linesOf(channel) {
    const threads = channel.messages
      .filter((one) => one.thread && (one.thread.state !== "archived" || one.id === this.thread))
      .map((one) => ({
        id: `${channel.id}/${one.id}`,
        name: one.thread.name,
        kind: "thread",
        parent: channel.id,
        thread: one.id,
        current: channel.id === this.channel && one.id === this.thread,
      }));
    return [{ ...brief(channel), current: channel.id === this.channel && !this.thread }, ...threads];
  }

  // What is done

  open(channel, thread) {
    if (channel !== this.channel) this.tags.clear();
    this.replying = null;
    super.open(channel, thread);
    this.composer.drawChips();
  }

  async sendMessage(text, files, thread) {
    if (this.room.kind === "forum" && !thread) return this.sendPost(text, files);
    const answered = this.replying;
    const sent = await super.sendMessage(text, files, thread, answered ? { reply_to: answered.id } : {});
    if (!sent) return null;
    if (answered?.bot && !thread) this.follow = sent.id;
    this.replying = null;
    return sent;
  }

  async sendPost(text, files) {
    const box = this.part("post-title");
    const title = box.value.trim();
    if (!title) {
      this.complain("A post needs a title.");
      box.focus();
      return null;
    }
    const channel = this.channel;
    const sent = await this.send("forum-post", { person: this.person, channel, title, text, tags: [...this.tags], files });
    if (!sent) return null;
    box.value = "";
    this.tags.clear();
    this.follow = sent.id;
    this.draw();
    return sent;
  }

  canAnswer(message) {
    // A thread's first message stands in the channel above it, a post's in the post itself.
    return !message.only && !message.system && !message.thinking && message.channel === (this.thread ?? this.channel);
  }

  reply(row) {
    this.replying = { id: row.id, name: row.name, bot: row.bot };
    this.composer.drawChips();
    this.composer.box.focus();
  }

  // What goes along with the next message, beside files.
  chips() {
    if (!this.replying) return [];
    const remove = element("button", { type: "button", title: "Do not reply", "aria-label": "Do not reply" }, "×");
    remove.addEventListener("click", () => {
      this.replying = null;
      this.composer.drawChips();
      this.composer.box.focus();
    });
    return [element("span", { class: "chip", "data-testid": "replying" }, icon("reply", 13), ` Replying to ${this.replying.name}`, remove)];
  }

  // What is drawn

  drawRoom(room, open) {
    const place = spelled(room);
    const forum = room.kind === "forum" && !open;
    this.part("title").textContent = open ? open.thread.name : place;
    this.part("title").title = this.part("title").textContent;
    this.part("tags").replaceChildren(...(open ? [...open.thread.tags, ...(open.thread.state ? [open.thread.state] : [])] : []).map(drawTag));
    this.composer.box.placeholder = this.hint(room, open, place);
    const posts = room.messages.map((one) => ({ ...one, post: { name: one.thread?.name, tags: one.thread?.tags } }));
    const shown = open ? [{ ...open, thread: null }, ...open.thread.messages] : forum ? posts : room.messages;
    const whispers = (open ? open.thread : room).whispers;
    this.drawMessages(this.part("messages"), shown, whispers, `Nothing in ${place} yet. ${this.invitation(room)}`);
    this.part("activity").textContent = (open ? open.thread.activity : room.activity) ? "bot is typing…" : "";
    this.part("post").hidden = !forum;
    if (forum) this.drawTags(room);
    const form = this.state.modals?.find((one) => one.person === this.person);
    this.cover(form ? [form] : [], (view) => drawForm(this, view));
  }

  hint(room, open, place) {
    if (open) return "Message the thread · no @bot needed here";
    if (room.kind === "forum") return "Write the post · try @bot hello";
    if (room.kind === "private") return "The bot is not in here · who has the app may /ask";
    return `Message ${place} · try @bot hello${this.commands.length ? ", or /" : ""}`;
  }

  invitation(room) {
    if (room.kind === "forum") return "Write a post: a title, a text with @bot in it, and tags.";
    if (room.kind === "private") return "The bot is not in here, but who has the app can use /ask.";
    return super.invitation(room);
  }

  drawTags(room) {
    const rows = room.tags.filter((one) => !one.moderated).map((one) => ({ id: one.name, on: this.tags.has(one.name) }));
    keep(this.part("post-tags"), rows, (row) => row.id, (row) => {
      const button = element("button", { type: "button", class: "tag", "aria-pressed": String(row.on), "data-focus": "tag", "data-testid": "post-tag" }, row.id);
      button.addEventListener("click", () => {
        this.tags[row.on ? "delete" : "add"](row.id);
        this.draw();
      });
      return button;
    });
  }
}
