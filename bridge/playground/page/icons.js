// Small drawings for the few emoji that the page's own controls use, since not every machine has an emoji font.

const NS = "http://www.w3.org/2000/svg";

const THUMB =
  "M6.6 21H4.2A1.2 1.2 0 0 1 3 19.8v-8A1.2 1.2 0 0 1 4.2 10.6h2.4zm1.6-10.2 3.5-7.1c.2-.5.7-.7 1.2-.7 1.2 0 2.1 1 2 2.2l-.5 3.9h4.4c1.4 0 2.5 1.3 2.2 2.7l-1.5 7.3c-.2 1.1-1.2 1.9-2.3 1.9H10c-1 0-1.8-.8-1.8-1.8z";

const AGAIN = [
  ["path", { d: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4", fill: "none", stroke: "currentColor", "stroke-width": 2.2, "stroke-linecap": "round" }],
  ["path", { d: "M20 2.5v5h-5", fill: "none", stroke: "currentColor", "stroke-width": 2.2, "stroke-linecap": "round", "stroke-linejoin": "round" }],
];

const DRAWINGS = {
  "👍": [["path", { d: THUMB, fill: "#f2b300", stroke: "#a87400", "stroke-width": 1 }]],
  "👎": [["path", { d: THUMB, fill: "#f2b300", stroke: "#a87400", "stroke-width": 1, transform: "rotate(180 12 12)" }]],
  bot: [
    ["path", { d: "M12 5V2.6", stroke: "#5461e0", "stroke-width": 2, "stroke-linecap": "round" }],
    ["rect", { x: 4, y: 5.5, width: 16, height: 14, rx: 4, fill: "#5461e0" }],
    ["circle", { cx: 9, cy: 11.5, r: 1.8, fill: "#fff" }],
    ["circle", { cx: 15, cy: 11.5, r: 1.8, fill: "#fff" }],
    ["path", { d: "M9 15.6h6", stroke: "#fff", "stroke-width": 1.6, "stroke-linecap": "round" }],
  ],
  file: [
    ["path", { d: "M6 2.5h8.5L19 7v14.5H6z", fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linejoin": "round" }],
    ["path", { d: "M9 12h7M9 16h7", stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round" }],
  ],
  pencil: [
    ["path", { d: "M4 20l1-4.2L16.2 4.6a1.7 1.7 0 0 1 2.4 0l.8.8a1.7 1.7 0 0 1 0 2.4L8.2 19z", fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linejoin": "round" }],
  ],
  bin: [
    ["path", { d: "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10.2 10.5v6M13.8 10.5v6", fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linejoin": "round", "stroke-linecap": "round" }],
  ],
  dots: [
    ["circle", { cx: 5.5, cy: 12, r: 1.9, fill: "currentColor" }],
    ["circle", { cx: 12, cy: 12, r: 1.9, fill: "currentColor" }],
    ["circle", { cx: 18.5, cy: 12, r: 1.9, fill: "currentColor" }],
  ],
  eye: [
    ["path", { d: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z", fill: "none", stroke: "currentColor", "stroke-width": 1.8 }],
    ["circle", { cx: 12, cy: 12, r: 2.8, fill: "currentColor" }],
  ],
  people: [
    ["circle", { cx: 8.5, cy: 8, r: 3.4, fill: "currentColor" }],
    ["circle", { cx: 17, cy: 9, r: 2.7, fill: "currentColor" }],
    ["path", { d: "M2 19.5c0-4 3-6 6.5-6s6.5 2 6.5 6zM16.3 13.4c3.4-.4 5.7 1.8 5.7 6.1h-5c0-2.4-.3-4.6-.7-6.1z", fill: "currentColor" }],
  ],
  shared: [
    ["path", { d: "M9 5l7 7-7 7-7-7z", fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linejoin": "round" }],
    ["path", { d: "M15 5l7 7-7 7-7-7z", fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linejoin": "round" }],
  ],
  forum: [
    ["path", { d: "M4 4.5h12.5v9H9l-3.5 3v-3H4z", fill: "currentColor" }],
    ["path", { d: "M19 8.5h1.8v9h-1.6v3l-3.4-3H10", fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linejoin": "round" }],
  ],
  reply: [
    ["path", { d: "M10 5L3.5 11 10 17M4 11h9.5a7 7 0 0 1 7 7v1", fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round" }],
  ],
  "⏹": [["rect", { x: 5, y: 5, width: 14, height: 14, rx: 2.5, fill: "currentColor" }]],
  "🔁": AGAIN,
  "🔄": AGAIN,
  clip: [
    ["path", { d: "M20 11.5l-8.2 8.2a5 5 0 0 1-7.1-7.1l8.6-8.6a3.4 3.4 0 0 1 4.8 4.8l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4l7.8-7.8", fill: "none", stroke: "currentColor", "stroke-width": 1.9, "stroke-linecap": "round", "stroke-linejoin": "round" }],
  ],
  lock: [
    ["rect", { x: 5, y: 11, width: 14, height: 9.5, rx: 2, fill: "currentColor" }],
    ["path", { d: "M8 11V8a4 4 0 0 1 8 0v3", fill: "none", stroke: "currentColor", "stroke-width": 2.2 }],
  ],
};

// The drawing, or the name itself where there is none.
export function icon(name, size) {
  const parts = DRAWINGS[name];
  if (!parts) return document.createTextNode(name);
  const drawing = make("svg", { viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true" });
  drawing.append(...parts.map(([tag, attributes]) => make(tag, attributes)));
  return drawing;
}

function make(tag, attributes) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
