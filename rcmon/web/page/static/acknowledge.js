// An operator knows of a finding, and says so on whatever page shows it.

import { tell } from "./bus.js";
import { reasonOf, say, write } from "./write.js";

const DAY = 86400;

document.addEventListener("submit", async (event) => {
  const form = event.target.closest?.("form[data-acknowledge]");
  if (!form) return;
  event.preventDefault();
  const reason = reasonOf(form);
  if (reason === null) return;
  const days = Number(form.elements.days.value);
  const body = { reason };
  // a day is what holds where nothing is said, by the service's own clock; so much less than 30 as clocks may differ
  if (days > 1) body.until = Math.round(Date.now() / 1000) + days * DAY - (days === 30 ? 600 : 0);
  const button = form.querySelector("button");
  button.disabled = true;
  const done = await write("PUT", form.dataset.acknowledge, body);
  button.disabled = false;
  if (!done.ok) {
    say(form, done.words, "bad");
    return;
  }
  say(form, "Acknowledged.", "good");
  tell("refresh");
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-unacknowledge]");
  if (!button) return;
  button.disabled = true;
  const done = await write("DELETE", button.dataset.unacknowledge);
  button.disabled = false;
  if (done.ok) tell("refresh");
  else button.after(` ${done.words}`);
});
