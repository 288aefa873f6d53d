// How do the figures go over the whole training? Curves over all moments, with a cursor at the one that is seen.

const CHART = { height: 112, left: 46, right: 8, top: 8, bottom: 18 };

// Epochs under the moments: as many numbers as fit, rounder ones first.
function epochTicks(epochs, across, room) {
  const taken = [], found = [], last = epochs.at(-1) ?? 0;
  const free = (x) => taken.every((other) => Math.abs(other - x) >= room);
  const offer = (k) => {
    if (k < 0 || !free(across(k))) return;
    taken.push(across(k));
    found.push(k);
  };
  offer(epochs.length - 1);
  offer(0);
  for (let power = 10 ** Math.ceil(Math.log10(Math.max(1, last))); power >= Math.max(1, last / 100); power /= 10) {
    for (const times of [1, 5, 2]) {
      for (let e = power * times; e <= last; e += power * times) offer(epochs.findIndex((x) => Math.abs(x - e) < 1e-9));
    }
  }
  return found;
}

// lines: [{ name, values: index -> number, dash }]; isShare: from 0 to 100 %.
function makeChart(page, { title, says, lines, isShare, colour }) {
  const canvas = piece("canvas", { role: "img" }), cursor = piece("i", { class: "here" });
  const best = piece("i", { class: "best", title: "the best epoch, whose weights were kept" });
  const area = piece("div", { class: "curves" }, canvas, best, cursor), legend = piece("div", { class: "values" });
  const name = piece("h3", {}, title);
  const element = piece("figure", { class: "chart" }, piece("figcaption", { title: says }, name, legend), area);
  const values = lines.map((line, i) => {
    const value = piece("b");
    const key = piece(
      "span", { class: "line" }, piece("i", { class: line.dash ? "dashed" : "" }), piece("bdi", {}, line.name), value
    );
    key.style.setProperty("--line", colour(i));
    legend.append(key);
    return value;
  });
  const { length } = page.moments;
  let width = 0;
  const across = (k) => CHART.left + (width - CHART.left - CHART.right) * (length > 1 ? k / (length - 1) : 0.5);
  const digitsFor = (levels) => [3, 4, 5, 6, 7].find(
    (digits) => new Set(levels.map((x) => shown(x, digits))).size === levels.length
  )
    ?? 8;
  const inWords = (x) => (Number.isNaN(x) ? "\u2013" : isShare ? `${shown(100 * x, 3)} %` : short(x));

  function scale() {
    let low = Infinity, high = -Infinity, least = Infinity;
    for (const { values: at } of lines) {
      for (let k = 0; k < length; k += 1) {
        const x = at(k);
        if (!Number.isFinite(x)) continue;
        [low, high] = [Math.min(low, x), Math.max(high, x)];
        if (x > 0) least = Math.min(least, x);
      }
    }
    if (low > high) return null;
    if (isShare) return { low: 0, high: 1, y: (x) => x, levels: [0, 0.5, 1] };
    if (low >= 0 && least < high / 20) {
      const bottom = Math.max(Math.log10(least), Math.log10(high) - 12), top = Math.log10(high);
      const powers = ticksOf(bottom, top, 3).filter(Number.isInteger).map((power) => 10 ** power);
      return {
        low: bottom, high: top, y: (x) => Math.log10(Math.max(x, 10 ** bottom)),
        levels: powers.length ? powers : [10 ** bottom, high], isLog: true,
      };
    }
    if (low > 0 && low < high / 2) low = 0;
    if (low === high) [low, high] = [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
    return { low, high, y: (x) => x, levels: ticksOf(low, high, 3) };
  }

  function draw() {
    if (!width) resize();
    if (!width) return;
    const colours = page.colours(), context = canvas.getContext("2d"), { left, right, top, bottom, height } = CHART;
    const found = scale(), base = height - bottom;
    context.clearRect(0, 0, width, height);
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colours.css.faint;
    context.strokeStyle = colours.css.hair;
    context.lineWidth = 1;
    context.textAlign = "center";
    const ticks = epochTicks(page.model.epochs, across, 34);
    context.beginPath();
    for (const k of ticks) {
      context.fillText(shown(page.model.epochs[k], 4), Math.min(Math.max(across(k), left + 4), width - 10), height - 4);
      context.moveTo(Math.round(across(k)) + 0.5, top);
      context.lineTo(Math.round(across(k)) + 0.5, base);
    }
    if (!found) {
      context.stroke();
      context.fillText(
        page.figures?.done || !page.figures ? "no finite number" : "computing \u2026", (width + left) / 2, height / 2
      );
      return;
    }
    const y = (x) => base - 2 - (base - top - 4) * (found.y(x) - found.low) / (found.high - found.low || 1);
    context.textAlign = "right";
    const digits = digitsFor(found.levels);
    for (const level of found.levels) {
      context.fillText(
        isShare ? `${100 * level} %` : shown(level, digits), left - 5, Math.min(Math.max(y(level) + 4, 10), base),
        left - 6
      );
      context.moveTo(left, Math.round(y(level)) + 0.5);
      context.lineTo(width - right, Math.round(y(level)) + 0.5);
    }
    context.stroke();
    context.lineWidth = 1.8;
    context.lineJoin = "round";
    lines.forEach((line, i) => {
      context.strokeStyle = getComputedStyle(legend.children[i]).getPropertyValue("--line-now") || colours.css.ink;
      context.setLineDash(line.dash ? [5, 3] : []);
      context.beginPath();
      let isDown = false, single = null;
      for (let k = 0; k < length; k += 1) {
        const x = line.values(k);
        if (!Number.isFinite(x)) {
          if (line.isWhole?.(k)) isDown = false; // it is known that there is no number: a gap
          continue;
        }
        context[isDown ? "lineTo" : "moveTo"](across(k), y(x));
        single = isDown ? null : [across(k), y(x)];
        isDown = true;
      }
      if (single) context.arc(...single, 2, 0, 7);
      context.stroke();
    });
    context.setLineDash([]);
    canvas.setAttribute(
      "aria-label",
      `${title}, ${says}${found.isLog ? ", on a logarithmic scale" : ""}. Its numbers at this moment stand above.`
    );
  }

  function show(k) {
    cursor.style.left = `${across(k)}px`;
    lines.forEach((line, i) => write(values[i], inWords(line.values(k))));
  }

  function resize() {
    const room = element.clientWidth;
    if (!room) return;
    width = room;
    sharpen(canvas, width, CHART.height);
    best.hidden = page.best === null;
    if (page.best !== null) best.style.left = `${across(page.best)}px`;
    draw();
    show(page.at);
  }

  const goTo = (event) => {
    const share = (event.clientX - canvas.getBoundingClientRect().left - CHART.left)
      / (width - CHART.left - CHART.right);
    page.go(Math.round(within(share, 0, 1) * (length - 1)), { isMoving: true });
  };
  area.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    area.setPointerCapture(event.pointerId);
    page.pause();
    goTo(event);
  });
  area.addEventListener("pointermove", (event) => area.hasPointerCapture(event.pointerId) && goTo(event));
  return { element, draw, show, resize };
}

