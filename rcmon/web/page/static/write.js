// Changes by the API: JSON, guarded by what was seen; what is refused is told in its own words.

/** Ask for a change; `match`: fields that say what was seen. Never throws: an answer that is none has status 0. */
export async function write(method, url, body, match = {}) {
  const headers = { Accept: "application/json", "X-Requested-With": "rcmon", ...match };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "same-origin",
    });
    const text = await answer.text();
    let value = null;
    try {
      value = text ? JSON.parse(text) : null;
    } catch {
      // of something in between: its status tells
    }
    return { ok: answer.ok, status: answer.status, value, words: answer.ok ? "" : words(answer.status, value) };
  } catch {
    return { ok: false, status: 0, value: null, words: "The service does not answer: nothing is known to be changed." };
  }
}

function words(status, value) {
  const detail = value?.detail ?? `The service answered ${status}.`;
  if (status === 412 || status === 428) return `Somebody changed it meanwhile, so nothing was done: look again. (${detail})`;
  return detail;
}

/** Make an element with text in it: what others wrote stays text. */
export function element(name, properties = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("data-") || key === "role" || key === "scope" || key.startsWith("aria-")) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...content);
  return made;
}

/** Say how something went in the line for it inside an element, where a reader of screens hears it. */
export function say(around, text, kind = "") {
  const line = around.querySelector(".said");
  line.className = `said ${kind}`;
  line.textContent = text;
}

/** Read the reason that a change needs; null where none is given, which is said beside its field. */
export function reasonOf(form) {
  const field = form.elements.reason;
  const reason = field.value.trim();
  field.setAttribute("aria-invalid", String(!reason));
  if (reason) return reason;
  say(form, "Say why: a reason is needed.", "bad");
  field.focus();
  return null;
}
