// What stands above or beside messages: modals; in Slack the bot's Home tab, suggested questions, the question before something
// is undone.

import { drawSurfaceBlocks } from "/page/blocks.js";
import { element } from "/page/markdown.js";

// A modal as its person sees it. What was entered lives in `pane.drafts`, since the modal may be drawn anew meanwhile.
export function drawModal(pane, view) {
  const draft = (pane.drafts[view.id] ??= {});
  const close = () => pane.send("close", { person: pane.person, view: view.id });
  const submit = () => pane.send("submit", { person: pane.person, view: view.id, values: draft });
  const inside = drawSurfaceBlocks(view.blocks, sceneOf(pane, view, draft));
  return drawDialog({ title: view.title.text, inside, trouble: view.trouble, busy: view.busy, closes: view.close?.text ?? "Cancel", submits: view.submit?.text, close, submit });
}

// The frame of a modal. Without `submits` it is only to be read.
export function drawDialog({ title, inside, trouble, busy, closes, submits, close, submit }) {
  const form = element(
    "form",
    { class: "dialog", role: "dialog", "aria-modal": "true", "aria-label": title, "data-testid": "modal" },
    element("header", {}, element("h3", {}, title), closer(close)),
    element("div", { class: "inside" }, ...inside),
  );
  const foot = element("footer", {}, element("p", { class: "problem", role: "alert", "data-testid": "trouble" }, trouble ?? ""), plain(closes, "modal-close", close));
  if (submits) foot.append(element("button", { class: "go", disabled: busy, "data-focus": "submit", "data-testid": "modal-submit" }, busy ? "Sending…" : submits));
  form.append(foot);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  form.addEventListener("keydown", (event) => event.key === "Escape" && close());
  return element("div", { class: "veil" }, form);
}

// Slack's question before a button does what it says. `ask`: { title, text, confirm, deny, answer(yes) }.
export function drawQuestion(ask) {
  const yes = element("button", { type: "button", class: ask.style === "danger" ? "go danger" : "go", "data-focus": "yes", "data-testid": "confirm-yes" }, ask.confirm.text);
  yes.addEventListener("click", () => ask.answer(true));
  const box = element(
    "div",
    { class: "dialog small", role: "alertdialog", "aria-modal": "true", "aria-label": ask.title.text, "data-testid": "confirm" },
    element("header", {}, element("h3", {}, ask.title.text), closer(() => ask.answer(false))),
    element("div", { class: "inside" }, element("p", {}, ask.text.text)),
    element("footer", {}, plain(ask.deny.text, "confirm-no", () => ask.answer(false)), yes),
  );
  box.addEventListener("keydown", (event) => event.key === "Escape" && ask.answer(false));
  return element("div", { class: "veil" }, box);
}

export function drawHome(pane, view) {
  const draft = (pane.drafts[view.id] ??= {});
  return element("div", { class: "home", "data-testid": "home" }, ...drawSurfaceBlocks(view.blocks, sceneOf(pane, view, draft)));
}

// A click on a suggested question asks it.
export function drawPrompts(pane, { title, prompts }) {
  const made = element("div", { class: "prompts", "data-testid": "prompts" });
  if (title) made.append(element("p", {}, title));
  for (const one of prompts) {
    const button = element("button", { type: "button", title: one.message, "data-focus": one.title, "data-testid": "prompt" }, one.title);
    button.addEventListener("click", () => pane.sendMessage(one.message, [], null));
    made.append(button);
  }
  return made;
}

function sceneOf(pane, view, draft) {
  const press = (one, value) => pane.confirmed(one, () => pane.send("press-in-view", { person: pane.person, view: view.id, button: one.action_id, value: value ?? one.value }));
  return { id: view.id, names: pane.names, places: pane.places, draft, errors: view.errors, folded: pane.folded, press };
}

function closer(act) {
  const button = element("button", { type: "button", class: "close", "aria-label": "Close", "data-focus": "close" }, "×");
  button.addEventListener("click", act);
  return button;
}

function plain(label, testid, act) {
  const button = element("button", { type: "button", class: "quiet", "data-focus": testid, "data-testid": testid }, label);
  button.addEventListener("click", act);
  return button;
}
