// What happens, told to whoever wants to know: "snapshot", "finding", "journal", "override", "link", "refresh", "updated".

const heard = new EventTarget();

/** Call `listener` with the detail of each event of a name. */
export function on(name, listener) {
  heard.addEventListener(name, (event) => listener(event.detail));
}

/** Wait for the next event of a name. */
export function once(name) {
  return new Promise((resolve) => {
    heard.addEventListener(name, (event) => resolve(event.detail), { once: true });
  });
}

/** Tell everybody who listens. */
export function tell(name, detail) {
  heard.dispatchEvent(new CustomEvent(name, { detail }));
}
