"use strict";
(() => {
  const root = document.documentElement;

  // The switch of the colours. A browser may not let a local file store the choice.
  const store = { get: () => { try { return localStorage.getItem("theme"); } catch { return null; } },
                  set: (theme) => { try { localStorage.setItem("theme", theme); } catch { /* it lasts as long as the page */ } } };
  const choose = (theme) => { if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme; };
  const theme = document.querySelector(".theme");
  const stored = store.get();
  for (const input of theme.querySelectorAll("input")) {
    if (input.value === stored) { input.checked = true; choose(stored); }
    input.addEventListener("change", () => { choose(input.value); store.set(input.value); });
  }
  theme.hidden = false;

  // The charts. Their colours are CSS variables, so only their width ever changes.
  const { config, charts } = JSON.parse(document.getElementById("charts").textContent);
  const views = [];
  const fit = ({ element, view }) => {
    const width = element.clientWidth;
    if (width > 0 && view.width() !== width) view.width(width).run();
  };
  const resized = new ResizeObserver((entries) => {
    for (const entry of entries) fit(views.find((each) => each.element === entry.target));
  });
  const options = {
    mode: "vega-lite", ast: true, renderer: "svg", actions: false, defaultStyle: false, config,
    tooltip: { theme: "report", disableDefaultStyle: true },
  };
  const draw = async ([id, spec]) => {
    const element = document.querySelector(`#${id} .chart`);
    spec.width = element.clientWidth;
    const { view } = await vegaEmbed(element.firstElementChild, spec, options);  // it sets the role of its element
    views.push({ element, view });
    resized.observe(element);
  };
  const drawn = Promise.all(Object.entries(charts).map(draw));
  drawn.then(() => { root.dataset.drawn = "true"; });

  // Paper has another width than the window.
  const lay = (printing) => { root.classList.toggle("printing", printing); views.forEach((each) => fit(each)); };
  addEventListener("beforeprint", () => lay(true));
  addEventListener("afterprint", () => lay(false));
})();
