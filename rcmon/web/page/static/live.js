// The stream of what changes. Where there is none (a proxy that breaks it, an older service) the page asks again
// in the service's own interval, so that it is as new as it can be. A hidden tab lets go of its connection: browsers
// give a host six, and nobody reads.

import { tell } from "./bus.js";

const EVENTS = ["snapshot", "finding", "journal", "override"];
const HIDDEN_AFTER = 60_000;
const RETRY_MOST = 30_000;

let source = null;
let retry = 0;
let timer = 0;
let poll = 0;
let hiding = 0;
let paused = false;
let options = null;
/** Whether something may have been told while nobody listened. */
let missed = false;

/** "loading", "live", "polling", "offline", "forbidden". */
let link = "loading";

function become(next) {
  if (next !== link) {
    link = next;
    tell("link", link);
  }
}

function connect() {
  clearTimeout(timer);
  source?.close();
  source = new EventSource(options.url);
  source.onopen = () => {
    retry = 0;
    clearInterval(poll);
    become("live");
    if (missed) tell("refresh");
    missed = false;
  };
  source.addEventListener("reload", () => paused || tell("refresh"));
  source.onerror = lost;
  for (const name of EVENTS) {
    source.addEventListener(name, (event) => {
      if (paused) return;
      try {
        tell(name, JSON.parse(event.data));
      } catch {
        tell("refresh"); // of a version that speaks otherwise: what is shown is asked for anew
      }
    });
  }
}

/** Find out whether the service is gone, does not let us in, or has no stream for us. */
async function lost() {
  source?.close();
  source = null;
  missed = true;
  clearTimeout(timer);
  retry += 1;
  timer = setTimeout(connect, Math.min(1000 * 2 ** Math.min(retry, 5), RETRY_MOST) * (0.5 + Math.random() / 2));
  try {
    const answer = await fetch(options.probe, { method: "HEAD", cache: "no-store" });
    if (source) return; // it is there again
    become(answer.status === 403 ? "forbidden" : answer.ok ? "polling" : "offline");
  } catch {
    if (!source) become("offline");
  }
  if (link === "polling") {
    clearInterval(poll);
    poll = setInterval(() => paused || tell("refresh"), options.interval * 1000);
  } else {
    clearInterval(poll);
  }
}

function release() {
  clearTimeout(timer);
  clearInterval(poll);
  source?.close();
  source = null;
}

/** Begin; `url` of the stream, `probe` of what answers where the service is well, `interval` of cycles in seconds. */
export function start(given) {
  options = given;
  connect();
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) {
      hiding = setTimeout(release, HIDDEN_AFTER);
    } else if (!source) {
      connect();
      if (!paused) tell("refresh");
    }
  });
  addEventListener("pagehide", release);
  addEventListener("pageshow", (event) => {
    if (event.persisted) {
      connect();
      if (!paused) tell("refresh");
    }
  });
}

/** Connect anew. */
export function reconnect() {
  if (options) connect();
}

/** Stop or go on with telling what changes. */
export function pause(wanted) {
  if (wanted === paused) return;
  paused = wanted;
  tell("paused", paused);
  if (!paused) tell("refresh");
}

export const isPaused = () => paused;
export const linkState = () => link;
