// Draws the figures of a page with Observable Plot. Each drawing is data that the server has put into words already; the table below it
// says the same, so that nothing is lost where this does not run. Marks are links where somebody stands behind them.
(() => {
  "use strict";
  const css = (name) => `var(${name})`; // as the page is: light, dark or on paper
  const box = (...parts) => {
    const all = document.createElement("div");
    all.append(...parts);
    return all;
  };
  const seen = (list) => [...new Set(list)];

  // Lengths and places of a drawing. What has no room on a phone is cut; the table says the whole.
  const letter = 7;
  const left = (d, width) => Math.min(width * 0.4, 24 + letter * Math.max(...d.points.map((p) => (p.y || "").length), 4));
  const fitted = (d, width) => (name) => {
    const room = Math.floor((left(d, width) - 20) / letter);
    return name.length > room ? name.slice(0, room - 1) + "…" : name;
  };
  const common = (d, width, rows) => ({width, marginLeft: left(d, width), marginRight: 16, style: {fontSize: "12px"}, height: rows * 26 + 70, marginBottom: 30});
  const number = (v) => v.toLocaleString(document.documentElement.lang);
  const scale = (d) => (d.unit === "points" ? (v) => number(v / 100) : d.unit === "share" ? (v) => v / 10 + " %" : (v) => v.toLocaleString(document.documentElement.lang));
  const link = (d) => (d.points.some((p) => p.a) ? {href: "a"} : {});
  const x = (d, more) => ({label: null, tickFormat: d.unit === "amount" ? () => "" : scale(d), ticks: 4, grid: true, ...more});

  const legend = (names, colours) => {
    const all = document.createElement("p");
    all.className = "legend";
    names.forEach((name, i) => {
      const mark = document.createElement("span");
      mark.style.background = colours[i];
      all.append(mark, name);
    });
    return all;
  };

  const kinds = {
    bars(d, width) {
      // From nought each: two rows of one name, such as a mean in each currency, are not a sum.
      const ys = seen(d.points.map((p) => p.y));
      const shown = d.points.filter((p) => p.v !== null);
      const said = letter * Math.max(...shown.map((p) => (p.t || "").length), 0) + 8; // the number behind a bar
      const room = Math.max(0.3, 1 - said / (width - left(d, width) - 16));
      return Plot.plot({...common(d, width, ys.length), x: x(d, {domain: [Math.min(0, ...shown.map((p) => p.v)), Math.max(1, ...shown.map((p) => Math.max(p.v, p.hi ?? p.v))) / room]}), y: {domain: ys, label: null, tickFormat: fitted(d, width)}, marks: [
        Plot.barX(shown, {x1: 0, x2: "v", y: "y", fill: (p) => (p.s === "Σ" ? css("--soft") : css("--bar")), title: "h", ...link(d)}),
        Plot.link(shown.filter((p) => p.lo !== undefined), {x1: "lo", x2: "hi", y1: "y", y2: "y", stroke: css("--ink"), markerStart: "tick", markerEnd: "tick"}),
        Plot.text(shown, {x: (p) => Math.max(p.v, p.hi ?? 0), y: "y", text: "t", dx: 4, textAnchor: "start", fill: css("--ink")}),
        Plot.ruleX([0]),
      ]});
    },
    stack(d, width) {
      const ys = seen(d.points.map((p) => p.y));
      const shades = ["#b2182b", "#ef8a62", "#67a9cf", "#2166ac"];
      return box(legend(d.series, shades), Plot.plot({...common(d, width, ys.length), color: {domain: d.series, range: shades}, x: x(d), y: {domain: ys, label: null}, marks: [
        Plot.barX(d.points, {x: "v", y: "y", fill: "s", title: "h", order: d.series, ...link(d)}),
        Plot.ruleX([0]),
      ]}));
    },
    // Bars side by side, a group for each value of x.
    columns(d, width) {
      const xs = seen(d.points.map((p) => p.x));
      const colours = [css("--soft"), css("--bar"), css("--bar2")].slice(0, d.series.length);
      return box(legend(d.series, colours), Plot.plot({width, height: 260, marginLeft: 44, style: {fontSize: "12px"}, color: {domain: d.series, range: colours}, fx: {domain: xs, label: null}, x: {domain: d.series, axis: null}, y: {label: null, grid: true, ticks: 4, tickFormat: scale(d)}, marks: [
        Plot.barY(d.points, {fx: "x", x: "s", y: "v", fill: "s", title: "h"}),
        Plot.ruleY([0]),
      ]}));
    },
    // Two dots of one row and the line between them, on a scale of 0 to 10 where they are points of it.
    dumbbell(d, width) {
      const shown = d.points.filter((p) => p.v !== null);
      const ys = seen(shown.map((p) => p.y));
      const colours = [css("--soft"), css("--bar")];
      const lines = ys.map((y) => shown.filter((p) => p.y === y)).filter((all) => all.length > 1).map((all) => ({y: all[0].y, from: all[0].v, to: all[all.length - 1].v}));
      const names = seen(d.series);
      const named = (p) => (p.s === "Σ" ? names[shown.filter((o) => o.y === p.y).indexOf(p)] : p.s);
      return box(legend(names, colours), Plot.plot({...common(d, width, ys.length), color: {domain: names, range: colours}, x: x(d, {domain: d.unit === "points" ? [0, 1000] : undefined}), y: {domain: ys, label: null, type: "point"}, marks: [
        Plot.link(lines, {x1: "from", x2: "to", y1: "y", y2: "y", stroke: css("--line"), strokeWidth: 5}),
        Plot.dot(shown, {x: "v", y: "y", r: 6, fill: named, title: "h", ...link(d)}),
        Plot.text(shown, {x: "v", y: "y", text: "t", dy: -13, fill: css("--ink")}),
      ]}));
    },
    bubble(d, width) {
      const ys = seen(d.points.map((p) => p.y));
      const xs = seen(d.points.map((p) => p.x)).sort();
      const most = Math.max(...d.points.map((p) => p.v));
      return Plot.plot({...common(d, width, ys.length), marginBottom: 70, height: ys.length * 30 + 110, x: {domain: xs, label: null, tickRotate: -45, type: "point"}, y: {domain: ys, label: null, type: "point", grid: true}, r: {domain: [0, most], range: [0, Math.min(26, width / (xs.length + 6) / 1.4)]}, marks: [
        Plot.dot(d.points, {x: "x", y: "y", r: "v", fill: css("--bar"), fillOpacity: 0.55, stroke: css("--bar"), title: "h", ...link(d)}),
        Plot.text(d.points.filter((p) => p.v * 12 > most), {x: "x", y: "y", text: "t", fill: css("--ink"), pointerEvents: "none"}),
      ]});
    },
    matrix(d, width) {
      const ys = seen(d.points.map((p) => p.y));
      const xs = seen(d.points.map((p) => p.x));
      return Plot.plot({...common(d, width, ys.length), marginBottom: 70, height: ys.length * 30 + 110, x: {domain: xs, label: null, tickRotate: -45}, y: {domain: ys, label: null, type: "band"}, opacity: {domain: [0, Math.max(1, ...d.points.map((p) => p.v))]}, marks: [
        Plot.cell(d.points, {x: "x", y: "y", fill: css("--bar"), fillOpacity: "v", title: "h", stroke: css("--line"), ...link(d)}),
        Plot.text(d.points, {x: "x", y: "y", text: "t", fill: css("--ink"), stroke: css("--card"), strokeWidth: 3, pointerEvents: "none"}),
      ]});
    },
    // A waterfall: each bar begins where the one before ended; sums begin at nought.
    waterfall(d, width) {
      let at = 0;
      const steps = d.points.map((p) => {
        const from = p.s === "Σ" ? 0 : at;
        at = p.s === "Σ" ? p.v : at + p.v;
        return {...p, from, to: at};
      });
      const ys = steps.map((p) => p.y);
      const ends = steps.flatMap((p) => [p.from, p.to]);
      return Plot.plot({...common(d, width, ys.length), x: x(d, {domain: [Math.min(0, ...ends), Math.max(1, ...ends) * 1.3]}), y: {domain: ys, label: null}, marks: [
        Plot.barX(steps, {x1: "from", x2: "to", y: "y", fill: (p) => (p.s === "Σ" ? css("--bar") : p.v < 0 ? "#b2182b" : css("--bar2")), title: "h"}),
        Plot.text(steps, {x: (p) => Math.max(p.from, p.to), y: "y", text: "t", dx: 4, textAnchor: "start", fill: css("--ink")}),
        Plot.ruleX([0]),
      ]});
    },
    // An UpSet: a bar for each combination of sets, and below it a dot for each set that is in it.
    sets(d, width) {
      const sets = seen(d.points.flatMap((p) => p.y.split(" & ")));
      const dots = d.points.flatMap((p) => sets.map((s) => ({x: p.y, y: s, on: p.y.split(" & ").includes(s)})));
      const xs = d.points.map((p) => p.y);
      const left = Math.min(width / 3, 24 + 7 * Math.max(...sets.map((s) => s.length)));
      return box(
        Plot.plot({width, height: 190, marginLeft: left, marginBottom: 6, x: {domain: xs, axis: null}, y: {label: null, grid: true, ticks: 4}, marks: [
          Plot.barY(d.points, {x: "y", y: "v", fill: css("--bar"), title: "h"}), Plot.text(d.points, {x: "y", y: "v", text: "t", dy: -7, fill: css("--ink")}), Plot.ruleY([0]),
        ]}),
        Plot.plot({width, height: sets.length * 26 + 20, marginLeft: left, marginTop: 6, x: {domain: xs, axis: null, type: "band"}, y: {domain: sets, label: null, type: "point", grid: true}, marks: [
          Plot.dot(dots, {x: "x", y: "y", r: 6, fill: (p) => (p.on ? css("--ink") : css("--line"))}),
        ]}),
      );
    },
  };

  function draw(place) {
    const d = JSON.parse(document.getElementById(place.dataset.plot).textContent);
    const drawing = kinds[d.kind](d, Math.max(280, place.clientWidth));
    // Plot brings styles of its own, which our policy does not let in; cursus.css has what of them matters.
    for (const style of drawing.querySelectorAll("style")) style.remove();
    for (const svg of drawing.tagName === "svg" ? [drawing] : drawing.querySelectorAll("svg")) {
      svg.setAttribute("role", d.points.some((p) => p.a) ? "group" : "img");
      svg.setAttribute("aria-label", d.title + ". " + place.dataset.said);
      // A link says what its mark says when one points at it; all else is in the label and in the table.
      for (const g of svg.querySelectorAll("g[aria-label]")) g.removeAttribute("aria-label"); // names of marks, which say nothing to anybody
      for (const a of svg.querySelectorAll("a")) a.setAttribute("aria-label", a.querySelector("title")?.textContent || d.title);
    }
    place.replaceChildren(drawing);
  }
  const all = () => document.querySelectorAll("[data-plot]").forEach(draw);
  all();
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) { width = innerWidth; all(); }
  });
})();