// All charts that there is something to say in.
function makeCharts(page) {
  const { model, figures } = page, number = (x) => (x === null || x === undefined ? NaN : fromJSON(x));
  const given = (name) => (k) => number(model.figures[k][name]);
  const has = (name) => model.figures.some((figure) => name in figure);
  const isWhole = (k) => !figures || figures.known[k];
  const plain = (values, dash) => ({ values: (k) => values[k], isWhole, dash });
  const classColour = (i) => `var(--class-${i % 10})`, ink = (i) => (i ? "var(--faint)" : "var(--ink)");
  const layerName = (l) => (l === model.spec.layers.length - 1 ? "output" : `layer ${l + 1}`);
  const layered = (values, keep = () => true) => values.map(
    (x, l) => ({ name: layerName(l), ...plain(x) })
  ).filter((_, l) => keep(l));
  const of = figures ? `of ${figures.examples} examples` : "";
  const charts = [];
  const add = (title, says, lines, more) => lines.length
    && charts.push(makeChart(page, { title, says, lines, colour: classColour, ...more }));
  const losses = figures
    ? [{ name: "training", ...plain(figures.loss) }]
    : [{ name: "training", values: (k) => number(model.losses[k]) }];
  if (page.testExamples.count && figures) losses.push({ name: "validation", ...plain(figures.testLoss, true) });
  else if (has("validation_loss")) losses.push({ name: "validation", values: given("validation_loss"), dash: true });
  add(
    "Loss", figures ? `the mean ${of}, without dropout` : "of the steps since the moment before", losses,
    { colour: ink }
  );
  const shares = [];
  if (figures && model.task !== "regression") {
    shares.push({ name: "training", ...plain(figures.accuracy) });
    if (page.testExamples.count) shares.push({ name: "validation", ...plain(figures.testAccuracy, true) });
  } else {
    for (const [name, key, dash] of [["training", "accuracy"], ["validation", "validation_accuracy", true]]) {
      if (has(key)) shares.push({ name, values: given(key), dash });
    }
  }
  add("Right answers", "the share of the examples", shares, { colour: ink, isShare: true });
  if (figures) {
    add("Gradient of each layer", `the length of the gradient of the loss ${of}`, layered(figures.gradient));
    add("Outputs of each layer", `their mean size, ${of}`, layered(figures.size));
    add(
      "Flat outputs", `the share of outputs where the activation function is flat, as a ReLU's is at 0, ${of}`,
      layered(figures.flat, (l) => figures.isFlat[l]), { isShare: true }
    );
    add("Weights of each layer", "the length of its weights and biases", layered(figures.weights));
  } else {
    const { answers } = model, layers = grouped(Object.entries(answers?.gradients ?? {}));
    add(
      "Gradient of each layer", "the length of the gradient of the loss of some examples",
      [...layers].map(
        ([name, lists]) => (
          { name: name || "the model", values: (k) => Math.hypot(...lists.map((norms) => number(norms[k]))) }
        )
      )
    );
    add("Weights of each layer", "the length of its numbers", weightNorms(page));
  }
  add("Learning rate", "of the next step", [{ name: "", values: (k) => number(model.rates[k]) }], { colour: ink });
  return charts;
}

// Layers by name, in groups where there are too many for a chart: "blocks.0.attention.query" belongs to "blocks.0".
function grouped(pairs) {
  for (let parts = Infinity; ; parts = Math.min(parts, 4) - 1) {
    const groups = new Map();
    for (const [name, x] of pairs) {
      const key = name.split(".").slice(0, parts).join(".");
      groups.set(key, [...(groups.get(key) ?? []), x]);
    }
    if (groups.size <= 6 || parts === 1) return groups;
  }
}

// The length of the numbers of each layer, of a model that the page does not compute.
function weightNorms(page) {
  const layers = grouped(page.arrays.filter(({ isLearned }) => isLearned).map(({ layer, places }) => [layer, places]));
  return [...layers].slice(0, 10).map(([layer, lists]) => {
    const known = new Map();
    return { name: layer || "the model", values: (k) => {
      if (!known.has(k)) {
        const numbers = page.moments.numbersAt(k);
        let sum = 0;
        for (const places of lists) for (const i of places) if (i >= 0) sum += numbers[i] ** 2;
        known.set(k, Math.sqrt(sum));
      }
      return known.get(k);
    } };
  });
}
