// Slack's blocks as they stand in messages, in modals and on the Home tab: text, task lists, sources, buttons, inputs.
//
// `scene` says what surrounds them: { names, places, press(element, value, block), draft, errors }. Text only ever becomes text
// nodes.

import { icon } from "/page/icons.js";
import { element, render } from "/page/markdown.js";
import { heading } from "/page/markdown-nodes.js";

const FOOTERS = new Set(["actions", "context_actions", "context"]);
const READ = new Set(["markdown", "header", "section", "rich_text"]);
const STATES = { pending: "waiting", in_progress: "under way", complete: "done", error: "failed" };

// Runs of blocks that read as one text are one box, tasks that follow one another one list; `mark` is put at the end of the
// last text.
export function drawMessageBlocks(blocks, scene, mark) {
  const made = [];
  let before = "";
  blocks.forEach((block, number) => {
    const kind = FOOTERS.has(block.type) || block.type === "plan" ? "" : block.type === "task_card" ? "steps" : "text";
    const drawn = drawBlock(block, number, scene);
    if (kind && kind === before) made.at(-1).append(...(kind === "steps" ? drawn.children : [drawn]));
    else made.push(kind === "text" ? textOf(drawn) : drawn);
    before = kind;
  });
  if (mark) {
    if (!made.some((one) => one.matches(".text"))) made.push(textOf());
    endOf(made.findLast((one) => one.matches(".text"))).append(mark);
  }
  return made;
}

function textOf(...children) {
  return element("div", { class: "text", "data-testid": "text" }, ...children);
}

export function drawSurfaceBlocks(blocks, scene) {
  return blocks.map((block, number) => {
    const made = drawBlock(block, number, scene);
    return READ.has(block.type) ? element("div", { class: "text" }, made) : made;
  });
}

// Where a mark that follows the text belongs: in its last paragraph, also one of a list, if it ends with one.
export function endOf(text) {
  let end = text;
  while (end.lastElementChild?.matches("ul, ol, li, blockquote, p")) end = end.lastElementChild;
  return end.matches("p") ? end : text;
}

function drawBlock(block, number, scene) {
  const id = block.block_id ?? `b${number}`;
  switch (block.type) {
    case "markdown":
      return render(block.text, "markdown", scene.names);
    case "header":
      return heading(1, [block.text.text]);
    case "section":
      return section(block, id, scene);
    case "divider":
      return element("hr");
    case "context":
      return element("div", { class: "context", "data-testid": "context" }, ...block.elements.map((one) => (one.type === "image" ? "" : words(one, scene))));
    case "actions":
      return element("div", { class: "buttons" }, ...block.elements.map((one) => control(one, id, block, scene)));
    case "context_actions":
      return element("div", { class: "buttons judge" }, ...block.elements.flatMap((one) => (one.type === "feedback_buttons" ? feedback(one, scene) : [control(one, id, block, scene)])));
    case "task_card":
      return element("ul", { class: "steps", "data-testid": "steps" }, step(block));
    case "plan":
      return plan(block, scene);
    case "input":
      return input(block, id, scene);
    case "rich_text":
      return element("p", {}, plain(block.elements));
    default:
      return element("p", { class: "unknown" }, `(${block.type})`);
  }
}

function words(text, scene) {
  return text.type === "mrkdwn" ? render(text.text, "mrkdwn", scene.names) : element("p", {}, text.text);
}

function section(block, id, scene) {
  const inside = block.text ? [words(block.text, scene)] : [];
  if (block.fields) inside.push(element("div", { class: "fields" }, ...block.fields.map((one) => element("div", {}, words(one, scene)))));
  if (!block.accessory || block.accessory.type === "image") {
    const together = document.createDocumentFragment();
    together.append(...inside);
    return together;
  }
  return element("div", { class: "beside" }, element("div", {}, ...inside), control(block.accessory, id, block, scene));
}

// One task after another reads as one list: the lists' borders join in the style sheet.
function step(task) {
  const row = element("li", { "data-state": task.status, "data-testid": "step" }, element("i", { "aria-label": STATES[task.status] ?? task.status, role: "img" }), element("span", {}, task.title));
  for (const name of ["details", "output"]) {
    const text = task[name] ? plain(task[name].elements) : "";
    if (text.trim()) row.append(element("small", {}, text));
  }
  for (const source of task.sources ?? []) row.append(element("small", {}, source.text || source.url));
  return row;
}

function plan(block, scene) {
  const done = block.tasks.filter((one) => one.status === "complete").length;
  const folded = scene.folded?.has(scene.id);
  const box = element("details", { class: "plan", "data-testid": "plan", open: folded ? undefined : "" }, element("summary", { "data-focus": "plan" }, element("b", {}, block.title || "Plan"), ` ${done} of ${block.tasks.length}`), element("ul", { class: "steps", "data-testid": "steps" }, ...block.tasks.map(step)));
  // What is folded stays so when the message is drawn anew.
  box.addEventListener("toggle", () => scene.folded?.[box.open ? "delete" : "add"](scene.id));
  return box;
}

