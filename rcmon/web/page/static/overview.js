// The overview: its upper part is asked for as it is shown, its table and maps are patched from one document.

import "./main.js";
import "./acknowledge.js";
import { on, tell } from "./bus.js";
import * as heatmap from "./heatmap.js";
import { ask, morph, refresh } from "./refresh.js";
import * as state from "./state.js";
import * as table from "./table.js";
import { write } from "./view.js";

const base = document.querySelector(".brand").getAttribute("href");
const hasMaps = document.querySelector("#maps .map") !== null;
const TYPING = 300;
/** Milliseconds in which what happens is taken together: a cycle raises many findings at once. */
const TOGETHER = 100;
const AGAIN = 1000;
const TRIES = 5;

let loading = null;

/** Ask for all sites in short; the browser keeps it, and is told when it is still the same. */
async function load() {
  const answer = await fetch(`${base}api/overview`, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

/** Have all sites, as soon as somebody may need them. */
function ready() {
  if (!table.known && !loading) {
    loading = load()
      .then((found) => {
        if (table.known) return;
        table.learn(found);
        if (hasMaps) heatmap.draw(found, table.shown());
      })
      .finally(() => {
        loading = null;
      });
    loading.catch(() => {});
  }
  return loading ?? Promise.resolve();
}

let typing = 0;

/** Show another view; without a reload. */
async function show(changed, step) {
  table.become(changed);
  table.tellView();
  const address = `${location.pathname}${write(table.view)}`;
  clearTimeout(typing);
  if (step) history.pushState(null, "", address);
  else typing = setTimeout(() => history.replaceState(null, "", address), TYPING);
  await rearrange(step ? 0 : TYPING);
}

let waiting = 0;

async function rearrange(delay) {
  clearTimeout(waiting);
  if (!table.whole()) {
    // more sites than a table holds: the service picks them
    waiting = setTimeout(() => {
      history.replaceState(null, "", `${location.pathname}${write(table.view)}`);
      refresh((fresh) => {
        morph(document.getElementById("sites"), fresh.getElementById("sites"));
        morph(document.getElementById("maps"), fresh.getElementById("maps"));
      });
    }, delay);
    return;
  }
  try {
    await ready();
  } catch {
    return; // the line of state tells that the service does not answer
  }
  if (!table.known) return;
  const places = table.arrange();
  if (hasMaps) heatmap.draw(table.known, places);
}

let updating = false;
let once = null;

/** Bring everything up to date; `begun`: the begin of the cycle that is known to be there. */
async function update(begun) {
  if (updating) {
    once = begun ?? once ?? "";
    return;
  }
  updating = true;
  try {
    await Promise.all([updateUpper(), table.whole() ? updateSites(begun) : updateBySite()]);
  } finally {
    updating = false;
  }
  tell("updated");
  if (once !== null) {
    const next = once || undefined;
    once = null;
    await update(next);
  }
}

let upper = null;
let upperAgain = false;

/** Bring the upper part up to date: once more where something happened meanwhile, not once for each. */
function updateUpper() {
  if (upper) upperAgain = true;
  else {
    upper = askUpper().finally(() => {
      upper = null;
      if (upperAgain) {
        upperAgain = false;
        updateUpper();
      }
    });
  }
  return upper;
}

async function askUpper() {
  await new Promise((resolve) => setTimeout(resolve, TOGETHER));
  const fresh = await ask(`${base}now`);
  const part = fresh?.getElementById("now");
  if (!part) return;
  state.read(fresh.getElementById("state"));
  morph(document.getElementById("now"), part);
}

async function updateSites(begun) {
  for (let tries = 0; tries < TRIES; tries += 1) {
    let found;
    try {
      found = await load();
    } catch {
      return; // the line of state tells
    }
    // another process may not have seen what this one told of
    if (!begun || found.timestamp >= begun) {
      await table.patchAll(found);
      if (hasMaps) heatmap.draw(found, table.shown());
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
}

const updateBySite = () => refresh((fresh) => table.patchFrom(fresh, morph));

table.listen(show);
table.tellView();
addEventListener("popstate", () => {
  table.fromAddress();
  table.tellView();
  rearrange(0);
});
for (const event of ["focusin", "pointerenter"]) {
  document.getElementById("sites").addEventListener(event, () => table.whole() && ready().catch(() => {}), { once: true });
}
if (hasMaps) {
  heatmap.start(base, () => ready().catch(() => {}), (name) => location.assign(table.pageOf(name)));
}
on("snapshot", (told) => update(told?.timestamp));
on("refresh", () => update());
for (const name of ["finding", "override"]) on(name, () => updateUpper());
