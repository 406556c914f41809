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
  const left = (d, width) => Math.min(width * (width < 420 ? 0.5 : 0.4), 24 + letter * Math.max(...d.points.map((p) => (p.y || "").length), 4));
  const fitted = (d, width) => (name) => {
    const room = Math.floor((left(d, width) - 20) / letter);
    return name.length > room ? name.slice(0, room - 1) + "…" : name;
  };
  let paper = 0; // how high the rows of a drawing may be on paper, where it has to end on its page; nought on a screen
  const line = (height, rows) => (paper ? Math.min(height, paper / rows) : height);
  const common = (d, width, rows) => ({width, marginLeft: left(d, width), marginRight: 16, style: {fontSize: "12px"}, height: rows * line(26, rows) + 80, marginBottom: 40});
  const number = (v) => v.toLocaleString(document.documentElement.lang);
  const short = (v) => v.toLocaleString(document.documentElement.lang, {notation: "compact"}); // so that the ends of an axis have room
  const told = (name, value) => name + (document.documentElement.lang === "fr" ? " : " : ": ") + value;
  const major = (d) => 10 ** (d.digits || 0);
  const scale = (d) => (d.unit === "points" ? (v) => number(v / 100) : d.unit === "share" ? (v) => number(v / 10) + (document.documentElement.lang === "fr" ? "\u00a0%" : "%") : d.money ? (v) => short(v / major(d)) : number);
  const unit = (d) => {
    const label = [d.value, d.unit === "amount" && d.money].filter(Boolean).join(", ");
    return label ? {label, labelAnchor: "right", labelArrow: "none", labelOffset: 36} : {label: null};
  };
  const link = (d) => (d.points.some((p) => p.a) ? {href: "a"} : {});
  const ticks = (width) => (width < 420 ? 3 : 4);
  const x = (d, width, more) => ({...unit(d), tickFormat: d.unit === "amount" && !d.money ? () => "" : scale(d), ticks: ticks(width), grid: true, ...more});
  // What may still grow is pale.
  const open = {fillOpacity: (p) => (p.o ? 0.45 : 1)};

  const legend = (names, colours) => {
    const all = document.createElement("p");
    all.className = "legend";
    names.forEach((name, i) => {
      const one = document.createElement("span");
      const mark = document.createElement("span");
      mark.className = "mark";
      mark.style.background = colours[i];
      one.append(mark, name);
      all.append(one, " ");
    });
    return all;
  };
  // How much of a width is left of the axis for bars whose value is written behind them.
  const room = (d, width, shown) => Math.max(0.3, 1 - (letter * Math.max(...shown.map((p) => (p.t || "").length), 0) + 8) / (width - left(d, width) - 16));

  const kinds = {
    bars(d, width) {
      // From nought each: two rows of one name, such as a mean in each currency, are not a sum.
      const ys = seen(d.points.map((p) => p.y));
      const shown = d.points.filter((p) => p.v !== null);
      const most = Math.max(1, d.most || 0, ...shown.map((p) => Math.max(p.v, p.hi ?? p.v)));
      return Plot.plot({...common(d, width, ys.length), x: x(d, width, {domain: [Math.min(0, ...shown.map((p) => p.v)), most / room(d, width, shown)]}), y: {domain: ys, label: null, tickFormat: fitted(d, width)}, marks: [
        Plot.barX(shown, {x1: 0, x2: "v", y: "y", fill: (p) => (p.s === "Σ" || d.series.indexOf(p.s) > 0 ? css("--soft") : css("--bar")), title: "h", ...open, ...link(d)}),
        Plot.link(shown.filter((p) => p.lo !== undefined), {x1: "lo", x2: "hi", y1: "y", y2: "y", stroke: css("--ink"), markerStart: "tick", markerEnd: "tick"}),
        Plot.text(shown, {x: (p) => Math.max(p.v, p.hi ?? 0), y: "y", text: "t", dx: 4, textAnchor: "start", fill: css("--ink")}),
        Plot.ruleX([0]),
      ]});
    },
    stack(d, width) {
      const ys = seen(d.points.map((p) => p.y));
      const shades = ["#b2182b", "#ef8a62", "#67a9cf", "#2166ac"];
      return box(legend(d.series, shades), Plot.plot({...common(d, width, ys.length), color: {domain: d.series, range: shades}, x: x(d, width), y: {domain: ys, label: null, tickFormat: fitted(d, width)}, marks: [
        Plot.barX(d.points, {x: "v", y: "y", fill: "s", title: "h", order: d.series, ...link(d)}),
        Plot.ruleX([0]),
      ]}));
    },
    // Bars side by side, a group for each value of x.
    columns(d, width) {
      const xs = seen(d.points.map((p) => p.x));
      const colours = [css("--soft"), css("--bar"), css("--bar2")].slice(0, d.series.length);
      return box(legend(d.series, colours), Plot.plot({width, height: 260, marginLeft: 44, style: {fontSize: "12px"}, color: {domain: d.series, range: colours}, fx: {domain: xs, label: null}, x: {domain: d.series, axis: null}, y: {label: d.value, labelAnchor: "top", labelArrow: "none", grid: true, ticks: 4, tickFormat: scale(d)}, marks: [
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
      // Numbers stand on the outer sides of the two dots, where they never meet those of the row above.
      const side = (p) => shown.some((o) => o.y === p.y && o !== p && (o.v < p.v || (o.v === p.v && shown.indexOf(o) < shown.indexOf(p))));
      return box(legend(names, colours), Plot.plot({...common(d, width, ys.length), color: {domain: names, range: colours}, x: x(d, width, {domain: d.unit === "points" ? [0, 1000] : undefined}), y: {domain: ys, label: null, type: "point", tickFormat: fitted(d, width)}, marks: [
        Plot.link(lines, {x1: "from", x2: "to", y1: "y", y2: "y", stroke: css("--line"), strokeWidth: 5}),
        Plot.dot(shown, {x: "v", y: "y", r: 6, fill: named, title: "h", ...link(d)}),
        Plot.text(shown.filter(side), {x: "v", y: "y", text: "t", dx: 10, textAnchor: "start", fill: css("--ink")}),
        Plot.text(shown.filter((p) => !side(p)), {x: "v", y: "y", text: "t", dx: -10, textAnchor: "end", fill: css("--ink")}),
      ]}));
    },
    // The total stands behind all times, apart from them.
    bubble(d, width) {
      const ys = seen(d.points.map((p) => p.y));
      const xs = seen(d.points.map((p) => p.x)).filter((name) => name !== d.last).sort();
      if (d.last) xs.push(d.last);
      const most = Math.max(...d.points.map((p) => p.v));
      const step = (width - left(d, width) - 16) / Math.max(1, xs.length);
      const row = line(ys.length > 12 ? 30 : 46, ys.length); // a few rows have room for bubbles that do not cover each other
      const r = Math.min(26, step / 2, row * 0.6);
      const written = (p) => step >= 40 || p.v * 12 > most; // a phone has no room for every number; the table has them all
      const radius = (p) => Math.ceil(r * Math.sqrt(p.v / most));
      const beside = (p) => radius(p) < 3.5 * p.t.length;
      const small = d.points.filter((p) => written(p) && beside(p));
      const colour = (p) => (p.x === d.last ? css("--bar2") : css("--bar"));
      return Plot.plot({...common(d, width, ys.length), marginTop: 30, marginBottom: 70, height: ys.length * row + 110, x: {domain: xs, label: null, tickRotate: -45, type: "point"}, y: {domain: ys, label: null, type: "point", grid: true, tickFormat: fitted(d, width)}, r: {domain: [0, most], range: [0, r]}, marks: [
        Plot.dot(d.points, {x: "x", y: "y", r: "v", fill: colour, fillOpacity: 0.55, stroke: colour, title: "h", ...link(d)}),
        Plot.text(d.points.filter((p) => written(p) && !beside(p)), {x: "x", y: "y", text: "t", fill: css("--ink"), pointerEvents: "none"}),
        ...seen(small.map(radius)).map((size) => Plot.text(small.filter((p) => radius(p) === size), {x: "x", y: "y", text: "t", dx: size + 3, textAnchor: "start", fontSize: 10, fill: css("--ink"), pointerEvents: "none"})),
      ]});
    },
    matrix(d, width) {
      const ys = seen(d.points.map((p) => p.y));
      const xs = ys.every((y) => d.points.some((p) => p.x === y)) ? ys : seen(d.points.map((p) => p.x)); // of all with all, the diagonal is one
      const most = Math.max(1, ...d.points.map((p) => p.v));
      const wide = (width - left(d, width) - 16) / xs.length;
      const written = d.points.filter((p) => p.v > 0 && wide >= 36); // nought is a cell without colour; where a number has no room, the table has it
      const dark = (p) => p.v > 0.55 * most;
      return Plot.plot({...common(d, width, ys.length), marginBottom: 90, height: ys.length * line(30, ys.length) + 130, x: {domain: xs, label: null, tickRotate: -45}, y: {domain: ys, label: null, type: "band", tickFormat: fitted(d, width)}, opacity: {domain: [0, most]}, marks: [
        Plot.cell(d.points, {x: "x", y: "y", fill: css("--bar"), fillOpacity: "v", title: "h", stroke: css("--line"), ...link(d)}),
        ...[written.filter(dark), written.filter((p) => !dark(p))].map((some, i) => Plot.text(some, {x: "x", y: "y", text: "t", fontSize: wide < 50 ? 9.5 : 12, fill: css(i ? "--ink" : "--card"), pointerEvents: "none"})),
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
      const joints = steps.slice(1).map((p, i) => ({x: steps[i].to, y1: steps[i].y, y2: p.y}));
      return Plot.plot({...common(d, width, ys.length), x: x(d, width, {domain: [Math.min(0, ...ends), Math.max(1, ...ends) / room(d, width, steps)]}), y: {domain: ys, label: null, tickFormat: fitted(d, width)}, marks: [
        Plot.link(joints, {x1: "x", x2: "x", y1: "y1", y2: "y2", stroke: css("--line")}),
        Plot.barX(steps, {x1: "from", x2: "to", y: "y", fill: (p) => (p.s === "Σ" ? css("--bar") : p.v < 0 ? "#b2182b" : css("--bar2")), title: "h"}),
        Plot.text(steps, {x: (p) => Math.max(p.from, p.to), y: "y", text: "t", dx: 4, textAnchor: "start", fill: css("--ink")}),
        Plot.ruleX([0]),
      ]});
    },
    // What the learners leave, and the costs, over the number of learners: where the lines meet, the costs are carried.
    crossing(d, width) {
      const at = (i) => d.points.find((p) => p.s === d.series[i]);
      const [now, needed, left, costs] = [0, 1, 2, 3].map(at);
      const each = now.v > 0 ? left.v / now.v : 0;
      const meet = each > 0 ? costs.v / each : null;
      const far = Math.max(now.v, needed ? needed.v : 0, 1) * 1.15;
      const tall = Math.max(costs.v, left.v, each * far, 1) * 1.1;
      const colours = [css("--bar"), css("--bar2")];
      const line = (of, y2, y1 = y2) => [{x: 0, y: y1, h: of.h}, {x: far, y: y2, h: of.h}];
      const marks = [{x: now.v, y: left.v, t: told(now.s, now.t), h: `${now.h} · ${left.h}`}];
      if (meet !== null && costs.v > 0) marks.push({x: meet, y: costs.v, t: told(needed.s, needed.t), h: `${needed.h} · ${costs.h}`});
      // What has no room to the right of its mark stands to the left of it, and else ends with the drawing.
      const side = (p) => {
        const at = 56 + (p.x / far) * (width - 72), long = 12 + letter * p.t.length;
        return at + long < width ? "start" : at > long ? "end" : "edge";
      };
      const said = (some, anchor, dx, dy, x = "x") => (some.length ? [Plot.text(some, {x, y: "y", text: "t", dx, dy, textAnchor: anchor, fill: css("--ink"), stroke: css("--card"), strokeWidth: 4})] : []);
      const of = (where) => marks.filter((p) => side(p) === where);
      return box(legend([told(left.s, left.t), told(costs.s, costs.t)], colours), Plot.plot({width, height: 290, marginLeft: 56, marginTop: 30, marginRight: 16, marginBottom: 44, style: {fontSize: "12px"},
        x: {domain: [0, far], label: now.s, labelAnchor: "right", labelArrow: "none", ticks: ticks(width), tickFormat: number, grid: true}, y: {domain: [Math.min(0, left.v * 1.1), tall], label: d.money, labelAnchor: "top", labelArrow: "none", ticks: 4, grid: true, tickFormat: scale({...d, unit: "amount"})}, marks: [
          Plot.ruleY([0]),
          Plot.line(line(left, each * far, 0), {x: "x", y: "y", stroke: colours[0], strokeWidth: 3}),
          Plot.line(line(costs, costs.v), {x: "x", y: "y", stroke: colours[1], strokeWidth: 3, strokeDasharray: "6 4"}),
          Plot.dot(marks, {x: "x", y: "y", r: 6, fill: css("--ink"), stroke: css("--card"), title: "h"}),
          ...said(of("start"), "start", 10, 16), ...said(of("end"), "end", -10, -12), ...said(of("edge"), "end", 0, 20, () => far),
        ]}));
    },
    // An UpSet: a bar for each combination of sets, and below it a dot for each set that is in it.
    sets(d, width) {
      const sets = seen(d.points.flatMap((p) => p.y.split(" & ")));
      const dots = d.points.flatMap((p) => sets.map((s) => ({x: p.y, y: s, on: p.y.split(" & ").includes(s)})));
      const xs = d.points.map((p) => p.y);
      const left = Math.min(width / 3, 24 + 7 * Math.max(...sets.map((s) => s.length)));
      return box(
        Plot.plot({width, height: 190, marginLeft: left, marginBottom: 6, x: {domain: xs, axis: null}, y: {label: null, grid: true, ticks: 4, tickFormat: number}, marks: [
          Plot.barY(d.points, {x: "y", y: "v", fill: css("--bar"), title: "h"}), Plot.text(d.points, {x: "y", y: "v", text: "t", dy: -7, fill: css("--ink")}), Plot.ruleY([0]),
        ]}),
        Plot.plot({width, height: sets.length * 26 + 20, marginLeft: left, marginTop: 6, x: {domain: xs, axis: null, type: "band"}, y: {domain: sets, label: null, type: "point", grid: true}, marks: [
          Plot.dot(dots, {x: "x", y: "y", r: 6, fill: (p) => (p.on ? css("--ink") : css("--line"))}),
        ]}),
      );
    },
    // A Sankey: a column for each session with its two nodes, started above and not started below, and ribbons as wide as the learners are many.
    // The first series is of those who started in the first session.
    flow(d, width) {
      const parts = (name) => name.split(/\s?: /); // the session, and whether it was started
      const names = seen(d.points.flatMap((p) => [p.x, p.y]));
      const columns = seen(names.map((name) => parts(name)[0]));
      const total = d.points.filter((p) => parts(p.x)[0] === columns[0]).reduce((sum, p) => sum + p.v, 0);
      const top = 24, gap = 34, tall = 300, bar = 12, side = 4;
      const unit = (tall - top - gap * 1.5) / Math.max(1, total);
      const at = (column) => side + (column * (width - bar - 2 * side)) / (columns.length - 1);
      const nodes = new Map();
      columns.forEach((session, i) => {
        let y = top + gap / 2;
        const starts = (name) => d.started.includes(name);
        for (const name of names.filter((n) => parts(n)[0] === session).sort((a, b) => starts(b) - starts(a))) {
          const sum = (end) => d.points.filter((p) => p[end] === name).reduce((n, p) => n + p.v, 0);
          const n = Math.max(sum("x"), sum("y"));
          nodes.set(name, {i, y, n, out: y, in: y, name});
          y += n * unit + gap;
        }
      });
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const add = (tag, attributes, text) => {
        const e = document.createElementNS(svg.namespaceURI, tag);
        for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
        if (text) {
          const title = document.createElementNS(svg.namespaceURI, tag === "text" ? "tspan" : "title");
          title.textContent = text;
          e.append(title);
        }
        svg.append(e);
      };
      for (const [k, v] of Object.entries({width, height: tall, viewBox: `0 0 ${width} ${tall}`, "font-size": 12, class: "flow"})) svg.setAttribute(k, v);
      const colours = [css("--bar"), css("--bar2")];
      for (const series of d.series) { // one above the other in each node, in the same order on both sides
        for (const p of d.points.filter((q) => q.s === series && q.v > 0)) {
          const from = nodes.get(p.x), to = nodes.get(p.y), h = p.v * unit;
          const x1 = at(from.i) + bar, x2 = at(to.i), mid = (x1 + x2) / 2;
          add("path", {d: `M${x1},${from.out}C${mid},${from.out} ${mid},${to.in} ${x2},${to.in}V${to.in + h}C${mid},${to.in + h} ${mid},${from.out + h} ${x1},${from.out + h}Z`, fill: colours[d.series.indexOf(series)], "fill-opacity": 0.55}, p.h);
          from.out += h;
          to.in += h;
        }
      }
      columns.forEach((session, i) => {
        const last = i === columns.length - 1, anchor = last ? "end" : "start", x0 = last ? at(i) + bar : at(i);
        add("text", {x: x0, y: 14, "text-anchor": anchor, "font-weight": 600, fill: css("--ink")}, session);
        for (const node of [...nodes.values()].filter((n) => n.i === i)) {
          add("rect", {x: at(i), y: node.y, width: bar, height: Math.max(1, node.n * unit), fill: css("--ink")}, `${node.name} · ${number(node.n)}`);
          add("text", {x: x0, y: node.y - 5, "text-anchor": anchor, fill: css("--ink")}, (width < 420 ? "" : parts(node.name)[1] + " ") + number(node.n));
        }
      });
      return box(legend(d.series, colours), svg);
    },
  };

  kinds.bridge = kinds.waterfall;

  function draw(place, width) {
    const d = JSON.parse(document.getElementById(place.dataset.plot).textContent);
    const drawing = box(kinds[d.kind](d, width || Math.max(280, place.clientWidth)));
    if (d.value && ["bubble", "matrix", "sets"].includes(d.kind)) { // they have no axis of values
      const said = document.createElement("p");
      said.className = "legend";
      said.textContent = d.value;
      drawing.prepend(said);
    }
    if (d.open) {
      const said = document.createElement("p");
      said.className = "legend";
      said.textContent = d.open;
      drawing.append(said);
    }
    // Plot brings styles of its own, which our policy does not let in; cursus.css has what of them matters.
    for (const style of drawing.querySelectorAll("style")) style.remove();
    for (const svg of drawing.querySelectorAll("svg")) {
      svg.setAttribute("role", d.points.some((p) => p.a) ? "group" : "img");
      svg.setAttribute("aria-label", d.title + ". " + place.dataset.said);
      // A link says what its mark says when one points at it; all else is in the label and in the table.
      for (const g of svg.querySelectorAll("g[aria-label]")) g.removeAttribute("aria-label"); // names of marks, which say nothing to anybody
      for (const a of svg.querySelectorAll("a")) a.setAttribute("aria-label", a.querySelector("title")?.textContent || d.title);
    }
    place.replaceChildren(drawing);
  }
  const all = () => document.querySelectorAll("[data-plot]").forEach((place) => draw(place));
  all();
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) { width = innerWidth; all(); }
  });
  // On paper two drawings stand side by side, so that letters keep their size only where they are drawn for it.
  addEventListener("beforeprint", () => {
    for (const place of document.querySelectorAll("[data-plot]")) {
      const alone = place.closest(".plots").children.length === 1;
      paper = alone ? 560 : 400;
      draw(place, alone ? 680 : 330);
    }
  });
  addEventListener("afterprint", () => {
    paper = 0;
    all();
  });
})();
