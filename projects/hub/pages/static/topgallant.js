// What pages do beyond htmx: theme, keys, copying, drafts, local times, logs that follow.
(function () {
  "use strict";
  var root = document.documentElement;

  function each(selector, within, does) {
    within.querySelectorAll(selector).forEach(does);
  }

  function store(key, value) {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
    } catch (error) { /* full, or forbidden: nothing is kept */ }
  }

  function stored(key) {
    try { return localStorage.getItem(key); } catch (error) { return null; }
  }

  // Theme

  function isDark() {
    if (root.dataset.theme) return root.dataset.theme === "dark";
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }

  each("[data-theme-toggle]", document, function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      root.dataset.theme = isDark() ? "light" : "dark";
      store("topgallant.theme", root.dataset.theme);
    });
  });

  // On a phone the rooms are wider than the window: the one where one is comes into view

  each(".rooms [aria-current], .tabs.own [aria-current]", document, function (room) {
    room.parentElement.scrollLeft = room.offsetLeft - (room.parentElement.clientWidth - room.clientWidth) / 2;
  });

  // A plot that is wider than a phone begins with what came last

  each(".plot", document, function (plot) {
    each("img", plot, function (image) {
      image.addEventListener("load", function () { plot.scrollLeft = plot.scrollWidth; });
    });
  });

  // Keys: / finds, j and k go through a list

  function isTyping(target) {
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "/") {
      var field = document.querySelector(".find input");
      if (field) { field.focus(); event.preventDefault(); }
    } else if (event.key === "j" || event.key === "k") {
      var links = Array.from(document.querySelectorAll(".list tbody th a:first-child, .rows .line > a"));
      if (!links.length) return;
      var at = links.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1);
      links[Math.max(0, Math.min(links.length - 1, at))].focus();
      event.preventDefault();
    }
  });

  // What comes into the page: times in the reader's zone, buttons that need scripts

  var precise = new Intl.DateTimeFormat(undefined, {
    year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short"
  });

  function enliven(part) {
    each("time[datetime]", part, function (time) {
      var at = new Date(time.getAttribute("datetime"));
      if (!isNaN(at)) time.title = precise.format(at);
    });
    each("[data-copy], [data-copy-from]", part, function (button) { button.hidden = false; });
  }

  enliven(document);
  document.addEventListener("htmx:load", function (event) { enliven(event.detail.elt); });

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    var from = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
    var text = from ? from.textContent : button.dataset.copy;
    navigator.clipboard.writeText(text).then(function () {
      button.classList.add("done");
      setTimeout(function () { button.classList.remove("done"); }, 1200);
    }, function () {
      if (from) getSelection().selectAllChildren(from);
    });
  });

  // A form that is being filled in is kept, for who fills it in, until it is submitted

  var SENT = "topgallant.sent";

  if (/^(\/satellites\/[^/]+)?\/(jobs|submissions)\/[^/]+$/.test(location.pathname) && stored(SENT)) {
    store(stored(SENT), null);
    store(SENT, null);
  }

  each("form[data-draft]", document, function (form) {
    var key = "topgallant.draft." + form.dataset.draft.replace(/!$/, "");
    var note = form.querySelector("[data-kept]"), forget = form.querySelector("[data-forget]");
    var left = /^(csrf_token|site|do)$/;

    function entries() {
      return Array.from(new FormData(form)).filter(function (pair) { return !left.test(pair[0]); });
    }

    function fill(pairs) {
      var values = {};
      pairs.forEach(function (pair) { (values[pair[0]] = values[pair[0]] || []).push(pair[1]); });
      Array.from(form.elements).forEach(function (field) {
        if (!field.name || left.test(field.name) || field.type === "hidden") return;
        var mine = values[field.name] || [];
        if (field.type === "checkbox") field.checked = mine.indexOf(field.value) >= 0;
        else if (mine.length) field.value = mine[mine.length - 1];
        else field.value = "";
        if (field.name.slice(0, 2) === "m." && (field.checked || (field.type !== "checkbox" && field.value)))
          field.closest("details").open = true;
      });
    }

    var pristine = JSON.stringify(entries());
    if (note) note.hidden = false;
    if (!/!$/.test(form.dataset.draft)) {
      var kept = stored(key);
      if (kept && kept !== pristine) {
        try {
          fill(JSON.parse(kept));
          if (forget) forget.hidden = false;
        } catch (error) { store(key, null); }
      }
    }
    form.addEventListener("input", function () {
      store(key, JSON.stringify(entries()));
      if (forget) forget.hidden = false;
    });
    // What comes back may be a log-in or an error: it is forgotten where the jobs are shown.
    form.addEventListener("submit", function () { store(SENT, key); });
    if (forget) forget.addEventListener("click", function () {
      store(key, null);
      location.assign(form.action);
    });
  });

  // A part of a page that is drawn anew leaves the focus where it was, and what was scrolled aside

  function quoted(text) { return "'" + CSS.escape(text) + "'"; }

  function placeOf(active) {
    var href = active.getAttribute("href"), title = active.getAttribute("aria-labelledby");
    var form = active.closest("form");
    if (href) return "a[href=" + quoted(href) + "]";
    if (active.tagName === "BUTTON" && form) return "form[action=" + quoted(form.getAttribute("action")) + "] button";
    return title && "[aria-labelledby=" + quoted(title) + "]";
  }

  document.addEventListener("htmx:beforeSwap", function (event) {
    var target = event.detail.target, active = document.activeElement;
    var same = target.contains(active) && active !== target && placeOf(active);
    var aside = Array.from(target.querySelectorAll(".scroll"), function (part) { return part.scrollLeft; });
    if (!same && !aside.some(Boolean)) return;
    document.addEventListener("htmx:afterSettle", function () {
      each("#live .scroll", document, function (part) { part.scrollLeft = aside.shift() || 0; });
      var again = same && document.querySelector("#live " + same);
      if (again && document.activeElement === document.body) again.focus({ preventScroll: true });
    }, { once: true });
  });

  // Options that come late leave what was chosen meanwhile

  document.addEventListener("htmx:beforeSwap", function (event) {
    var target = event.detail.target;
    if (!target.closest("form[data-draft]")) return;
    var chosen = target.value;
    var boxes = Array.from(target.querySelectorAll("input:checked"), function (box) { return box.value; });
    target.addEventListener("htmx:afterSwap", function () {
      if (target.tagName === "SELECT") target.value = chosen;
      each("input[type=checkbox]", target, function (box) { box.checked = boxes.indexOf(box.value) >= 0; });
    }, { once: true });
  });

  // Logs: at their end until somebody scrolls up; the oldest of very many lines go

  var MOST = 400, NEAR = 40;

  each(".log", document, function (log) {
    var following = log.hasAttribute("data-follow") || log.hasAttribute("data-end") || log.classList.contains("brief");
    function toEnd() { log.scrollTop = log.scrollHeight; }
    if (following && !/[?&]at=0\b/.test(location.search)) { toEnd(); requestAnimationFrame(toEnd); }
    log.addEventListener("scroll", function () {
      following = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    }, { passive: true });
    log.addEventListener("htmx:sseMessage", function () {
      while (log.hasAttribute("data-follow") && log.querySelectorAll(".chunk").length > MOST)
        log.querySelector(".chunk").remove();
      if (following) toEnd();
    });
    log.addEventListener("htmx:sseClose", function () { log.classList.add("over"); });
  });
})();
