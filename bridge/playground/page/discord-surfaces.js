// Discord's forms. What was entered lives in `pane.drafts`, since a form may be drawn anew meanwhile.

import { element } from "/page/markdown.js";
import { drawDialog } from "/page/surfaces.js";

export function drawForm(pane, view) {
  const draft = (pane.drafts[view.id] ??= {});
  return drawDialog({
    title: view.title,
    inside: view.fields.map((one) => (one.text === undefined ? drawField(one, draft) : element("p", {}, one.text))),
    closes: "Cancel",
    submits: "Submit",
    close: () => pane.send("close", { person: pane.person, view: view.id }),
    submit: () => pane.send("submit", { person: pane.person, view: view.id, values: draft }),
  });
}

function drawField(field, draft) {
  const title = element("span", { class: "label" }, field.label, ...(field.required ? [element("i", { class: "star", title: "Required" }, "*")] : []));
  const row = element("label", { class: "field" }, title);
  if (field.description) row.append(element("small", { class: "hint" }, field.description));
  row.append(field.choices.length ? drawChoices(field, draft) : drawText(field, draft));
  return row;
}

function drawText(field, draft) {
  const attributes = { "data-focus": field.id, "data-testid": `field-${field.id}`, required: field.required, minlength: String(field.least), maxlength: String(field.most), placeholder: field.placeholder };
  const box = field.long ? element("textarea", { ...attributes, rows: "4" }) : element("input", { ...attributes, type: "text" });
  box.value = draft[field.id] ?? field.value;
  box.addEventListener("input", () => {
    draft[field.id] = box.value;
  });
  return box;
}

function drawChoices(field, draft) {
  const many = field.most > 1;
  const select = element("select", { "data-focus": field.id, "data-testid": `field-${field.id}`, required: field.required, multiple: many });
  if (!many) select.append(element("option", { value: "" }, field.placeholder || "Choose…"));
  const chosen = draft[field.id] ?? [];
  for (const { value, label } of field.choices) {
    const option = element("option", { value }, label);
    option.selected = chosen.includes(value);
    select.append(option);
  }
  select.addEventListener("change", () => {
    draft[field.id] = [...select.selectedOptions].map((one) => one.value).filter(Boolean);
  });
  return select;
}
