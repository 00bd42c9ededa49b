// Discord's pane. A thread takes the channel's place, and stands below it in the list.

import { Pane, brief, spelled } from "/page/pane.js";

export class DiscordPane extends Pane {
  get threadOfRoom() {
    return this.thread;
  }

  composerOf() {
    return this.composer;
  }

  linesOf(channel) {
    const threads = channel.messages.filter((one) => one.thread).map((one) => ({
      id: `${channel.id}/${one.id}`,
      name: one.thread.name,
      kind: "thread",
      parent: channel.id,
      thread: one.id,
      current: one.id === this.thread,
    }));
    return [{ ...brief(channel), current: channel.id === this.channel && !this.thread }, ...threads];
  }

  drawRoom(room, open) {
    const place = spelled(room);
    this.part("title").textContent = open ? open.thread.name : place;
    this.part("title").title = this.part("title").textContent;
    this.composer.box.placeholder = open ? "Message the thread · no @bot needed here" : `Message ${place} · try @bot hello`;
    const shown = open ? [{ ...open, thread: null }, ...open.thread.messages] : room.messages;
    this.drawMessages(this.part("messages"), shown, [], `Nothing in ${place} yet. ${this.invitation(room)}`);
    this.part("activity").textContent = (open ? open.thread.activity : room.activity) ? "bot is typing…" : "";
  }
}
