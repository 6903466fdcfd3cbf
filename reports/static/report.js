"use strict";
(() => {
  const root = document.documentElement;
  const holder = document.getElementById("figures");
  const figures = holder ? JSON.parse(holder.textContent) : {};
  const PRINT_WIDTH = 680; // 180 mm, what A4 leaves between its margins

  // Charts: colours are names of CSS variables; the page's theme decides what they are.
  const coloured = (value, style) => {
    if (typeof value === "string") {
      const name = /^var\((--[\w-]+)\)$/.exec(value);
      return name ? style.getPropertyValue(name[1]).trim() : value;
    }
    if (Array.isArray(value)) return value.map((item) => coloured(item, style));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item, style)]));
    }
    return value;
  };

  const draw = (isPrinting = false) => {
    if (!holder) return;
    const style = getComputedStyle(root);
    const family = getComputedStyle(document.body).fontFamily;
    const isFine = matchMedia("(pointer: fine)").matches;
    for (const [id, figure] of Object.entries(figures)) {
      const place = document.getElementById(`${id}-plot`);
      if (!place) continue;
      const { data, layout } = coloured(figure, style);
      layout.font.family = family;
      layout.dragmode = isFine && layout.hovermode === "x unified" && layout.xaxis.type === "date" ? "zoom" : false;
      layout.autosize = !isPrinting;
      if (place.clientWidth < 480 && layout.xaxis.tickformat === ",") layout.xaxis.nticks = 3;
      if (isPrinting) layout.width = PRINT_WIDTH;
      Plotly.react(place, data, layout, { displayModeBar: false, responsive: true, showTips: false });
    }
  };

  // CSV: raw values, and nothing in them that a spreadsheet would run.
  const csvCell = (cell) => {
    let text = cell.dataset.value ?? cell.textContent.trim();
    if (/^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text)) text = `'${text}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const csv = (table) =>
    [...table.rows]
      .filter((row) => !row.hidden)
      .map((row) => [...row.cells].map(csvCell).join(","))
      .join("\r\n") + "\r\n";

  const save = (table) => {
    const incident = document.body.dataset.incident.replace(/[^\w.-]+/g, "-");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", csv(table)], { type: "text/csv;charset=utf-8" }));
    link.download = `${incident}-${table.id.replace(/-table$/, "")}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  // The grid's filters.
  const filter = (form) => {
    const table = document.getElementById(form.dataset.filters);
    const wanted = [...form.querySelectorAll("select")].filter((s) => s.value).map((s) => [s.dataset.filter, s.value]);
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      row.hidden = !wanted.every(([name, value]) => row.getAttribute(`data-${name}`) === value);
      shown += row.hidden ? 0 : 1;
    }
    form.querySelector("output").textContent = `${shown.toLocaleString("en")} ${shown === 1 ? "row" : "rows"}`;
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.csv");
    if (button) save(document.getElementById(button.dataset.table));
  });
  for (const form of document.querySelectorAll("form[data-filters]")) {
    form.addEventListener("change", () => filter(form));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("button.all").addEventListener("click", () => {
      for (const select of form.querySelectorAll("select")) select.value = "";
      filter(form);
    });
    const segment = form.querySelector("[data-filter=segment]");
    segment.value = [...segment.options].some((option) => option.value === "all") ? "all" : "";
    filter(form);
  }

  // Words: what they mean, on hover and on keyboard focus; Escape puts it away.
  const meaning = document.createElement("div");
  Object.assign(meaning, { id: "meaning", role: "tooltip", hidden: true });
  document.getElementById("main").append(meaning);
  const hush = () => {
    meaning.hidden = true;
    document.querySelector("[aria-describedby=meaning]")?.removeAttribute("aria-describedby");
  };
  const tell = (term) => {
    hush();
    meaning.textContent = term.dataset.meaning;
    meaning.hidden = false;
    term.setAttribute("aria-describedby", "meaning");
    const at = term.getBoundingClientRect();
    const left = Math.min(at.left, root.clientWidth - meaning.offsetWidth - 8);
    meaning.style.left = `${Math.max(8, left) + scrollX}px`;
    meaning.style.top = `${at.bottom + scrollY}px`;
  };
  for (const term of document.querySelectorAll(".term")) {
    term.addEventListener("pointerenter", () => tell(term));
    term.addEventListener("focus", () => tell(term));
    term.addEventListener("blur", hush);
    term.addEventListener("pointerleave", (event) => event.relatedTarget === meaning || hush());
  }
  meaning.addEventListener("pointerleave", hush);
  addEventListener("keydown", (event) => event.key === "Escape" && hush());

  // Contents: mark the section being read.
  const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.hash.slice(1), a]));
  const seen = new Set();
  const watch = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) entry.isIntersecting ? seen.add(entry.target.id) : seen.delete(entry.target.id);
      const current = [...links.keys()].find((id) => seen.has(id));
      for (const [id, a] of links) {
        if (id !== current) a.removeAttribute("aria-current");
        else if (!a.hasAttribute("aria-current")) {
          a.setAttribute("aria-current", "true");
          const bar = a.closest(".contents");
          bar.scrollTo({ left: a.offsetLeft - bar.offsetLeft - bar.clientWidth / 3 });
        }
      }
    },
    { rootMargin: "-15% 0px -70% 0px" },
  );
  for (const id of links.keys()) {
    const section = document.getElementById(id);
    if (section) watch.observe(section);
  }

  // Print: light colours and the paper's width, whatever the screen had.
  const printing = (isOn) => {
    if (root.classList.contains("printing") === isOn) return;
    root.classList.toggle("printing", isOn);
    draw(isOn);
  };
  matchMedia("print").addEventListener("change", (event) => printing(event.matches));
  addEventListener("beforeprint", () => printing(true));
  addEventListener("afterprint", () => printing(false));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  draw();
})();
