// One line that says how old what one reads is: live, paused, stale by so long, offline. It ticks.

import { on } from "./bus.js";
import * as clock from "./clock.js";
import { isPaused, linkState, pause } from "./live.js";
import { span } from "./words.js";

const line = document.getElementById("state");
/** What is said in each state, as rcmon/web/page/honest.py has it: a word, and more of it. */
const words = JSON.parse(line.dataset.words);
const word = document.createElement("b");
const age = document.createElement("span");
const button = document.createElement("button");
/** Paper does not tick: on it stands the moment. */
const paper = document.createElement("p");

/** Begin of the newest snapshot's cycle, seconds since the epoch; null: there is none. */
let begun = null;
let interval = 60;
let late = 120;

/** Take up what a page says of its moment. */
export function read(from) {
  const { begun: since, now, interval: every, late: after } = from.dataset;
  begun = since === "" ? null : Number(since);
  interval = Number(every);
  late = Number(after);
  clock.set(Number(now));
  show();
}

/** Take up the begin of a newer snapshot. */
export function newer(since) {
  begun = since;
  show();
}

function told() {
  const old = begun === null ? null : clock.now() - begun;
  const link = linkState();
  const ago = old === null ? "" : old < -interval ? `data ${words.ahead[0]}` : `data ${span(old)} old`;
  const saying = (state, by = "") => [state, words[state][0] + by, [words[state][1], ago].filter(Boolean).join("; ")];
  if (link === "forbidden" || link === "offline") return saying(link);
  if (isPaused()) return saying("paused");
  if (old === null) return saying("none");
  if (old > late) return saying("stale", ` by ${span(old - interval)}`);
  return saying(link === "loading" ? "loading" : "live");
}

function show() {
  const [state, name, detail] = told();
  for (const shown of [line, document.documentElement]) if (shown.dataset.state !== state) shown.dataset.state = state;
  // the word of a state is said once; what ticks is not read out
  if (word.dataset.state !== state) {
    word.dataset.state = state;
    said.textContent = name;
  }
  if (word.textContent !== name) word.textContent = name;
  if (age.textContent !== detail) age.textContent = detail;
  const moment = begun === null ? name : `${words.fresh[0]} of ${new Date(1000 * begun).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  if (paper.textContent !== moment) paper.textContent = moment;
  const wanted = isPaused() ? "Go on" : "Pause";
  if (button.textContent !== wanted) button.textContent = wanted;
}

const said = document.createElement("span");

/** Begin to tick. */
export function start() {
  said.className = "hidden";
  said.setAttribute("role", "status");
  age.className = "age";
  paper.className = "on-paper";
  button.type = "button";
  button.addEventListener("click", () => pause(!isPaused()));
  const text = document.createElement("p");
  text.append(word, " ", age);
  line.replaceChildren(text, paper, said, button);
  read(line);
  setInterval(show, 1000);
  on("link", show);
  on("paused", show);
}
