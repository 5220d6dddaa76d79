// Keeps a page up to date without moving it under the reader: what the server renders anew replaces only what
// changed, so that focus, scroll position, opened details and half-typed filters stay. Without this script the page
// says the same, and renews itself as a whole.
"use strict";

(() => {
  const LATER = 150; // ms from the last key stroke until the filters apply
  const RENEW = 1000; // ms between two renewals at least
  const LOST = 4000; // ms without a connection until the reader is told
  const THEMES = ["auto", "light", "dark"];
  const root = document.documentElement;
  const home = new URL("..", document.currentScript.src).pathname; // "/", or what a reverse proxy puts before it

  // Before the first paint, so that nothing flashes.
  let theme = remembered();
  root.dataset.theme = theme;

  addEventListener("DOMContentLoaded", () => {
    offerThemes();
    applyFiltersAtOnce();
    if (!("still" in document.body.dataset)) listen();
  });

  // === the theme ===

  function remembered() {
    try {
      const kept = localStorage.getItem("theme");
      return THEMES.includes(kept) ? kept : "auto";
    } catch {
      return "auto"; // storage may be forbidden
    }
  }

  function offerThemes() {
    const button = document.getElementById("theme");
    const show = () => {
      root.dataset.theme = theme;
      button.textContent = `Theme: ${theme}`;
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      try {
        localStorage.setItem("theme", theme);
      } catch {
        // It holds until the page is left.
      }
      show();
    });
    show();
  }

  // === filters ===

  function applyFiltersAtOnce() {
    const form = document.querySelector("form.filters");
    if (!form) return;
    let timer;
    const apply = () => {
      const asked = [...new FormData(form)].filter(([, value]) => value !== "");
      const query = new URLSearchParams(asked).toString();
      history.replaceState(null, "", query ? `${home}?${query}` : home);
      renew();
    };
    form.addEventListener("input", (event) => {
      clearTimeout(timer);
      timer = setTimeout(apply, event.target.name === "q" ? LATER : 0);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      clearTimeout(timer);
      apply();
    });
    form.querySelector(".reset").addEventListener("click", (event) => {
      event.preventDefault();
      for (const field of form.elements) if (field.name) field.value = "";
      apply();
    });
    root.classList.add("filters-apply");
  }

  // === what is new ===

  let running = false; // a renewal is under way
  let again = false; // and another one is wanted after it

  async function renew() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      const asked = location.href;
      const answer = await fetch(asked, { headers: { Accept: "text/html" } });
      if (answer.ok && asked === location.href) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        document.title = fresh.title;
        for (const part of ["main", "footer"]) {
          morph(document.querySelector(part), fresh.querySelector(part));
        }
      } else if (answer.status === 404) {
        say("This check has left the plan.", "lost");
      }
    } catch {
      // The events say that the connection is lost.
    } finally {
      running = false;
      if (again) {
        again = false;
        renew();
      }
    }
  }

  function listen() {
    let lost, waiting, newest = 0;
    const connect = () => {
      const events = new EventSource(`${home}api/v1/events`);
      events.addEventListener("open", () => {
        clearTimeout(lost);
        lost = undefined;
        say("Live", "on");
      });
      events.addEventListener("status", () => {
        if (document.hidden) {
          newest = 0;
          return;
        }
        clearTimeout(waiting);
        const rest = Math.max(0, newest + RENEW - Date.now());
        waiting = setTimeout(() => {
          newest = Date.now();
          renew();
        }, rest);
      });
      events.addEventListener("error", () => {
        lost ??= setTimeout(() => say("Connection lost: this is how things stood", "lost"), LOST);
        if (events.readyState === EventSource.CLOSED) {
          setTimeout(connect, LOST); // browsers give up where the answer was no stream of events
        }
      });
      addEventListener("pagehide", () => events.close(), { once: true });
    };
    connect();
    document.addEventListener("visibilitychange", () => document.hidden || renew());
  }

  function say(text, state) {
    const live = document.getElementById("live");
    live.hidden = false;
    live.dataset.state = state;
    if (live.textContent !== text) live.textContent = text;
  }

  // === replacing only what changed ===

  function morph(old, fresh) {
    if (old.isEqualNode(fresh) || (old.nodeType === Node.ELEMENT_NODE && "keep" in old.dataset)) return;
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
      old.replaceWith(document.importNode(fresh, true));
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    morphChildren(old, fresh);
  }

  // Children with a key are the same ones wherever they stand; the others are told apart by their order. What stays is
  // not moved as long as its order stays, for whatever is moved loses the focus.
  function morphChildren(old, fresh) {
    const keyed = new Map();
    for (const child of old.children) {
      if (child.dataset.key !== undefined) keyed.set(child.dataset.key, child);
    }
    const wanted = new Set([...fresh.children].map((child) => child.dataset.key));
    const stays = (node) => node.dataset?.key !== undefined && wanted.has(node.dataset.key);
    let place = old.firstChild;
    const drop = () => {
      const next = place.nextSibling;
      place.remove();
      place = next;
    };
    for (const next of fresh.childNodes) {
      const key = next.dataset?.key;
      if (key === undefined) {
        if (place && place.dataset?.key === undefined) {
          const same = place;
          place = place.nextSibling;
          morph(same, next);
        } else {
          old.insertBefore(document.importNode(next, true), place);
        }
        continue;
      }
      const same = keyed.get(key);
      if (!same) {
        old.insertBefore(document.importNode(next, true), place);
        continue;
      }
      while (place && place !== same && !stays(place)) drop();
      if (place === same) place = place.nextSibling;
      else old.insertBefore(same, place);
      morph(same, next);
    }
    while (place) drop();
  }
})();
