// Turns message text into DOM nodes, as the platform that carries it shows it. Text only ever becomes text nodes: nothing
// here parses HTML.
//
// Three dialects: "markdown" (Slack's markdown blocks), "mrkdwn" (Slack's own, entity-escaped) and "discord".

import { renderDiscord } from "/page/markdown-discord.js";
import { element } from "/page/markdown-nodes.js";
import { renderMarkdown } from "/page/markdown-slack.js";
import { renderMrkdwn } from "/page/markdown-mrkdwn.js";

export { element };

const RENDERERS = { markdown: renderMarkdown, mrkdwn: renderMrkdwn, discord: renderDiscord };

// `names` maps ids to names. `live` is what the message really mentions, where the platform says so apart from the text
// (Discord): { people: [ids], everyone: bool }. Without it nothing there is highlighted.
export function render(text, dialect, names, live = { people: [], everyone: false }) {
  const fragment = document.createDocumentFragment();
  fragment.append(...RENDERERS[dialect](text.replace(/\r\n?/g, "\n"), { names, live }));
  return fragment;
}
