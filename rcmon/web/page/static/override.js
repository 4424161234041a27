// Overrides: first it is told what one would do, then it is done, then it can be undone.

import { tell } from "./bus.js";
import { element, say, write } from "./write.js";
import { number } from "./words.js";

const form = document.getElementById("set");
const FIELDS = ["agent", "state", "running_slots", "pending_slots", "mode", "until", "reason", "force"];

/** Say what is wrong beside the field that it is about; where it is about none, below the form. */
function refuse(text, named) {
  const name = named ?? FIELDS.find((each) => text.includes(`'${each}'`) || text.includes(`$.${each}`) || text.includes(`\`${each}\``));
  const field = name && form.elements[name];
  if (!field) {
    say(form, text, "bad");
    return;
  }
  const note = element("small", { className: "wrong", id: `${field.id}-wrong` }, text);
  field.closest(".field").append(note);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", note.id);
  say(form, "Nothing was done: see what is marked.", "bad");
  field.focus();
}

function forget() {
  for (const note of form.querySelectorAll(".wrong")) note.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  say(form, "");
}

function address(agent) {
  if (!agent) return form.dataset.site;
  return `${form.dataset.agents}${encodeURIComponent(agent)}/sites/${encodeURIComponent(form.dataset.name)}/override`;
}

/** What was seen at a place: an override's ETag, or that there is none. */
function seen(agent) {
  const row = [...document.querySelectorAll("#override tr[data-override]")].find((each) => each.dataset.override === agent);
  return row ? { "If-Match": `"${row.dataset.etag}"` } : { "If-None-Match": "*" };
}

/** Read the form; null where something in it cannot be meant, which is said. */
function body() {
  const value = (name) => form.elements[name].value.trim();
  const said = {};
  if (value("state")) said.state = value("state");
  for (const name of ["running_slots", "pending_slots"]) {
    const text = value(name).replace(/[\s\u202f]/g, "");
    if (!text) continue;
    if (!/^\d{1,7}$/.test(text)) {
      refuse(`“${text}” is no whole number of slots; right is one from 0 to 1 000 000.`, name);
      return null;
    }
    said[name] = Number(text);
  }
  if (!Object.keys(said).length) {
    refuse("Nothing is set: choose a state, or give a number of slots.", "state");
    return null;
  }
  if (!value("reason")) {
    refuse("Say why: a reason is needed.", "reason");
    return null;
  }
  said.reason = value("reason");
  said.mode = value("mode");
  if (value("until")) {
    if (said.mode !== "until") {
      refuse("A time goes with “until a time” only.", "until");
      return null;
    }
    said.until = `${value("until")}Z`;
  }
  return said;
}

const values = ({ state, running_slots: running, pending_slots: pending }) =>
  `${state ?? "unknown state"}, ${number(running)} running, ${number(pending)} pending slots`;

function foreseen(told) {
  const head = element("thead", {}, element("tr", {}, ...["Agent", "Now", "Then", "Cache of jobs", "Idle jobs killed"].map((text) => element("th", { scope: "col" }, text))));
  const rows = told.agents.map((one) =>
    element("tr", {},
      element("th", { scope: "row" }, one.agent),
      cell("Now", values(one.before) + (one.stale ? " (stale)" : "")),
      cell("Then", values(one.after)),
      cell("Cache of jobs", one.cache_rebuilt === null ? "not known" : one.cache_rebuilt ? "is made anew" : "stays"),
      cell("Idle jobs killed", one.idle_jobs_killed === null ? "not known" : number(one.idle_jobs_killed)),
    ),
  );
  return element("div", { className: "scroll" }, element("table", { className: "plain small" }, head, element("tbody", {}, ...rows)));
}

const cell = (label, text) => element("td", { "data-label": label }, text);

