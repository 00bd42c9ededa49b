// The page: hears the playground over a WebSocket, hands each pane its part, and sends what is typed or pressed.

import { icon } from "/page/icons.js";
import { element } from "/page/markdown.js";
import { DiscordPane } from "/page/discord-pane.js";
import { keep } from "/page/pane.js";
import { SlackPane } from "/page/slack-pane.js";

const TRIES = [
  ["@bot help", "Help"],
  ["@bot show me some code", "Code"],
  ["@bot make a table", "A table"],
  ["@bot all the markdown there is", "Markdown"],
  ["@bot a long answer", "A long answer"],
  ["@bot a slow answer, please", "A slow answer"],
  ["@bot use tools", "Steps"],
  ["@bot cite your documents", "Sources"],
  ["@bot make a file", "A file"],
  ["@bot draw a picture", "A picture"],
  ["@bot think about it first", "Hidden thinking"],
  ["@bot try to mention everyone", "A rude answer"],
  ["@bot error, please", "Fail half-way"],
  ["@bot cut the connection", "Break off"],
  ["@bot be down", "Be down"],
];
const RATINGS = { like: ["👍", "like"], dislike: ["👎", "dislike"], none: ["", "rating taken away"] };

const one = (id) => document.getElementById(id);
const notice = one("notice");
let noticeTimer;
let lastPane;
let listening = false;

function complain(text) {
  notice.textContent = text;
  notice.hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => {
    notice.hidden = true;
  }, 6000);
}

async function post(path, body) {
  try {
    const answer = await fetch(`/playground/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const told = await answer.json();
    if (answer.ok) return told;
    complain(told.problem);
  } catch {
    complain("The playground does not answer. Is it still running?");
  }
  return null;
}

const panes = [...document.querySelectorAll(".pane")].map((root) => {
  const Kind = root.dataset.platform === "slack" ? SlackPane : DiscordPane;
  const pane = new Kind(root, (act, body) => post(`${root.dataset.platform}/${act}`, body), complain);
  root.addEventListener("used", () => {
    lastPane = pane;
  });
  return pane;
});
lastPane = panes[0];

for (const [text, label] of TRIES) {
  const button = element("button", { type: "button", title: text }, label);
  button.addEventListener("click", () => lastPane.fill(text));
  one("tries").append(element("li", {}, button));
}
one("restart").addEventListener("click", () => post("restart", { kill: false }));
one("kill").addEventListener("click", () => post("restart", { kill: true }));

function show(state) {
  const { bridge, dify } = state;
  light(bridge.state, bridge.words);
  document.querySelector(".light").dataset.starts = bridge.starts;
  for (const id of ["restart", "kill"]) one(id).disabled = bridge.state === "starting" || bridge.state === "restarting";
  one("dify-name").textContent = dify.stand_in ? "a stand-in Dify" : "your Dify";
  for (const pane of panes) pane.update(state[pane.platform]);
  showRequests(dify.requests);
  showFaults(state.faults);
}

function light(state, words) {
  document.querySelector(".light").dataset.state = state;
  if (one("light-words").textContent !== words) one("light-words").textContent = words;
}

function showRequests(requests) {
  const rows = requests.length ? requests : [{ id: "empty" }];
  keep(one("requests"), rows, (row) => row.id, (row) => {
    if (row.id === "empty") return element("li", { class: "empty" }, "No questions yet. What the bot asks Dify will be listed here.");
    const facts = [
      ["user", row.user],
      ["conversation", row.conversation || "new"],
    ].map(([name, value]) => element("span", { class: "fact", title: value }, element("i", {}, name), ` ${value}`));
    const line = element("div", {}, element("q", {}, row.question), element("span", { class: "ended", "data-ended": row.ended }, row.words));
    if (row.rating) line.append(element("span", { class: "rating", "data-rating": row.rating }, icon(RATINGS[row.rating][0], 12), ` ${RATINGS[row.rating][1]}`));
    if (row.comment) line.append(element("span", { class: "comment", title: row.comment, "data-testid": "comment" }, row.comment));
    return element("li", { "data-testid": "dify-request" }, line, element("div", { class: "facts" }, ...facts));
  });
}

function showFaults(faults) {
  const groups = [...new Set(faults.map((fault) => fault.group))].map((name) => ({ name, faults: faults.filter((fault) => fault.group === name) }));
  keep(one("faults"), groups, (group) => group.name, (group) =>
    element("fieldset", { class: group.faults.length > 6 ? "many" : undefined }, element("legend", {}, group.name), element("div", {}, ...group.faults.map(faultControl))),
  );
}

function faultControl(fault) {
  const attributes = { "data-testid": `fault-${fault.name}`, "data-focus": fault.name, title: fault.meaning };
  if (fault.kind === "act") {
    const button = element("button", { type: "button", ...attributes }, fault.label);
    button.addEventListener("click", () => post("faults", { name: fault.name, on: true }));
    return button;
  }
  const box = element("input", { type: "checkbox", ...attributes });
  box.checked = fault.on;
  box.addEventListener("change", () => post("faults", { name: fault.name, on: box.checked }));
  return element("label", { title: fault.meaning }, box, ` ${fault.label}`);
}

function listen(pause) {
  const socket = new WebSocket(`ws://${location.host}/playground/events`);
  socket.addEventListener("open", () => {
    listening = true;
  });
  socket.addEventListener("message", (event) => show(JSON.parse(event.data)));
  socket.addEventListener("close", () => {
    const next = listening ? 500 : Math.min(pause * 2, 5000);
    listening = false;
    light("stopped", "The playground is not running any more");
    setTimeout(() => listen(next), next);
  });
}

listen(500);
