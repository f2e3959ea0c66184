"use strict";
// Keeps an open page up to date: the hub says that something changed, the page asks for what it
// shows now, and replaces the parts that differ. Without this file pages are read and used as well.
(() => {
  const topic = document.body.dataset.topic;
  const parts = () => document.querySelectorAll("[data-part]");
  const contact = document.getElementById("contact");
  const shown = new Map(); // what the hub last sent of each part; the page itself is changed by figures
  let isAsking = false, isDue = false, lines = null, lostAt = 0;

  for (const part of parts()) shown.set(part.id, content(part));
  for (const log of document.querySelectorAll(".log")) log.scrollTop = log.scrollHeight;
  tellTimes();
  setInterval(tellTimes, 10000);
  askInDialogs();
  sendFiles();
  if (topic !== undefined && "EventSource" in window) {
    document.addEventListener("visibilitychange", () => (document.hidden ? unfollow() : follow()));
    window.addEventListener("pagehide", unfollow);
    window.addEventListener("pageshow", follow);
    follow();
  }

  // A browser holds few connections to one host: tabs that nobody looks at give theirs back.
  function follow() {
    if (lines !== null || document.hidden) return;
    lines = new EventSource("/events" + (topic ? "?experiment=" + encodeURIComponent(topic) : ""));
    lines.onopen = () => { lostAt = 0; tellContact(); refresh(); };
    lines.addEventListener("changed", refresh);
    lines.addEventListener("over", () => location.reload());
    lines.onerror = () => {
      lostAt = lostAt || Date.now();
      tellContact();
      if (lines !== null && lines.readyState === EventSource.CLOSED) {
        unfollow();
        setTimeout(() => { refresh(); follow(); }, 5000);
      }
    };
  }

  function unfollow() {
    if (lines !== null) lines.close();
    lines = null;
  }

  function tellContact() {
    const isLost = lostAt !== 0;
    if (contact.hidden === !isLost) return;
    contact.hidden = !isLost;
    contact.textContent = isLost ? "No contact with the hub. What is shown may be old." : "";
  }

  async function refresh() {
    if (isAsking) { isDue = true; return; }
    isAsking = true;
    try {
      const answer = await fetch(location.href, {headers: {"X-Fragment": "1"}, credentials: "same-origin", cache: "no-store"});
      if (answer.redirected) { location.reload(); return; }
      if (answer.ok) await replace(await answer.text());
    } catch (error) {
      // The hub is away: the events say so, and when it is back.
    } finally {
      isAsking = false;
    }
    if (isDue) { isDue = false; refresh(); }
  }

  async function replace(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const part of page.querySelectorAll("[data-part]")) {
      const place = document.getElementById(part.id);
      if (place === null) continue;
      if (part.dataset.from) {
        await replaceReport(place, part.dataset.mark);
      } else if (shown.get(part.id) !== content(part)) {
        shown.set(part.id, content(part));
        keeping(place, () => place.replaceChildren(...part.childNodes));
      }
    }
    tellTimes();
  }

  async function replaceReport(place, mark) {
    if (place.dataset.mark === mark) return;
    const answer = await fetch(place.dataset.from, {credentials: "same-origin", cache: "no-store"});
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    place.dataset.mark = mark;
    keeping(place, () => place.replaceChildren(...page.body.childNodes));
    if (typeof drawFigures === "function") drawFigures(place);
  }

  // Whoever reads or types must not lose the place: focus, scrolling, what is folded open.
  function keeping(place, change) {
    const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
    const open = new Map([...place.querySelectorAll("details")].map((each, at) => [each.id || at, each.open]));
    const scrolled = new Map([...place.querySelectorAll(".wide, .log")].map((each, at) =>
      [at, [each.scrollLeft, each.scrollTop, each.scrollTop + each.clientHeight >= each.scrollHeight - 2]]));
    const height = place.offsetHeight, [left, top] = [window.scrollX, window.scrollY];
    place.style.minHeight = height + "px";
    change();
    [...place.querySelectorAll("details")].forEach((each, at) => {
      const was = open.get(each.id || at);
      if (was !== undefined) each.open = was;
    });
    [...place.querySelectorAll(".wide, .log")].forEach((each, at) => {
      const was = scrolled.get(at);
      if (was === undefined) return;
      each.scrollLeft = was[0];
      each.scrollTop = was[2] ? each.scrollHeight : was[1];
    });
    if (focused) document.getElementById(focused)?.focus({preventScroll: true});
    window.scrollTo(left, top);
    requestAnimationFrame(() => { place.style.minHeight = ""; });
  }

  function content(part) { return part.innerHTML; }

  function tellTimes() {
    for (const time of document.querySelectorAll("main time[datetime]")) {
      const moment = new Date(time.dateTime), seconds = (Date.now() - moment) / 1000;
      if (Number.isNaN(seconds)) continue;
      const told = ago(seconds) || moment.toLocaleString();
      if (time.textContent !== told) time.textContent = told;
      time.title = moment.toLocaleString();
    }
  }

  function ago(seconds) {
    if (seconds < -5 || seconds > 2 * 86400) return "";
    if (seconds < 10) return "just now";
    if (seconds < 60) return Math.floor(seconds / 10) * 10 + " s ago";
    if (seconds < 3600) return Math.floor(seconds / 60) + " min ago";
    return Math.floor(seconds / 3600) + " h ago";
  }

  // A file goes as it is, so that the hub reads of it what the command would; forms of text can not.
  function sendFiles() {
    for (const form of document.querySelectorAll("form[data-upload]")) {
      form.hidden = false;
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const button = form.querySelector("button"), file = form.elements.file.files[0];
        button.disabled = true;
        await sendFile(form, file).catch(() => tell("The file did not reach the hub. Send it again."));
        button.disabled = false;
      });
    }
  }

  async function sendFile(form, file) {
    if (file.size > Number(form.dataset.most)) {
      tell("This file is larger than " + form.dataset.mostTold + ", which is the most. Send it in pieces.");
      return;
    }
    const headers = {"Content-Type": "text/csv", "X-Form-Key": form.elements.form_key.value, "X-Fragment": "1"};
    const answer = await fetch(form.action, {method: "POST", headers, body: file, credentials: "same-origin"});
    if (answer.redirected) { location.reload(); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const told = page.getElementById("outcome") || page.querySelector(".problem");
    if (told === null) { tell("The hub did not take the file (" + answer.status + ")."); return; }
    tell(...(told.id ? told.childNodes : [told]));
    if (answer.ok) form.reset();
    refresh();
  }

  function tell(...shown) {
    const place = document.getElementById("outcome");
    place.replaceChildren(...shown);
    if (typeof shown[0] === "string") {
      const problem = document.createElement("p");
      problem.className = "problem";
      problem.append(...shown);
      place.replaceChildren(problem);
    }
    place.focus();
    place.scrollIntoView({block: "nearest"});
  }

  // The form would lead to a page that asks once more; here a dialog does.
  function askInDialogs() {
    document.addEventListener("submit", (event) => {
      const dialog = document.getElementById(event.target.dataset.dialog || "");
      if (dialog === null || typeof dialog.showModal !== "function") return;
      event.preventDefault();
      dialog.showModal();
      dialog.querySelector("form[method=dialog] button").focus();
    });
  }
})();