/** Show what would be done, with what does it. */
function offer(told, title, act) {
  const box = form.querySelector(".preview");
  const parts = [element("h3", {}, title)];
  if (!told.changes) parts.push(element("p", {}, "Nothing: all is as you want it."));
  else if (!told.agents.length) parts.push(element("p", {}, "It would be kept and told; nothing changes in any agent by it now."));
  if (told.agents.length) parts.push(foreseen(told));
  if (told.unknown.length) parts.push(element("p", { className: "hint" }, `Not known: ${told.unknown.join("; ")}.`));
  let force = null;
  if (told.needs_force) {
    force = element("input", { id: "o-force", name: "force", maxLength: 1000, autocomplete: "off" });
    parts.push(element("p", { className: "wrong" }, `${told.needs_force}. If that is meant, say why once more:`));
    parts.push(element("p", { className: "field wide" }, element("label", { htmlFor: "o-force" }, "Second reason"), " ", force));
  }
  const yes = element("button", { type: "button", className: "primary", "data-confirm": "" }, "Do it");
  const no = element("button", { type: "button" }, "Leave it");
  no.addEventListener("click", () => clear());
  yes.addEventListener("click", async () => {
    if (force && !force.value.trim()) {
      refuse("A second reason is needed.", "force");
      return;
    }
    yes.disabled = true;
    await act(force ? force.value.trim() : "");
    yes.disabled = false;
  });
  if (told.changes) parts.push(element("p", { className: "actions" }, yes, " ", no));
  box.replaceChildren(...parts);
  box.hidden = false;
  (told.changes ? yes : box).focus();
}

function clear() {
  const box = form.querySelector(".preview");
  box.replaceChildren();
  box.hidden = true;
  forget();
}

/** Say that it is done, and offer to undo it. */
function done(words, undo) {
  clear();
  say(form, `${words} `, "good");
  if (undo) form.querySelector(".said").append(undoing(undo));
  tell("refresh");
}

function undoing(url) {
  const button = element("button", { type: "button" }, "Undo");
  button.addEventListener("click", () => undo(url));
  return button;
}

/** Undo a change, if it is the one that it is thought to be. */
async function undo(url) {
  const change = await write("GET", url.replace(/\/undo$/, ""));
  if (!change.ok) {
    say(form, change.words, "bad");
    return;
  }
  const made = await write("POST", url, undefined, { "If-Match": `"${change.value.etag}"` });
  if (made.ok) done("Undone: what was before is there again.", made.value.undo);
  else say(form, made.words, "bad");
}

const forced = (url, force) => (force ? `${url}?force=${encodeURIComponent(force)}` : url);

async function preview(event) {
  event.preventDefault();
  forget();
  const said = body();
  if (!said) return;
  const agent = form.elements.agent.value;
  const match = seen(agent);
  const told = await write("PUT", `${address(agent)}?preview=true`, said, match);
  if (!told.ok) {
    refuse(told.words);
    return;
  }
  offer(told.value, "What it would do", async (force) => {
    const made = await write("PUT", forced(address(agent), force), said, match);
    if (made.ok) done("Done.", made.value.undo);
    else refuse(made.words);
  });
}

async function end(row) {
  clear();
  const match = { "If-Match": `"${row.dataset.etag}"` };
  const url = row.dataset.address;
  const told = await write("DELETE", `${url}?preview=true`, undefined, match);
  if (!told.ok) {
    say(form, told.words, "bad");
    return;
  }
  offer(told.value, `What ending it would do (${row.dataset.override || "every agent"})`, async (force) => {
    const made = await write("DELETE", forced(url, force), undefined, match);
    if (made.ok) done("Ended.", made.value.undo);
    else say(form, made.words, "bad");
  });
}

export function start() {
  if (!form) return;
  form.addEventListener("submit", preview);
  form.addEventListener("input", (event) => {
    // what was foreseen is of what stood there before
    if (!event.target.closest(".preview")) form.querySelector(".preview").hidden = true;
  });
  document.getElementById("override").addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-override]");
    if (event.target.closest("[data-end]")) end(row);
    const back = event.target.closest("[data-undo]");
    if (back) undo(back.dataset.undo);
  });
}
