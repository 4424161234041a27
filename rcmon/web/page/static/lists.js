// What operators do on the pages of lists: end and undo overrides, release and reject what is held.

import "./main.js";
import { tell } from "./bus.js";
import { reasonOf, say, write } from "./write.js";

/** A button that changes the grid is pressed twice: the first press says what the second does. */
function sure(button) {
  if (button.dataset.sure === "yes") return true;
  const words = button.textContent;
  button.dataset.sure = "yes";
  button.textContent = `${words}: sure?`;
  const forget = () => {
    delete button.dataset.sure;
    button.textContent = words;
  };
  button.addEventListener("blur", forget, { once: true });
  return false;
}

function told(around, done, words) {
  say(around, done.ok ? words : done.words, done.ok ? "good" : "bad");
  if (done.ok) tell("refresh");
}

async function end(button) {
  const done = await write("DELETE", button.dataset.end, undefined, { "If-Match": `"${button.dataset.etag}"` });
  told(button.parentElement, done, "Ended.");
}

async function undo(button) {
  const change = await write("GET", button.dataset.undo);
  if (!change.ok) {
    told(button.parentElement, change, "");
    return;
  }
  const done = await write("POST", `${button.dataset.undo}/undo`, undefined, { "If-Match": `"${change.value.etag}"` });
  told(button.parentElement, done, "Undone.");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-end], button[data-undo]");
  if (!button || !sure(button)) return;
  button.disabled = true;
  await (button.dataset.end ? end(button) : undo(button));
  button.disabled = false;
});

document.addEventListener("submit", async (event) => {
  const form = event.target.closest?.("form[data-decide]");
  if (!form) return;
  event.preventDefault();
  const reason = reasonOf(form);
  if (reason === null) return;
  const decision = event.submitter?.value || "release";
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  const done = await write("POST", `${form.dataset.decide}/${decision}`, { reason });
  for (const button of form.querySelectorAll("button")) button.disabled = false;
  told(form, done, decision === "release" ? "Released: effective with the next cycle." : "Rejected.");
});
