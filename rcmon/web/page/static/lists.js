// What operators do on the pages of lists: end and undo overrides, release and reject what is held.

import { tell } from "./bus.js";
import { say, write } from "./write.js";

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

function told(button, done, words) {
  const line = button.parentElement.querySelector(".said");
  line.className = `said ${done.ok ? "good" : "bad"}`;
  line.textContent = done.ok ? words : done.words;
  if (done.ok) tell("refresh");
}

async function end(button) {
  const done = await write("DELETE", button.dataset.end, undefined, { "If-Match": `"${button.dataset.etag}"` });
  told(button, done, "Ended.");
}

async function undo(button) {
  const change = await write("GET", button.dataset.undo);
  if (!change.ok) {
    told(button, change, "");
    return;
  }
  const done = await write("POST", `${button.dataset.undo}/undo`, undefined, { "If-Match": `"${change.value.etag}"` });
  told(button, done, "Undone.");
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
  const reason = form.elements.reason.value.trim();
  form.elements.reason.setAttribute("aria-invalid", String(!reason));
  if (!reason) {
    say(form, "Say why: a reason is needed.", "bad");
    form.elements.reason.focus();
    return;
  }
  const decision = event.submitter?.value || "release";
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  const done = await write("POST", `${form.dataset.decide}/${decision}`, { reason });
  for (const button of form.querySelectorAll("button")) button.disabled = false;
  say(form, done.ok ? (decision === "release" ? "Released: effective with the next cycle." : "Rejected.") : done.words, done.ok ? "good" : "bad");
  if (done.ok) tell("refresh");
});
