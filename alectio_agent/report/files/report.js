"use strict";
// Draws every figure on the page that is not drawn yet; called again after a part was replaced.
function drawFigures(root) {
  for (const place of root.querySelectorAll(".figure[data-figure]")) {
    const figure = JSON.parse(place.dataset.figure);
    Plotly.react(place, figure.data, figure.layout, {displaylogo: false, responsive: true});
  }
}
document.addEventListener("DOMContentLoaded", () => drawFigures(document));
