// Makes the still pictures of a page interactive when they come into view, in its light or dark look.
"use strict";
(() => {
  const looks = document.getElementById("looks");
  if (!looks || !window.Plotly) return;
  const templates = JSON.parse(looks.textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const options = {displaylogo: false, displayModeBar: false, responsive: true};

  function draw(figure) {
    const {data, layout} = JSON.parse(figure.querySelector("script").textContent);
    const live = figure.querySelector(".live");
    const look = {...layout, template: templates[dark.matches ? "dark" : "light"], autosize: true};
    delete look.width;
    delete look.title;
    look.height = layout.height || 380;
    figure.classList.add("drawn");
    window.Plotly.react(live, data, look, options).catch(() => figure.classList.remove("drawn"));
  }

  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      draw(entry.target);
    }
  }, {rootMargin: "400px"});
  document.querySelectorAll("figure[data-live]").forEach((figure) => seen.observe(figure));
  dark.addEventListener("change", () => document.querySelectorAll("figure.drawn").forEach(draw));
})();
