// What every page does: it says how old it is, and stays up to date.

import { on } from "./bus.js";
import * as live from "./live.js";
import { morph, refresh } from "./refresh.js";
import * as state from "./state.js";

const line = document.getElementById("state");
const main = document.getElementById("main");
const base = document.querySelector(".brand").getAttribute("href");

/** Times are UTC; on hover they are told in this machine's zone. */
function local(event) {
  const time = event.target.closest?.("time[datetime]");
  if (time && !time.title) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) time.title = moment.toLocaleString([], { timeZoneName: "short" });
  }
}

state.start();
document.addEventListener("pointerover", local, { passive: true });
document.addEventListener("focusin", local);
document.documentElement.classList.add("scripted");
on("upgraded", () => document.documentElement.classList.add("upgraded"));

/** Milliseconds in which what happens is taken together: a cycle raises many findings at once. */
const TOGETHER = 100;

if (main.hasAttribute("data-refresh")) {
  let soon = 0;
  const anew = () => {
    soon ||= setTimeout(() => {
      soon = 0;
      refresh((fresh) => morph(main, fresh.getElementById("main")));
    }, TOGETHER);
  };
  for (const name of ["refresh", "snapshot", "finding", "journal", "override"]) on(name, anew);
}
live.start({ url: `${base}api/events?rows=names`, probe: `${base}api/status`, interval: Number(line.dataset.interval) });
