// Where people write: text, files to send along, and commands, which a "/" lists.

import { icon } from "/page/icons.js";
import { element } from "/page/markdown.js";
import { fit } from "/page/message.js";

// As the server has them.
const LARGEST = 1_000_000;
const MOST = 5;

export class Composer {
  // `threadOf` says which thread is written in, if any.
  constructor(pane, form, threadOf) {
    this.pane = pane;
    this.form = form;
    this.threadOf = threadOf;
    this.box = form.querySelector("textarea");
    this.files = [];
    this.chips = element("div", { class: "chips" });
    this.list = element("div", { class: "commands", role: "listbox", "aria-label": "Commands" });
    this.list.hidden = true;
    this.picker = element("input", { type: "file", multiple: true, hidden: true, "data-testid": `${this.box.dataset.testid}-files` });
    const clip = element("button", { type: "button", class: "clip", title: "Send files along", "aria-label": "Send files along" }, icon("clip", 17));
    form.prepend(this.list, this.chips, this.picker, clip);
    clip.addEventListener("click", () => this.picker.click());
    this.picker.addEventListener("change", () => this.take([...this.picker.files]));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.box.addEventListener("keydown", (event) => this.hearKey(event));
    this.box.addEventListener("input", () => this.changed());
    this.box.addEventListener("focus", () => pane.useComposer(this));
  }

  fill(text) {
    this.box.value = text;
    this.changed();
    this.box.focus();
  }

  changed() {
    fit(this.box);
    this.drawCommands();
  }

  hearKey(event) {
    if (event.isComposing) return;
    const matching = this.matching();
    if (event.key === "Tab" && !event.shiftKey && matching.length && !matching.some((one) => one.name === this.box.value)) {
      event.preventDefault();
      this.fill(`${matching[0].name} `);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.form.requestSubmit();
    }
  }

  async submit() {
    const text = this.box.value;
    const files = this.files;
    if (!text.trim() && !files.length) return;
    const command = this.pane.commands.length ? this.pane.commandIn(text.trim()) : null;
    const takesFiles = !command || this.pane.sendsFilesWithCommands;
    const sent = command
      ? await this.pane.sendCommand(command, text.trim().slice(command.length).trim(), this.threadOf(), takesFiles ? files : [])
      : await this.pane.sendMessage(text, files, this.threadOf());
    if (!sent) return;
    this.box.value = "";
    if (takesFiles) this.files = [];
    this.drawChips();
    this.changed();
  }

  // Commands

  matching() {
    const typed = this.box.value;
    return /^\/\S*$/.test(typed) ? this.pane.commands.filter((one) => one.name.startsWith(typed)) : [];
  }

  drawCommands() {
    const matching = this.matching();
    this.list.hidden = !matching.length;
    this.list.replaceChildren(
      ...matching.map(({ name, hint }) => {
        const line = element("button", { type: "button", role: "option", "data-testid": "command" }, element("b", {}, name), ` ${hint}`);
        line.addEventListener("click", () => this.fill(`${name} `));
        return line;
      }),
    );
  }

  // Files

  async take(chosen) {
    this.picker.value = "";
    for (const file of chosen) {
      if (file.size > LARGEST) this.pane.complain(`“${file.name}” is too large: at most ${LARGEST / 1_000_000} MB fit here.`);
      else if (this.files.length >= MOST) this.pane.complain(`At most ${MOST} files go with a message.`);
      else this.files = [...this.files, { name: file.name, content: await encode(file) }];
    }
    this.drawChips();
    this.box.focus();
  }

  drawChips() {
    this.chips.replaceChildren(
      ...this.pane.chips(),
      ...this.files.map((file) => {
        const remove = element("button", { type: "button", title: `Do not send ${file.name}`, "aria-label": `Do not send ${file.name}` }, "×");
        remove.addEventListener("click", () => {
          this.files = this.files.filter((one) => one !== file);
          this.drawChips();
          this.box.focus();
        });
        return element("span", { class: "chip", "data-testid": "chip" }, icon("file", 13), ` ${file.name}`, remove);
      }),
    );
  }
}

async function encode(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  // In pieces, since a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
