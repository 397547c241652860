"use strict";
(() => {
  const BAD = new Set(["failed", "error", "timeout", "interrupted", "lost"]);
  const MARK = { passed: "", skipped: "↷", cancelled: "⊘", running: "…" };
  const KINDS = ["entrypoint", "command", "step", "task", "process", "export"];
  const list = document.getElementById("spans");
  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // The list is the data: rows in the order of the page, each knows where its descendants end.
  const rows = [];
  const read = (items, depth, parent) => {
    for (const item of items) {
      const part = (tag) => item.querySelector(":scope > " + tag);
      const link = part("a");
      const { at, for: length, kind, outcome } = item.dataset;
      const row = {
        id: item.id, depth, parent, kind, outcome, index: rows.length,
        name: (link || part("b")).textContent, href: link ? link.getAttribute("href") : "",
        at: +at, seconds: +length, error: part("em")?.textContent || "", details: part("pre")?.textContent || "",
        bad: BAD.has(outcome), origin: "origin" in item.dataset, hot: false, open: true, last: 0,
      };
      row.text = (row.name + " " + row.kind + " " + row.outcome + " " + row.error + " " + row.details).toLowerCase();
      rows.push(row);
      const below = part("ol");
      if (below) read(below.children, depth + 1, row);
      row.last = rows.length - 1;
    }
  };
  read(list.children, 0, null);
  if (!rows.length) return;

  let begin = rows[0].at, end = begin;
  for (const row of rows) {
    begin = Math.min(begin, row.at);
    end = Math.max(end, row.at + row.seconds);
  }
  const whole = Math.max(end - begin, 1e-6);
  let from = begin - whole * 0.005, to = end + whole * 0.005;

  // Hot: a tenth of the run or more, and none of its children is most of it.
  for (const row of rows) row.hot = row.seconds >= whole / 10;
  for (const row of rows) if (row.hot && row.parent && row.seconds > row.parent.seconds / 2) row.parent.hot = false;

  const isParent = (row) => row.last > row.index;
  const above = (row, visit) => { for (let r = row.parent; r; r = r.parent) visit(r); };
  const fold = (deepest) => {
    for (const row of rows) row.open = row.depth < deepest;
    for (const row of rows) if (row.bad) above(row, (r) => { r.open = true; });
  };
  let deepest = 99;
  if (rows.length > 300) for (deepest = 1; rows.filter((r) => r.depth <= deepest + 1).length < 300; ) deepest += 1;
  fold(deepest);

  const duration = (s) => {
    if (s < 0.0995) return s >= 0.0009995 ? (s * 1e3).toFixed(0) + " ms" : (s * 1e6).toFixed(0) + " µs";
    if (s < 9.95) return s.toFixed(1) + " s";
    const n = Math.round(s), two = (x) => String(x).padStart(2, "0");
    if (n < 60) return n + " s";
    if (n < 3600) return Math.floor(n / 60) + " min " + two(n % 60) + " s";
    const m = Math.round(s / 60);
    return Math.floor(m / 60) + " h " + two(m % 60) + " min";
  };

  // Elements.
  const tools = make("div", "bar-of-tools");
  const search = Object.assign(make("input"), { type: "search", placeholder: "Search name, error, parameter" });
  search.setAttribute("aria-label", "Search");
  const failedOnly = Object.assign(make("input"), { type: "checkbox" });
  const failedLabel = make("label");
  failedLabel.append(failedOnly, "Failed only");
  const group = (...buttons) => {
    const box = make("span", "group");
    for (const [text, title, act] of buttons) {
      const button = Object.assign(make("button", "", text), { type: "button", title, onclick: act });
      button.setAttribute("aria-label", title);
      box.append(button);
    }
    return box;
  };
  const legend = make("span", "legend");
  const used = new Set(rows.map((r) => r.kind));
  for (const kind of KINDS.filter((k) => used.has(k))) {
    const entry = make("span");
    entry.append(make("i", kind), kind);
    legend.append(entry);
  }
  if (rows.some((r) => r.bad)) {
    const entry = make("span");
    entry.append(make("i", "failed"), "failed");
    legend.append(entry);
  }
  const chart = make("div", "chart"), overview = make("canvas", "overview"), axis = make("div", "axis");
  const view = make("div", "rows"), space = make("div", "space"), grid = make("div", "grid"), body = make("div");
  overview.setAttribute("aria-hidden", "true");
  axis.setAttribute("aria-hidden", "true");
  view.tabIndex = 0;
  view.setAttribute("role", "tree");
  view.setAttribute("aria-labelledby", "what-ran");
  space.append(grid, body);
  view.append(space);
  const range = make("div", "range");
  range.hidden = true;
  chart.append(overview, axis, view, range);
  const details = make("div", "details");
  details.hidden = true;
  details.setAttribute("aria-live", "polite");
  const tip = make("div", "tip");
  tip.hidden = true;
  tip.setAttribute("role", "tooltip");
  const hint = make("p", "hint");
  for (const [keys, what] of [[["↑", "↓"], "move"], [["←", "→"], "fold, unfold"], [["w", "s"], "zoom"], [["a", "d"], "pan"],
    [["f"], "fit the row"], [["0"], "all"], [["/"], "search"], [["x"], "failed only"]]) {
    for (const key of keys) hint.append(make("kbd", "", key), " ");
    hint.append(what + " \u00a0 ");
  }
  hint.append("· Ctrl + wheel zooms, drag pans, drag on the axis selects, double click fits");
  list.replaceWith(tools, chart, details, hint);
  document.body.append(tip);

  // What is shown.
  let shown = [], chosen = null, needle = "";
  const choose = () => {
    const filtered = needle || failedOnly.checked;
    const keep = new Set();
    if (filtered) {
      for (const row of rows) {
        if ((!needle || row.text.includes(needle)) && (!failedOnly.checked || row.bad)) {
          keep.add(row);
          above(row, (r) => keep.add(r));
        }
      }
    }
    shown = [];
    for (let i = 0; i < rows.length; ) {
      const row = rows[i];
      if (filtered ? keep.has(row) : true) shown.push(row);
      i = filtered || row.open ? i + 1 : row.last + 1;
    }
    draw();
  };

  // Drawing: only the rows in sight exist.
  let height = 26, queued = false;
  const draw = () => { if (!queued) { queued = true; requestAnimationFrame(paint); } };
  const laneWidth = () => Math.max(axis.clientWidth, 50);
  const x = (t) => ((t - from) / (to - from)) * laneWidth();
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];
  const step = () => {
    const wanted = ((to - from) / laneWidth()) * 90;
    if (wanted > 1) return STEPS.find((s) => s >= wanted) || 86400 * Math.ceil(wanted / 86400);
    const power = 10 ** Math.floor(Math.log10(wanted));
    return [1, 2, 5, 10].find((m) => m * power >= wanted * 0.999) * power;
  };
  const moment = (t, by) => {
    if (by < 1) return by < 0.001 ? (t * 1e3).toFixed(Math.max(0, -Math.floor(Math.log10(by)) - 3)) + " ms"
      : t.toFixed(Math.max(0, -Math.floor(Math.log10(by * 1.001)))) + " s";
    const s = Math.round(t), two = (n) => String(n).padStart(2, "0");
    if (end - begin < 120) return s + " s";
    return s >= 3600 ? Math.floor(s / 3600) + ":" + two(Math.floor(s / 60) % 60) + ":" + two(s % 60) : Math.floor(s / 60) + ":" + two(s % 60);
  };
  const paint = () => {
    queued = false;
    height = parseFloat(getComputedStyle(document.documentElement).fontSize) * 1.625;
    const most = Math.max(window.innerHeight - 190, 240);
    view.style.height = Math.min(Math.max(shown.length, 3) * height + 2, most) + "px";
    space.style.height = shown.length * height + "px";
    grid.style.minHeight = view.clientHeight + "px";
    axis.style.marginRight = view.offsetWidth - view.clientWidth + "px";
    const by = step(), ticks = [], lines = [];
    for (let t = Math.ceil((from - begin) / by) * by; t <= to - begin; t += by) {
      const tick = make("span", "", moment(t, by)), line = make("i");
      tick.style.left = line.style.left = x(begin + t) + "px";
      ticks.push(tick);
      lines.push(line);
    }
    axis.replaceChildren(...ticks);
    grid.replaceChildren(...lines);
    const first = Math.max(Math.floor(view.scrollTop / height) - 4, 0);
    const until = Math.min(Math.ceil((view.scrollTop + view.clientHeight) / height) + 4, shown.length);
    const drawn = [];
    for (let i = first; i < until; i += 1) drawn.push(line(shown[i], i));
    body.replaceChildren(...(shown.length ? drawn : [make("p", "empty", "Nothing matches.")]));
    paintOverview();
  };
  const line = (row, i) => {
    const element = make("div", "row" + (row.bad ? " bad" : row.outcome === "passed" ? "" : " aside"));
    element.style.top = i * height + "px";
    element.id = "r" + row.index;
    element.dataset.index = row.index;
    element.setAttribute("role", "treeitem");
    element.setAttribute("aria-level", row.depth + 1);
    element.setAttribute("aria-selected", row === chosen);
    element.setAttribute("aria-label", row.name + ", " + row.kind + ", " + row.outcome + ", " + duration(row.seconds));
    if (isParent(row)) element.setAttribute("aria-expanded", row.open);
    const name = make("div", "name"), twist = make("button", "", isParent(row) ? (row.open ? "▾" : "▸") : "");
    twist.tabIndex = -1;
    twist.setAttribute("aria-hidden", "true");
    name.style.paddingLeft = 0.3 + Math.min(row.depth, 12) * (innerWidth < 640 ? 0.35 : 0.85) + "rem";
    const text = make("span", "text", row.name);
    const mark = row.bad ? "✘" : MARK[row.outcome];
    name.append(twist, ...(mark ? [make("span", "mark", mark)] : []), text);
    if (row.href) {
      const link = Object.assign(make("a", "open", "↗"), { href: row.href, title: "Open " + row.href });
      link.tabIndex = -1;
      name.append(link);
    }
    const lane = make("div", "lane"), bar = make("i", row.kind + " " + (row.bad && !row.origin ? "within" : row.outcome));
    const label = make("b", row.hot ? "hot" : "", duration(row.seconds));
    const width = laneWidth(), left = x(row.at), right = Math.max(x(row.at + row.seconds), left + 3);
    if (right > -9 && left < width + 9) {
      const l = Math.max(left, -9), r = Math.min(right, width + 9);
      bar.style.left = l + "px";
      bar.style.width = r - l + "px";
      if (r + 90 < width) label.style.left = r + "px";
      else if (l > 90) label.style.right = width - l + "px";
      else { label.classList.add("on"); label.style.left = Math.max(l, 0) + 6 + "px"; }
      lane.append(bar, label);
    } else {
      label.textContent = (left < 0 ? "◂ " : "") + label.textContent + (left < 0 ? "" : " ▸");
      label.style[left < 0 ? "left" : "right"] = "0px";
      lane.append(label);
    }
    element.append(name, lane);
    return element;
  };
  const paintOverview = () => {
    const scale = window.devicePixelRatio || 1, width = chart.clientWidth, tall = 44;
    overview.width = width * scale;
    overview.height = tall * scale;
    const pen = overview.getContext("2d"), style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue("--" + name).trim() || "#888";
    const colours = Object.fromEntries(["run", ...KINDS, "bad", "accent", "soft"].map((n) => [n, colour(n)]));
    pen.scale(scale, scale);
    for (const bad of [false, true]) {
      for (const row of rows) {
        if (row.origin !== bad || row.depth > 6) continue;
        pen.fillStyle = bad && row.origin ? colours.bad : colours[row.kind] || colours.soft;
        pen.globalAlpha = bad ? 1 : 0.75;
        pen.fillRect(((row.at - begin) / whole) * width, 2 + row.depth * 6, Math.max((row.seconds / whole) * width, bad ? 2 : 1), 5);
      }
    }
    const l = ((from - begin) / whole) * width, r = ((to - begin) / whole) * width;
    if (l > 0.5 || r < width - 0.5) {
      pen.globalAlpha = 0.14;
      pen.fillStyle = colours.accent;
      pen.fillRect(l, 0, Math.max(r - l, 2), tall);
      pen.globalAlpha = 1;
      pen.strokeStyle = colours.accent;
      pen.strokeRect(l + 0.5, 0.5, Math.max(r - l, 2) - 1, tall - 1);
    }
  };

  // Moving in time.
  const show = (a, b) => {
    const least = Math.max(whole * 1e-6, 1e-5), most = whole * 1.01;
    const length = Math.min(Math.max(b - a, least), most);
    const middle = (a + b) / 2;
    from = Math.min(Math.max(middle - length / 2, begin - whole * 0.005), end + whole * 0.005 - length);
    to = from + length;
    draw();
  };
  const zoom = (factor, at = (from + to) / 2) => show(at - (at - from) * factor, at + (to - at) * factor);
  const pan = (part) => show(from + (to - from) * part, to + (to - from) * part);
  const all = () => show(begin - whole, end + whole);
  const fit = (row) => { if (row) show(row.at - row.seconds * 0.04 - 1e-5, row.at + row.seconds * 1.04 + 1e-5); };
  const when = (event) => from + ((event.clientX - axis.getBoundingClientRect().left) / laneWidth()) * (to - from);

  // Choosing a row.
  const describe = (row, box) => {
    const facts = [row.kind, row.outcome, duration(row.seconds), "began at " + moment(row.at - begin, row.seconds < 1 ? 0.01 : 1)];
    box.replaceChildren(make("strong", "", row.name), make("div", "facts", facts.join(" · ")));
    if (row.error) box.append(make("p", "bad", row.error));
    if (row.details) box.append(make("pre", "", row.details));
  };
  const select = (row, reveal) => {
    chosen = row;
    describe(row, details);
    if (row.href) {
      const links = make("div");
      for (const [text, file] of [["directory", ""], ["_run.log", "_run.log"], ["metadata", "_meta/metadata.yaml"], ...(row.bad ? [["FAILURE", "FAILURE"]] : [])]) {
        links.append(Object.assign(make("a", "", text), { href: row.href + file }), " \u00a0 ");
      }
      details.append(links);
    }
    details.hidden = false;
    if (reveal) {
      above(row, (r) => { r.open = true; });
      choose();
      if (!shown.includes(row)) { search.value = needle = ""; failedOnly.checked = false; choose(); }
      paint(); // the heights must be right before anything scrolls
      const top = shown.indexOf(row) * height;
      if (top < view.scrollTop || top > view.scrollTop + view.clientHeight - height) view.scrollTop = top - view.clientHeight / 3;
    }
    view.setAttribute("aria-activedescendant", "r" + row.index);
    draw();
  };
  const toggle = (row, open) => { row.open = open; choose(); };
  const rowOf = (event) => {
    const element = event.target.closest?.(".row");
    return element && rows[element.dataset.index];
  };
  const jump = () => {
    const row = rows.find((r) => "#" + r.id === location.hash);
    if (!row) return;
    chart.scrollIntoView({ block: "start" });
    select(row, true);
  };

  tools.append(search, failedLabel,
    group(["Unfold", "Unfold all", () => { for (const r of rows) r.open = true; choose(); }], ["Fold", "Fold all but the failures", () => { fold(1); choose(); }]),
    group(["−", "Zoom out", () => zoom(1.6)], ["All", "Show the whole run", all], ["+", "Zoom in", () => zoom(0.625)]), legend);
  search.oninput = () => { needle = search.value.trim().toLowerCase(); view.scrollTop = 0; choose(); };
  failedOnly.onchange = () => { view.scrollTop = 0; choose(); };
  view.onscroll = draw;
  addEventListener("resize", draw);
  addEventListener("hashchange", jump);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  // A drag on the lanes pans, on the axis and the overview it selects a range.
  let drag = null, moved = false;
  view.addEventListener("pointerdown", (event) => {
    if (event.button || !event.target.closest(".lane")) return;
    drag = { x: event.clientX, from, to };
    moved = false;
  });
  const selecting = (element, time) => {
    element.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      const x0 = event.clientX, start = time(event), box = chart.getBoundingClientRect();
      element.setPointerCapture(event.pointerId);
      element.onpointermove = (e) => {
        range.hidden = false;
        range.style.left = Math.min(x0, e.clientX) - box.left + "px";
        range.style.width = Math.abs(e.clientX - x0) + "px";
      };
      element.onpointerup = element.onpointercancel = (e) => {
        element.onpointermove = element.onpointerup = element.onpointercancel = null;
        range.hidden = true;
        const stop = time(e), half = (to - from) / 2;
        if (Math.abs(e.clientX - x0) > 4) show(Math.min(start, stop), Math.max(start, stop));
        else if (element === overview) show(stop - half, stop + half);
      };
    });
  };
  selecting(axis, when);
  selecting(overview, (event) => begin + ((event.clientX - overview.getBoundingClientRect().left) / chart.clientWidth) * whole);
  addEventListener("pointermove", (event) => {
    if (drag) {
      const by = ((drag.x - event.clientX) / laneWidth()) * (drag.to - drag.from);
      if (Math.abs(drag.x - event.clientX) > 3) moved = true;
      if (moved) show(drag.from + by, drag.to + by);
    }
    const row = !drag && event.target.closest?.(".lane, .text") && rowOf(event);
    tip.hidden = !row;
    if (!row) return;
    describe(row, tip);
    const { width, height: tall } = tip.getBoundingClientRect();
    tip.style.left = Math.max(Math.min(event.clientX + 14, innerWidth - width - 8), 4) + "px";
    tip.style.top = (event.clientY + 18 + tall > innerHeight ? Math.max(event.clientY - tall - 10, 4) : event.clientY + 18) + "px";
  });
  addEventListener("pointerup", () => { drag = null; });
  addEventListener("pointercancel", () => { drag = null; });
  view.addEventListener("click", (event) => {
    const row = rowOf(event);
    if (!row || moved) { moved = false; return; }
    if (event.target.closest("button")) toggle(row, !row.open);
    else if (!event.target.closest("a")) select(row);
  });
  view.addEventListener("dblclick", (event) => fit(rowOf(event)));
  chart.addEventListener("wheel", (event) => {
    const zooming = event.ctrlKey || event.metaKey || event.altKey || event.target === axis || event.target === overview;
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (!zooming && !sideways) return;
    event.preventDefault();
    tip.hidden = true;
    if (zooming) zoom(Math.exp(Math.max(Math.min(event.deltaY, 120), -120) * 0.004), when(event));
    else pan(sideways / laneWidth());
  }, { passive: false });

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === search) {
      if (event.key === "Escape") { search.value = ""; search.oninput(); view.focus(); }
      if (event.key === "Enter" || event.key === "ArrowDown") { view.focus(); event.preventDefault(); if (shown.length) select(shown.find((r) => needle && r.text.includes(needle)) || shown[0], true); }
      return;
    }
    const inTree = document.activeElement === view;
    const at = shown.indexOf(chosen), go = (i) => { if (shown.length) select(shown[Math.min(Math.max(i, 0), shown.length - 1)], true); };
    const keys = {
      "/": () => search.focus(), Escape: () => { details.hidden = true; }, x: () => { failedOnly.checked = !failedOnly.checked; failedOnly.onchange(); },
      w: () => zoom(0.7), s: () => zoom(1.43), "+": () => zoom(0.7), "-": () => zoom(1.43), a: () => pan(-0.2), d: () => pan(0.2), 0: all, f: () => fit(chosen),
      ...(inTree && {
        ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1), Home: () => go(0), End: () => go(shown.length - 1),
        PageDown: () => go(at + 15), PageUp: () => go(at - 15), Enter: () => fit(chosen),
        ArrowRight: () => chosen && isParent(chosen) && (chosen.open ? go(at + 1) : toggle(chosen, true)),
        ArrowLeft: () => chosen && (isParent(chosen) && chosen.open ? toggle(chosen, false) : chosen.parent && select(chosen.parent, true)),
      }),
    };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
  choose();
  jump();
})();
