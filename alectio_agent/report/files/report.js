"use strict";
// Draws every figure on the page; called again after a part was replaced.
const drawFigures = (() => {
  const PRINT_WIDTH = 660;
  const CONFIG = {displaylogo: false, responsive: true, displayModeBar: "hover", modeBarButtons: [["toImage"]],
    showTips: false, doubleClick: false};
  const chosenTabs = new Map();

  // Figures name colours of the style sheet, such as var(--series-0), so that they follow the scheme.
  function coloured(value, style) {
    if (typeof value === "string") {
      return value.startsWith("var(--") ? style.getPropertyValue(value.slice(4, -1)).trim() : value;
    }
    if (Array.isArray(value)) return value.map((each) => coloured(each, style));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, coloured(each, style)]));
  }

  function axis(own) {
    return {automargin: true, fixedrange: true, gridcolor: "var(--grid)", linecolor: "var(--muted)", zerolinecolor: "var(--grid)",
      ...own, title: {standoff: 8, ...(own && own.title)}};
  }

  function laidOut(layout, width) {
    return {
      autosize: true, height: 360, dragmode: false, hovermode: "closest",
      margin: {l: 60, r: 16, t: 24, b: 48},
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: {color: "var(--ink)", size: 13, family: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"},
            hoverlabel: {bgcolor: "var(--soft)", bordercolor: "var(--muted)", font: {color: "var(--ink)"}},
      modebar: {bgcolor: "rgba(0,0,0,0)", color: "var(--muted)", activecolor: "var(--ink)"},
      ...layout,
      ...(width ? {width, autosize: false} : {}),
      legend: {orientation: "h", x: 0, y: 1.02, yanchor: "bottom", xanchor: "left", ...layout.legend},
      xaxis: axis(layout.xaxis), yaxis: axis(layout.yaxis),
    };
  }

  function draw(place, width) {
    // A hidden place has no width; it is drawn when it is shown.
    if (!place.isConnected || (!width && place.clientWidth === 0)) return;
    const figure = JSON.parse(place.dataset.figure);
    const style = getComputedStyle(place);
    Plotly.react(place, coloured(figure.data, style), coloured(laidOut(figure.layout, width), style), CONFIG);
  }

  function drawAll(root, width) {
    for (const place of root.querySelectorAll(".figure[data-figure]")) draw(place, width);
  }

  function choose(tabs, position, isAsked) {
    const buttons = [...tabs.querySelectorAll("[data-tab]")];
    const button = buttons.find((each) => each.dataset.tab === position);
    if (!button) return;
    for (const each of buttons) {
      const isChosen = each === button;
      each.setAttribute("aria-selected", String(isChosen));
      each.tabIndex = isChosen ? 0 : -1;
      const panel = document.getElementById(each.getAttribute("aria-controls"));
      if (!panel) continue;
      panel.hidden = !isChosen;
      if (isChosen && isAsked) drawAll(panel);
    }
    chosenTabs.set(tabs.dataset.tabs, position);
    if (isAsked) button.focus();
  }

  function restoreTabs(root) {
    // A part that was replaced shows the tab that was chosen before.
    for (const tabs of root.querySelectorAll("[data-tabs]")) {
      const position = chosenTabs.get(tabs.dataset.tabs);
      if (position !== undefined) choose(tabs, position, false);
    }
  }

  function drawFigures(root) {
    restoreTabs(root);
    drawAll(root);
  }

  // The first figure at once, the others one by one, so that the page can be read and scrolled meanwhile.
  function drawFirst() {
    const places = [...document.querySelectorAll(".figure[data-figure]")];
    (function next() {
      const place = places.shift();
      if (!place) return;
      draw(place);
      setTimeout(next);
    })();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-tabs] [data-tab]");
    if (button) choose(button.closest("[data-tabs]"), button.dataset.tab, true);
  });
  document.addEventListener("keydown", (event) => {
    const button = event.target.closest && event.target.closest("[data-tabs] [data-tab]");
    if (!button) return;
    const buttons = [...button.closest("[data-tabs]").querySelectorAll("[data-tab]")];
    const here = buttons.indexOf(button), last = buttons.length - 1;
    const to = {ArrowLeft: here - 1, ArrowRight: here === last ? 0 : here + 1, Home: 0, End: last}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(button.closest("[data-tabs]"), buttons.at(to).dataset.tab, true);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(document));
  // Paper is narrower than a screen, and never dark.
  window.addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing");
    drawAll(document, PRINT_WIDTH);
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    drawAll(document);
  });
  document.addEventListener("DOMContentLoaded", drawFirst);
  return drawFigures;
})();
