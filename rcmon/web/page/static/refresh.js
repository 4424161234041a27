// Asks for a page again and puts what is new into the one that is there: what one reads, types or has opened stays.

import { tell } from "./bus.js";
import { read } from "./state.js";
import { Idiomorph } from "./vendor/idiomorph.js";

/** Ask for a page; the browser reads it as a document that runs nothing. Null where there is no answer. */
export function ask(url) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.responseType = "document";
    request.timeout = 30_000;
    request.onload = () => resolve(request.status === 200 ? request.response : null);
    request.onerror = request.ontimeout = () => resolve(null);
    request.send();
  });
}

const KEPT = { DETAILS: ["open"], DIALOG: ["open"] };

/** Put the content of one element into another; no focus, scroll, open part or typed text is lost. */
export function morph(into, from) {
  // its children, since an element would be taken for the one child that is to be
  Idiomorph.morph(into, [...document.importNode(from, true).childNodes], {
    morphStyle: "innerHTML",
    ignoreActiveValue: true,
    restoreFocus: true,
    callbacks: {
      beforeNodeMorphed: (old) => !(old instanceof Element && old.hasAttribute("data-keep")),
      beforeNodeRemoved: (old) => !(old instanceof Element && old.hasAttribute("data-keep")),
      beforeAttributeUpdated: (name, node) => !KEPT[node.nodeName]?.includes(name),
    },
  });
}

const script = (root) => root.querySelector("script[type=module]")?.getAttribute("src");
let asking = false;
let again = false;

/** Bring the page that is shown up to date; `apply` puts the new document in. */
export async function refresh(apply) {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    do {
      again = false;
      const fresh = await ask(location.href);
      if (fresh?.getElementById("state")) {
        read(fresh.getElementById("state"));
        apply(fresh);
        tell("refreshed");
        if (script(fresh) !== script(document)) tell("upgraded");
      }
    } while (again);
  } finally {
    asking = false;
  }
}