function plain(elements) {
  return elements.map((one) => (one.elements ? plain(one.elements) : (one.text ?? ""))).join("");
}

function control(one, id, block, scene) {
  switch (one.type) {
    case "button":
    case "icon_button": {
      const attributes = { type: "button", class: `press ${one.style ?? ""}`, "data-focus": `press ${one.action_id}`, "data-testid": "press", "data-button": one.action_id, title: one.accessibility_label };
      const button = element("button", attributes, one.text.text);
      button.addEventListener("click", () => scene.press(one, undefined, block));
      return button;
    }
    case "static_select":
    case "radio_buttons":
    case "users_select":
    case "conversations_select":
    case "channels_select":
      return menu(one, id, scene, (value) => scene.press(one, value, block));
    default:
      return element("span", { class: "unknown" }, `(${one.type})`);
  }
}

// Slack shows nothing of which one was pressed to the app's other readers; neither does the page.
function feedback(one, scene) {
  return ["positive_button", "negative_button"].map((side) => {
    const spoken = one[side].accessibility_label ?? one[side].text.text;
    const attributes = { type: "button", class: "press judging", title: spoken, "aria-label": spoken, "data-focus": side, "data-testid": side === "positive_button" ? "good" : "bad" };
    const button = element("button", attributes, icon(side === "positive_button" ? "👍" : "👎", 14), " ", one[side].text.text.replace(/^[👍👎]\s*/u, ""));
    button.addEventListener("click", () => scene.press(one, one[side].value));
    return button;
  });
}

function input(block, id, scene) {
  const field = block.element;
  const problem = scene.errors?.[id];
  const box = field.type === "plain_text_input" ? textBox(field, id, scene, !block.optional) : menu(field, id, scene, () => {});
  const title = element("span", { class: "label" }, block.label.text, ...(block.optional ? [element("small", {}, " (optional)")] : []));
  // A label around several radio buttons would press the first one.
  const row = element(field.type === "radio_buttons" ? "div" : "label", { class: problem ? "field wrong" : "field" }, title, box);
  if (block.hint) row.append(element("small", { class: "hint" }, block.hint.text));
  if (problem) row.append(element("small", { class: "problem", role: "alert", "data-testid": "problem" }, problem));
  return row;
}

function textBox(field, id, scene, required) {
  const attributes = { "data-focus": field.action_id, "data-testid": `field-${field.action_id}`, maxlength: field.max_length, placeholder: field.placeholder?.text, required };
  const box = field.multiline ? element("textarea", { ...attributes, rows: "4" }) : element("input", { ...attributes, type: "text" });
  box.value = entered(scene, id, field, field.initial_value ?? "");
  box.addEventListener("input", () => enter(scene, id, field, box.value));
  return box;
}

function menu(field, id, scene, chosen) {
  const [options, first] = optionsOf(field, scene);
  const now = entered(scene, id, field, first);
  const choose = (value) => {
    enter(scene, id, field, value);
    chosen(value);
  };
  if (field.type === "radio_buttons") {
    return element("div", { role: "radiogroup", "data-testid": `field-${field.action_id}` }, ...options.map(([value, label]) => radio(field, value, label, now, choose)));
  }
  const select = element("select", { "data-focus": field.action_id, "data-testid": `field-${field.action_id}` });
  if (!now) select.append(element("option", { value: "" }, field.placeholder?.text ?? "Choose…"));
  for (const [value, label] of options) select.append(element("option", { value }, label));
  select.value = now;
  select.addEventListener("change", () => select.value && choose(select.value));
  return select;
}

function radio(field, value, label, now, choose) {
  const box = element("input", { type: "radio", name: field.action_id, "data-focus": `${field.action_id} ${value}` });
  box.checked = value === now;
  box.addEventListener("change", () => choose(value));
  return element("label", { class: "choice" }, box, ` ${label}`);
}

// Pairs of value and label, and the value that is chosen at first.
function optionsOf(field, scene) {
  switch (field.type) {
    case "users_select":
      return [Object.entries(scene.names), field.initial_user ?? ""];
    case "conversations_select":
      return [scene.places, field.initial_conversation ?? ""];
    case "channels_select":
      return [scene.places, field.initial_channel ?? ""];
    default:
      return [field.options.map((one) => [one.value, one.text.text]), field.initial_option?.value ?? ""];
  }
}

function entered(scene, id, field, first) {
  return scene.draft?.[id]?.[field.action_id] ?? first;
}

function enter(scene, id, field, value) {
  if (scene.draft) (scene.draft[id] ??= {})[field.action_id] = value;
}
