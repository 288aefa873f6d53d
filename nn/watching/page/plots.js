// How does what a network says over its inputs become a picture, and how do its losses? The large plot and the curve.

// The small pictures have 24 x 24 points; the large plot a multiple of that, so that both take the same answers.
const SMALL = 24, FINENESSES = [1, 2, 3, 4], CURVE_POINTS = 120;
// Milliseconds that the answers of the network may take while it trains, and when it stands still.
const MOVING_MS = 3, STILL_MS = 12;
// Where the middle 96 % of the data take less than this share of the whole, the plot shows them, and says so.
const FAR = 0.12;
// The examples of a batch have their numbers in the plot if they are as few as this.
const MOST_NUMBERED = 12;

// An element of HTML, or of SVG for icons; its children are texts or elements.
function piece(tag, attributes = {}, ...children) {
  const node = document.createElementNS(
    `http://www.w3.org/${["svg", "path"].includes(tag) ? "2000/svg" : "1999/xhtml"}`, tag
  );
  for (const name of Object.keys(attributes)) node.setAttribute(name, attributes[name]);
  node.append(...children);
  return node;
}

const iconOf = (path) => piece("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, piece("path", { d: path }));

// A text that is written again and again: only another one touches the page.
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// A name that somebody gave, cut, on one line. It is only ever the text of a node or of a canvas.
function cutName(name, most = 40) {
  const letters = [
    ...String(name).slice(0, 600).replace(
      /[\u200b-\u200f\u202a-\u202e\u2060-\u206f]/g, ""
    ).replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ").trim()
  ];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}\u2026` : letters.join("");
}

const short = (x) => shown(x, 3);
const within = (x, least, most) => (x < least ? least : x > most ? most : x); // nan stays nan
// Whether the page is as high as the window (or the frame, where it is the whole screen).
const fillsWindow = ({ frame }) => frame.matches(".own:not(.narrow), .full:not(.narrow)");
const signOf = (x) => (!Number.isFinite(x) ? "alarm" : x > 0 ? "positive" : x < 0 ? "negative" : "none");

// The largest magnitude of those numbers that are finite; at least `least`.
function largestOf(numbers, least = 0) {
  let largest = least;
  for (let i = 0; i < numbers.length; i += 1) {
    const x = Math.abs(numbers[i]);
    if (x > largest && x < Infinity) largest = x;
  }
  return largest;
}

// A canvas that is sharp on the screen: its context draws in CSS pixels.
function sharpen(canvas, width, height) {
  const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

// Colours

const mixed = (one, other, share) => one.map((x, i) => x + (other[i] - x) * share);
const packed = ([red, green, blue]) => (
  255 << 24 | Math.round(blue) << 16 | Math.round(green) << 8 | Math.round(red)
) >>> 0;
const cssOf = (rgb) => `rgb(${rgb.map(Math.round).join(" ")})`;

// The colours of the theme, from the style sheet. `signed` has those of -1 to 1 as pixels, in 511 steps: a table makes
// a picture of 48 x 48 three times as fast as mixing does. `shades[k]` are those of class k, by certainty.
function makeColours({ frame }) {
  let theme = null, found = null;
  return () => {
    if (found && theme === frame.dataset.theme) return found;
    const style = getComputedStyle(frame);
    const read = (name) => channels(style.getPropertyValue(name) || "#808080").slice(0, 3);
    const names = ["paper", "ink", "faint", "hair", "soft", "positive", "negative", "alarm", "mark"];
    const colours = Object.fromEntries(names.map((name) => [name, read(`--${name}`)]));
    const classes = Array.from({ length: 10 }, (_, k) => read(`--class-${k}`)), { paper, positive, negative } = colours;
    const shade = (colour, share) => packed(mixed(paper, colour, 0.85 * share ** 0.8));
    const css = Object.fromEntries(names.map((name) => [name, cssOf(colours[name])]));
    css.none = css.hair;
    theme = frame.isConnected ? frame.dataset.theme : null;
    return found = {
      ...colours, css, classes, classCSS: classes.map(cssOf), unknown: packed(mixed(paper, colours.faint, 0.45)),
      signed: Uint32Array.from(
        { length: 511 }, (_, i) => shade(i < 255 ? negative : positive, Math.abs(i - 255) / 255)
      ),
      shades: classes.map((colour) => Uint32Array.from({ length: 256 }, (_, i) => shade(colour, i / 255))),
      of: (c) => mixed(paper, c < 0 ? negative : positive, 0.85 * Math.abs(within(c, -1, 1)) ** 0.8),
    };
  };
}

// Data

const targetsOf = (examples) => examples.targets.length / Math.max(1, examples.count);
const targetAt = (examples, k, output = 0) => examples.targets[k * targetsOf(examples) + output];
const setsOf = ({ examples, testExamples }) => [examples, testExamples].filter((set) => set && set.count);

// The example that everything speaks of, and what every neuron says of it: within a step with its own dropout, as its
// loss has it. A film has no dropout.
function unitsNow(page) {
  const { network, trainer, examples } = page, inputs = network.sizes[0];
  const index = within(page.exampleNow(), 0, Math.max(0, examples.count - 1));
  const row = examples.count ? examples.rows.slice(index * inputs, (index + 1) * inputs) : new Float64Array(inputs);
  const masks = trainer?.masksFor?.(index) ?? null;
  if (!masks) return { index, row, masks, outs: network.units(row) };
  network.forward(row, masks);
  return { index, row, masks: masks.map((mask) => mask && mask.slice()), outs: network.outs.map((out) => out.slice()) };
}

// The class of an example: what it is, or NaN.
function classAt(page, examples, k) {
  const target = targetAt(examples, k);
  return page.model.task === "binary" ? (Number.isNaN(target) ? NaN : Number(target > 0)) : target;
}

// The class that the outputs say, or -1 if one is nan.
function classSaid(page, outputs) {
  if (outputs.some(Number.isNaN)) return -1;
  return page.model.task === "binary" ? Number(outputs[0] > thresholdOf(page)) : outputs.indexOf(Math.max(...outputs));
}

// What a number on an axis is multiplied by to be a share of -1 to 1, and which is 0: for the targets of a regression.
function valueScale(page) {
  let low = Infinity, high = -Infinity;
  for (const { targets } of setsOf(page)) {
    for (const x of targets) if (Number.isFinite(x)) [low, high] = [Math.min(low, x), Math.max(high, x)];
  }
  if (low > high) [low, high] = [-1, 1];
  const middle = low < 0 && high > 0 ? 0 : low / 2 + high / 2;
  const span = Math.max(high - middle, middle - low) || Math.max(1, Math.abs(middle));
  return { low, high, middle, span };
}

// From where to where a plot goes in one input: all of the data, or the middle of it where the rest is far out.
function rangeOf(numbers) {
  const sorted = Float64Array.from(numbers).filter(Number.isFinite).sort();
  if (!sorted.length) return { low: -1, high: 1, isCut: false };
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))] / 4; // so that no difference overflows
  let [low, high] = [at(0), at(1)];
  const [from, to] = [at(0.02), at(0.98)], isCut = to > from && to - from < FAR * (high - low);
  if (isCut) [low, high] = [from - (to - from) / 2, to + (to - from) / 2];
  const margin = (high - low) * 0.08 || Math.max(1, Math.abs(low) * 4) / 8;
  return { low: Math.max(4 * (low - margin), -1e308), high: Math.min(4 * (high + margin), 1e308), isCut };
}

// What the network says all over the plane of two inputs, or along its only one: asked once for all pictures.
function makeField(page) {
  let known = [], points = new Float64Array(0), cost = 4e-6, asked = { network: null, at: 0, took: 0 };
  const field = {
    n: 0, count: 0, layers: [], low: [0, 0], high: [1, 1], axes: [0, 1], isCut: false,
    at: (axis, share) => field.low[axis] + (field.high[axis] - field.low[axis]) * share,
  };

  // The ranges and the middle of the other inputs, where the data or the axes are others.
  function settle() {
    const { network, examples, testExamples, state } = page, inputs = network.sizes[0];
    const [first, second] = state?.axes ?? [0, 1], isOne = inputs === 1;
    const now = [examples, testExamples, inputs, first, second];
    if (now.every((x, i) => x === known[i])) return false;
    known = now;
    const column = (input) => setsOf(page).flatMap(
      ({ rows, count }) => Array.from({ length: count }, (_, k) => rows[k * inputs + input])
    );
    field.axes = isOne ? [0] : [first, second].map((x) => within(Math.trunc(x) || 0, 0, inputs - 1));
    const ranges = field.axes.map((axis) => rangeOf(column(axis)));
    [field.low, field.high] = [ranges.map(({ low }) => low), ranges.map(({ high }) => high)];
    field.isCut = ranges.some(({ isCut }) => isCut);
    field.means = Array.from({ length: inputs }, (_, input) => {
      const numbers = field.axes.includes(input) ? [] : column(input).filter(Number.isFinite);
      return numbers.reduce((sum, x) => sum + x / numbers.length, 0);
    });
    field.n = 0;
    return true;
  }

  function place(n, isOne) {
    const inputs = page.network.sizes[0];
    field.n = n;
    field.count = isOne ? n : n * n;
    points = new Float64Array(field.count * inputs);
    for (let p = 0; p < field.count; p += 1) {
      points.set(field.means, p * inputs);
      points[p * inputs + field.axes[0]] = field.at(0, ((p % n) + 0.5) / n);
      if (!isOne) points[p * inputs + field.axes[1]] = field.at(1, 1 - (Math.floor(p / n) + 0.5) / n);
    }
  }

  // Asks the network at as many points as it can answer in so many milliseconds.
  field.ask = (isStill) => {
    settle();
    const { network } = page, isOne = network.sizes[0] === 1, most = isStill ? STILL_MS : MOVING_MS;
    const units = network.numbers.length + 8 * network.sizes.slice(1).reduce((sum, width) => sum + width, 0);
    // What it was last is kept for longer: else the picture would flicker between two finenesses.
    const fits = (n) => n * n * units * cost <= most * (n === field.n ? 1.6 : 1), began = performance.now();
    const n = isOne ? CURVE_POINTS : SMALL * (FINENESSES.findLast((times) => fits(SMALL * times)) ?? 1);
    // A large network is asked less often, so that this takes at most a quarter of the time.
    if (!isStill && n === field.n && asked.network === network && began - asked.at < 3 * asked.took) return;
    if (n !== field.n) place(n, isOne);
    field.layers = network.responses(points, field.count);
    const at = performance.now(), took = at - began;
    asked = { network, at, took: took > most ? took : 0 };
    if (!isOne) cost += 0.2 * (took / (field.count * units) - cost); // of one multiplication
  };
  field.settle = settle;
  return field;
}

// What the outputs mean

// At which output the answer of a single one changes; and whether outputs are scores or probabilities, and not logits.
const thresholdOf = ({ model }) => model.threshold ?? 0;
const isScore = ({ model }) => model.task === "binary" && /hinge/.test(model.loss ?? "");

// A single output as certainty: -1 is the class of small outputs, 1 that of large ones.
function certaintyOf(page) {
  if (page.model.task === "regression") {
    const { middle, span } = valueScale(page);
    return (s) => within((s - middle) / span, -1, 1);
  }
  if (isScore(page)) return (s) => within(s, -1, 1);
  return thresholdOf(page) ? (s) => within(2 * s - 1, -1, 1) : (s) => Math.tanh(s / 2);
}

// The probabilities of the classes at a point of the field, into `into`; the largest one's class, or -1 if one is nan.
function softmaxAt(outputs, count, p, classes, into) {
  let best = 0, total = 0;
  for (let k = 1; k < classes; k += 1) if (outputs[k * count + p] > outputs[best * count + p]) best = k;
  const largest = outputs[best * count + p];
  for (let k = 0; k < classes; k += 1) total += into[k] = Math.exp(outputs[k * count + p] - largest);
  if (!(total < Infinity)) return -1;
  for (let k = 0; k < classes; k += 1) into[k] /= total;
  return best;
}

// Names

const classCount = (page) => (page.model.task === "binary" ? 2 : page.network.sizes.at(-1));
function classNames(page) {
  return Array.from({ length: classCount(page) }, (_, k) => cutName(page.model.names?.classes?.[k] ?? k));
}
const inputName = (page, i) => cutName(page.model.names?.inputs?.[i] ?? `x${i}`) || `x${i}`;

// Units and layers are counted from 1 in words. `nameOfInput` is where the weights of a layer come from.
function nameOfUnit(page, layer, unit) {
  const { sizes } = page.network;
  if (layer < sizes.length - 2) return `neuron ${unit + 1} of layer ${layer + 1}`;
  if (sizes.at(-1) === 1) return "the output";
  return `output ${unit + 1}`
    + `${page.model.task === "classes" && page.model.names?.classes ? ` (${classNames(page)[unit]})` : ""}`;
}
const nameOfInput = (page, layer, input) => (layer ? nameOfUnit(page, layer - 1, input) : inputName(page, input));

// A class in words, and the answer: "class 1 with 64 % (output 0.56)", "Gentoo with 100 %"; of a regression the
// numbers.
const classText = (page, k) => ((name) => /^-?\d+$/.test(name) ? `class ${name}` : name)(classNames(page)[k]);
function answerText(page, outputs) {
  const { task } = page.model, single = outputs[0];
  const numbers = [...outputs].slice(0, 4).map((x) => short(x)).join(", ") + (outputs.length > 4 ? ", \u2026" : "");
  if (task === "regression") return outputs.length > 1 ? `(${numbers})` : numbers;
  if ([...outputs].some(Number.isNaN)) return `no class (output ${numbers})`;
  const percent = (p) => ` with ${Math.round(100 * p)} %`;
  if (task === "classes") {
    const shares = new Float64Array(outputs.length), best = softmaxAt(outputs, 1, 0, outputs.length, shares);
    return best < 0 ? `no class (output ${numbers})` : classText(page, best) + percent(shares[best]);
  }
  const threshold = thresholdOf(page), says = Number(single > threshold);
  const p = threshold ? within(single, 0, 1) : 1 / (1 + Math.exp(-single));
  return `${classText(page, says)}${isScore(page) ? "" : percent(says ? p : 1 - p)} (output ${short(single)})`;
}

// Markers of classes, as in the package's other pictures.
const MARKERS = ["o", "^", "s", "D", "v", "P", "X", "*", "<", ">"];
function traceMarker(context, kind, x, y, r) {
  const turn = { "^": -90, v: 90, "<": 180, ">": 0 }[kind], corner = (angle, length) => {
    context.lineTo(x + length * Math.cos(angle * Math.PI / 180), y + length * Math.sin(angle * Math.PI / 180));
  };
  context.beginPath();
  if (kind === "o") context.arc(x, y, r, 0, 7);
  else if (kind === "s") context.rect(x - 0.88 * r, y - 0.88 * r, 1.76 * r, 1.76 * r);
  else if (kind === "D") [0, 90, 180, 270].forEach((angle) => corner(angle, 1.2 * r));
  else if (kind === "*") for (let i = 0; i < 10; i += 1) corner(36 * i - 90, i % 2 ? 0.55 * r : 1.35 * r);
  else if (turn !== undefined) [0, 120, 240].forEach((angle) => corner(turn + angle, 1.3 * r));
  else {
    for (let i = 0; i < 4; i += 1) { // a plus, or one that is turned
      const to = 90 * i + (kind === "X" ? 45 : 0);
      [[to - 20, 1.25], [to + 20, 1.25], [to + 45, 0.6]].forEach(([angle, length]) => corner(angle, length * r));
    }
  }
  context.closePath();
}

// A marker is filled for training and open for test.
function drawMarker(context, kind, x, y, r, colour, paper, isOpen) {
  traceMarker(context, kind, x, y, r);
  context.fillStyle = isOpen ? paper : colour;
  context.globalAlpha = isOpen ? 0.75 : 1;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = isOpen ? 1.7 : 1;
  context.strokeStyle = isOpen ? colour : paper;
  context.stroke();
}

// From 2 to 5 round numbers between low and high.
function ticksOf(low, high, most = 4) {
  const span = high / most - low / most;
  if (!(span > 0) || !Number.isFinite(span)) return [];
  const power = 10 ** Math.floor(Math.log10(span));
  const step = power * [1, 2, 5, 10].find((times) => times * power >= span * 0.7);
  const first = Math.ceil(low / step), found = [];
  for (let i = 0; i <= most + 1 && (first + i) * step <= high; i += 1) found.push((first + i) * step);
  return found.filter(Number.isFinite);
}

// The line where the numbers at n x n points are 0, by marching squares: calls segment(x0, y0, x1, y1), in points.
function traceZero(numbers, n, segment) {
  const cut = (one, other) => one / (one - other);
  for (let row = 0; row + 1 < n; row += 1) {
    for (let column = 0; column + 1 < n; column += 1) {
      const p = row * n + column, a = numbers[p], b = numbers[p + 1], c = numbers[p + n + 1], d = numbers[p + n];
      const sides = (a > 0) + (b > 0) + (c > 0) + (d > 0);
      if (sides === 0 || sides === 4 || !Number.isFinite(a + b + c + d)) continue;
      const found = [];
      if (a > 0 !== b > 0) found.push(column + cut(a, b), row);
      if (b > 0 !== c > 0) found.push(column + 1, row + cut(b, c));
      if (d > 0 !== c > 0) found.push(column + cut(d, c), row + 1);
      if (a > 0 !== d > 0) found.push(column, row + cut(a, d));
      for (let i = 0; i + 3 < found.length; i += 4) segment(found[i], found[i + 1], found[i + 2], found[i + 3]);
    }
  }
}

// The large plot

function makePlot(page, field, colours) {
  const shade = piece("canvas", { class: "shade" }), lines = piece("canvas", { class: "lines" });
  const dots = piece("canvas", { class: "dots" });
  const ring = piece("i", { class: "ring", hidden: "" }), pointed = piece("i", { class: "ring pointed", hidden: "" });
  const xName = piece("bdi", { class: "name across" }), yName = piece("bdi", { class: "name up" });
  const marks = piece("canvas", { class: "marks" });
  const title = piece("b"), least = piece("span"), most = piece("span");
  const scale = piece("span", { class: "key" }, least, piece("i", { class: "bar" }), most);
  const ringed = piece("span", { class: "ringed" });
  const which = piece("div", { class: "which" }, title, scale, ringed);
  const message = piece("p", { class: "message", role: "status" }), note = piece("p", { class: "note" });
  const area = piece("div", { class: "area" }, shade, lines, dots, marks, ring, pointed, message, xName, yName);
  const legend = piece("div", { class: "legend" }), live = piece("div", { class: "unseen", "aria-live": "polite" });
  const element = piece("div", { class: "plot", tabindex: 0, role: "group" }, which, area, legend, note, live);
  let width = 0, height = 0, drawn = [], pixels = null, image = null, places = [], pointedAt = null, probabilities = [];
  // the neuron that is seen in place of the answer; a curve's goes from -reach to reach
  let stage = { phase: "ready" }, seen = null, reach = 1;
  const LEFT = 40, BOTTOM = 34, TOP = 6, RIGHT = 6;
  const isCurve = () => page.network.sizes[0] === 1;
  const across = (x) => LEFT
    + (width - LEFT - RIGHT) * ((x / 2 - field.low[0] / 2) / (field.high[0] / 2 - field.low[0] / 2));
  const upward = (y, low, high) => TOP + (height - TOP - BOTTOM) * (1 - (y / 2 - low / 2) / (high / 2 - low / 2));

  function resize() {
    const room = element.clientWidth;
    if (!room) return;
    width = room;
    height = Math.round(
      within(isCurve() ? room * 0.8 : room - LEFT - RIGHT + TOP + BOTTOM, 180, fillsWindow(page) ? 900 : 460)
    );
    if (!isCurve() && height < room) width = height - TOP - BOTTOM + LEFT + RIGHT;
    Object.assign(area.style, { width: `${width}px`, height: `${height}px` });
    Object.assign(shade.style, {
      left: `${LEFT}px`, top: `${TOP}px`, width: `${width - LEFT - RIGHT}px`, height: `${height - TOP - BOTTOM}px`,
    });
    for (const canvas of [lines, dots, marks]) sharpen(canvas, width, height);
    drawn = [];
  }

  // What stands still: axes, data, legend. Drawn again only where one of these is another: it is most of the work.
  function still() {
    const { examples, testExamples, model, network, state } = page, found = colours();
    const now = [
      examples, testExamples, found, width, height, field.axes.join(), network.sizes[0], network.sizes.at(-1),
      field.low[0], model.task, state?.loss, isCurve() && seen && reach,
    ];
    if (now.every((x, i) => Object.is(x, drawn[i]))) return;
    drawn = now;
    const context = dots.getContext("2d");
    context.clearRect(0, 0, width, height);
    shade.hidden = isCurve();
    [field.bottom, field.top] = verticalRange();
    drawAxes(context, found);
    placePoints();
    pointedAt = null;
    drawPoints(context, found);
    writeNames();
    writeLegend(found);
  }

  // The numbers at the plot's bottom and top.
  function verticalRange() {
    if (!isCurve()) return [field.low[1], field.high[1]];
    if (seen) return [-reach, reach];
    if (page.model.task !== "regression") return isScore(page) ? [-1.5, 1.5] : [-0.12, 1.12];
    const { low, high } = rangeOf(setsOf(page).flatMap(({ targets }) => [...targets]));
    return [low, high];
  }

  function drawAxes(context, { css }) {
    context.font = `${width > 520 ? 13 : 11}px system-ui, sans-serif`;
    context.fillStyle = css.faint;
    context.strokeStyle = css.hair;
    context.lineWidth = 1;
    context.strokeRect(LEFT + 0.5, TOP + 0.5, width - LEFT - RIGHT - 1, height - TOP - BOTTOM - 1);
    const every = [
      [field.low[0], field.high[0]], [field.bottom, field.top],
    ].map(([low, high]) => ticksOf(low, high, width < 260 ? 3 : 4));
    context.beginPath();
    for (const x of every[0]) {
      context.moveTo(across(x), height - BOTTOM);
      context.lineTo(across(x), height - BOTTOM + 4);
      context.textAlign = "center";
      context.fillText(short(x), within(across(x), LEFT, width - 12), height - BOTTOM + 14, 56);
    }
    for (const y of every[1]) {
      const at = upward(y, field.bottom, field.top);
      context.moveTo(LEFT - 4, at);
      context.lineTo(LEFT, at);
      context.textAlign = "right";
      context.fillText(short(y), LEFT - 6, at + 4, LEFT - 16);
    }
    context.stroke();
  }

  // Where the examples are drawn: at the border if they are further out. One that is not finite is not drawn.
  function placePoints() {
    places = [];
    const isOther = isCurve() && Boolean(seen); // what a neuron says along one input has a scale of its own
    legend.style.visibility = isOther ? "hidden" : "";
    note.hidden = isOther;
    if (isOther) return;
    let outside = 0, unknown = 0;
    const { sizes } = page.network, inputs = sizes[0], outputs = sizes.at(-1), { task } = page.model;
    const isValue = task === "regression";
    for (const set of setsOf(page)) {
      const each = isValue && isCurve() ? targetsOf(set) : 1; // a curve for each output has data of its own
      for (let at = 0; at < set.count * each; at += 1) {
        const k = Math.floor(at / each), x = set.rows[k * inputs + field.axes[0]];
        const kind = isValue ? at % each : classAt(page, set, k);
        const target = targetAt(set, k, at % each);
        const level = task === "binary" ? (target > 0 ? 1 : isScore(page) ? -1 : 0) : isValue ? target : 1.06;
        const y = isCurve() ? level : set.rows[k * inputs + field.axes[1]];
        if (!Number.isFinite(x + kind) || !Number.isFinite(y) || kind < 0) {
          unknown += 1;
          continue;
        }
        const left = across(x), top = upward(y, field.bottom, field.top);
        const inX = within(left, LEFT + 4, width - RIGHT - 4), inY = within(top, TOP + 4, height - BOTTOM - 4);
        const isFar = Math.hypot(left - inX, top - inY) > 5;
        outside += isFar;
        places.push({ x: inX, y: inY, isFar, isTest: set !== page.examples, index: k, kind: Math.trunc(kind), target });
      }
    }
    const others = inputs > 2
      ? `The other ${inputs > 3 ? `${inputs - 2} inputs are at their means` : "input is at its mean"}. `
      : "";
    const one = isValue && !isCurve() && outputs > 1 ? `This is output 1 of ${outputs}. ` : "";
    const far = outside ? `${outside} example${outside > 1 ? "s lie" : " lies"} further out: at the border. ` : "";
    const bad = unknown
      ? `${unknown} example${unknown > 1 ? "s are" : " is"} not drawn: a number is nan or infinite. `
      : "";
    note.textContent = one + others + far + bad;
    note.hidden = !note.textContent;
  }

  const coloursOf = (found) => {
    if (page.model.task !== "regression" || !isCurve()) return coloursOfExamples(page, found);
    return page.network.sizes.at(-1) > 1 ? ({ kind }) => found.classCSS[kind % 10] : () => found.css.faint;
  };

  // Each kind of marker is drawn once, and then copied: 2,000 points in 6 ms instead of 30.
  function drawPoints(context, found) {
    const r = places.length > 600 ? 3 : width < 260 ? 3.4 : 4.2, side = Math.ceil(4 * r), made = new Map();
    const colourOf = coloursOf(found), ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    const isValue = page.model.task === "regression", paper = isValue && !isCurve() ? found.css.ink : found.css.paper;
    for (const place of [...places.filter(({ isTest }) => isTest), ...places.filter(({ isTest }) => !isTest)]) {
      const colour = colourOf(place), kind = MARKERS[isValue ? 0 : place.kind % MARKERS.length];
      const key = `${colour} ${kind} ${place.isTest} ${place.isFar}`;
      let sprite = made.get(key);
      if (!sprite) {
        sprite = piece("canvas");
        const own = sharpen(sprite, side, side);
        if (place.isFar) own.globalAlpha = 0.6;
        if (isValue && !isCurve() && place.isTest) { // its value is its colour: open is a ring around it
          drawMarker(own, kind, side / 2, side / 2, r * 0.7, colour, "transparent", false);
          traceMarker(own, kind, side / 2, side / 2, r);
          own.strokeStyle = paper;
          own.stroke();
        } else {
          drawMarker(own, kind, side / 2, side / 2, r, colour, place.isTest ? found.css.paper : paper, place.isTest);
        }
        if (made.size < 200) made.set(key, sprite);
      }
      context.drawImage(sprite, place.x - side / 2, place.y - side / 2, sprite.width / ratio, sprite.height / ratio);
    }
  }

  function writeNames() {
    const [first, second] = field.axes;
    const what = Boolean(isCurve() && seen) || page.model.task === "regression" || isScore(page)
      ? "output"
      : "probability";
    xName.textContent = inputName(page, first);
    yName.textContent = isCurve() ? what : inputName(page, second);
    Object.assign(xName.style, { left: `${LEFT}px`, top: `${height - 17}px`, width: `${width - LEFT - RIGHT}px` });
    Object.assign(yName.style, { left: "0px", top: `${height - BOTTOM}px`, width: `${height - TOP - BOTTOM}px` });
    const sizes = setsOf(page).map(({ count }) => count).join(" and ");
    element.setAttribute(
      "aria-label",
      `Data and answers: ${yName.textContent} over ${xName.textContent}, ${sizes} examples. `
        + "Arrows go from example to example, Enter chooses one."
    );
  }

  function writeLegend(found) {
    const key = (text, draw) => {
      const canvas = piece("canvas"), label = piece("bdi");
      draw(sharpen(canvas, 16, 16));
      label.textContent = text;
      return piece("span", { class: "key" }, canvas, label);
    };
    const { task } = page.model, keys = [], plain = found.css.faint;
    const dot = (kind, colour, isOpen) => (context) => drawMarker(
      context, kind, 8, 8, 4.6, colour, found.css.paper, isOpen
    );
    if (task === "regression") {
      if (!isCurve()) {
        const { middle, span } = valueScale(page);
        keys.push(
          piece(
            "span", { class: "key" }, piece("bdi", {}, short(middle - span)), piece("i", { class: "bar" }),
            piece("bdi", {}, short(middle + span))
          )
        );
      } else {
        for (let k = 0, many = page.network.sizes.at(-1); k < Math.min(many, 10); k += 1) {
          keys.push(key(many > 1 ? `output ${k + 1}` : "the network", (context) => {
            styleCurve(context, found, k, many);
            context.beginPath();
            context.moveTo(0, 8);
            context.lineTo(16, 8);
            context.stroke();
          }));
        }
      }
    } else {
      classNames(page).forEach(
        (name, k) => keys.push(key(name, dot(MARKERS[k % 10], coloursOf(found)({ kind: k }), false)))
      );
    }
    keys.push(key("training", dot("o", plain, false)));
    if (page.testExamples?.count) keys.push(key("test", dot("o", plain, true)));
    legend.replaceChildren(...keys);
  }

  // What moves

  // now: the phase of the step; target: the neuron or input that is pointed at or chosen.
  function draw(now = stage, target = null) {
    if (!width) resize();
    if (!width) return;
    stage = now;
    seen = columnOf(target);
    if (seen && isCurve()) {
      reach = 1.1 * largestOf(
        field.layers[seen.column - 1].subarray(seen.unit * field.count, (seen.unit + 1) * field.count), 0.5
      );
    }
    still();
    const found = colours(), context = lines.getContext("2d");
    context.clearRect(0, 0, width, height);
    if (isCurve()) drawCurves(context, found);
    else {
      paint(found);
      context.save();
      context.beginPath();
      context.rect(LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM);
      context.clip();
      drawBoundary(context, found);
      context.restore();
    }
    message.textContent = trouble();
    message.hidden = !message.textContent;
    markBatch(found);
    writeWhich();
    showRing();
  }

  // The column and the row of a neuron; null where the answer itself is what it says, or its layer is not there.
  function columnOf(target) {
    const { sizes } = page.network, column = target?.kind === "unit" ? target.layer + 1 : 0;
    const isAnswer = column === sizes.length - 1 && (sizes.at(-1) === 1 || isCurve());
    if (
      !target || isAnswer || !(target.unit < sizes[column]) || !field.layers.length
        || (!column && (isCurve() || !field.axes.includes(target.unit)))
    ) return null;
    return { column, unit: target.unit };
  }

  // Which of them is seen, in words, and which colours are which numbers.
  function writeWhich() {
    const { network, trainer } = page;
    const name = !seen
      ? "The network\u2019s answer"
      : seen.column
        ? nameOfUnit(page, seen.column - 1, seen.unit)
        : `input ${inputName(page, seen.unit)}`;
    const range = seen && !isCurve() ? seen.range : null, count = trainer?.batch?.length;
    const said = isInStep() ? `ringed: this ${count > 1 ? "batch" : "example"}` : "";
    const texts = [
      [title, `${name[0].toUpperCase()}${name.slice(1)}`],
      [least, range ? shown(range[0], 2) : ""],
      [most, range ? shown(range[1], 2) : ""],
      [ringed, said],
    ];
    for (const [node, text] of texts) if (node.textContent !== text) node.textContent = text;
    scale.hidden = !range;
  }

  // A film knows moments, and no steps.
  const isInStep = () => Boolean(page.trainer?.advance && stage.phase !== "ready");

  // The examples of the batch have rings and, if they are few, numbers; that of which everything speaks has strong
  // ones.
  function markBatch({ css }) {
    const context = marks.getContext("2d"), { batch } = page.trainer ?? {}, spoken = page.exampleNow();
    context.clearRect(0, 0, width, height);
    if (!isInStep()) return;
    const members = new Set(batch);
    const found = places.filter(({ index, isTest }) => !isTest && (members.has(index) || index === spoken));
    for (const { x, y, index } of found.sort((a, b) => (a.index === spoken) - (b.index === spoken))) {
      const isSpoken = index === spoken, isMember = members.has(index);
      context.setLineDash(isMember ? [] : [3, 3]);
      for (const [style, wide] of [[css.paper, isSpoken ? 6 : 4], [css.ink, isSpoken ? 3 : 1.5]]) {
        [context.strokeStyle, context.lineWidth] = [style, wide];
        context.beginPath();
        context.arc(x, y, isSpoken ? 9 : 7, 0, 7);
        context.stroke();
      }
      context.setLineDash([]);
      if (batch.length > MOST_NUMBERED && !isSpoken) continue;
      context.font = `${isSpoken ? "bold 13px" : "11px"} system-ui, sans-serif`;
      const isRight = x < width - 46, left = x + (isRight ? 12 : -12);
      context.textAlign = isRight ? "left" : "right";
      [context.strokeStyle, context.lineWidth, context.fillStyle, context.lineJoin] = [css.paper, 3, css.ink, "round"];
      context.strokeText(index + 1, left, y + 4);
      context.fillText(index + 1, left, y + 4);
    }
  }

  // The answers as colours, a pixel for a point; the browser scales the picture up.
  function paint(found) {
    const { n, count } = field, outputs = field.layers.at(-1);
    if (!image || image.width !== n) {
      [shade.width, shade.height] = [n, n];
      image = new ImageData(n, n);
      pixels = new Uint32Array(image.data.buffer);
    }
    if (seen) seen.range = paintResponse(page, found, field, pixels, seen.column, seen.unit, 1, n);
    else paintOutput(page, found, field, pixels, outputs, count, 1, n);
    shade.getContext("2d").putImageData(image, 0, 0);
  }

  function drawBoundary(context, { css }) {
    const { n, count } = field, outputs = field.layers.at(-1), { task } = page.model;
    const classes = page.network.sizes.at(-1);
    if (seen ? !seen.range || !seen.column : task === "regression") return;
    // Points are in the middle of their cells; what is between the outer ones goes on to the border.
    const middle = (at) => (at < 1 ? 1.5 * at : at > n - 2 ? n - 1.5 * (n - 1 - at) : at + 0.5) / n;
    const x = (at) => LEFT + (width - LEFT - RIGHT) * middle(at);
    const y = (at) => TOP + (height - TOP - BOTTOM) * middle(at);
    const segment = (x0, y0, x1, y1) => {
      context.moveTo(x(x0), y(y0));
      context.lineTo(x(x1), y(y1));
    };
    context.beginPath();
    const threshold = thresholdOf(page);
    if (seen) {
      const said = field.layers[seen.column - 1].subarray(seen.unit * count, (seen.unit + 1) * count);
      if (said.some((x) => x < 0)) traceZero(said, n, segment); // where it changes its sign, which a relu never does
    }
    else if (task === "binary") traceZero(threshold ? outputs.map((s) => s - threshold) : outputs, n, segment);
    else {
      const lead = new Float64Array(count);
      for (let k = 0; k < classes; k += 1) { // by how much a class leads over all others
        for (let p = 0; p < count; p += 1) {
          let other = -Infinity;
          for (let j = 0; j < classes; j += 1) {
            if (j !== k && outputs[j * count + p] > other) other = outputs[j * count + p];
          }
          lead[p] = outputs[k * count + p] - other;
        }
        traceZero(lead, n, segment);
      }
    }
    context.strokeStyle = css.ink;
    context.globalAlpha = 0.8;
    context.lineWidth = 1.4;
    context.stroke();
    context.globalAlpha = 1;
  }

  function styleCurve(context, found, k, many) {
    context.strokeStyle = many > 1 ? found.classCSS[k % 10] : found.css.positive;
    context.lineWidth = 2.5;
    context.setLineDash(k % 2 && many > 1 ? [7, 4] : []);
  }

  // One input: what each output says, over it.
  function drawCurves(context, found) {
    const { n, count } = field, outputs = field.layers.at(-1), { task } = page.model, many = page.network.sizes.at(-1);
    const isLogit = !seen && task === "binary" && !isScore(page) && !thresholdOf(page);
    const toProbability = isLogit ? (s) => 1 / (1 + Math.exp(-s)) : (s) => s;
    probabilities.length = many;
    context.save();
    context.beginPath();
    context.rect(LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM);
    context.clip();
    if (task === "binary") {
      context.setLineDash([4, 4]);
      context.strokeStyle = found.css.faint;
      const middle = upward(toProbability(thresholdOf(page)), field.bottom, field.top);
      context.strokeRect(LEFT, middle, width, 0);
      context.setLineDash([]);
    }
    const curves = seen
      ? [[field.layers[seen.column - 1], seen.unit]]
      : Array.from({ length: many }, (_, k) => [outputs, k]);
    for (const [said, k] of curves) {
      context.beginPath();
      let isDown = false;
      for (let p = 0; p < n; p += 1) {
        let y = said[k * count + p];
        if (!seen && task === "classes") {
          y = softmaxAt(outputs, count, p, many, probabilities) < 0 ? NaN : probabilities[k];
        }
        const at = within(upward(toProbability(y), field.bottom, field.top), -9999, 9999);
        if (Number.isNaN(at)) isDown = false;
        else context[isDown ? "lineTo" : "moveTo"](LEFT + (width - LEFT - RIGHT) * (p + 0.5) / n, at);
        isDown ||= !Number.isNaN(at);
      }
      styleCurve(context, found, k, seen ? 1 : many);
      context.stroke();
    }
    context.restore();
  }

  // What stands in the way of an answer, in words.
  function trouble() {
    const { network } = page, { numbers, sizes } = network;
    const bad = numbers.findIndex((x) => !Number.isFinite(x));
    if (bad < 0) return setsOf(page).length ? "" : "There are no examples to draw.";
    for (let l = 0; l + 1 < sizes.length; l += 1) {
      const from = network.place(l, 0, 0), to = network.place(l, sizes[l + 1] - 1, sizes[l]);
      if (bad < from || bad > to) continue;
      const unit = Math.floor((bad - from) / (sizes[l] + 1)), input = (bad - from) % (sizes[l] + 1);
      const which = input === sizes[l] ? "The bias of" : `The weight from ${nameOfInput(page, l, input)} to`;
      const word = Number.isNaN(numbers[bad]) ? "nan" : "infinite";
      return `${which} ${nameOfUnit(page, l, unit)} is ${word}: there the network has no answer. `
        + "Restart, with a smaller learning rate.";
    }
    return "";
  }

  // Choosing examples

  const chosenPlace = () => {
    const { chosen } = page;
    return chosen?.kind === "example"
      ? places.find(({ index, isTest }) => index === chosen.index && isTest === Boolean(chosen.isTest))
      : undefined;
  };
  function showRing() {
    for (const [node, place] of [[ring, chosenPlace()], [pointed, pointedAt]]) {
      node.hidden = !place;
      if (place) node.style.transform = `translate(${place.x}px, ${place.y}px)`;
    }
  }

  function describe(place) {
    const { network, model } = page, set = place.isTest ? page.testExamples : page.examples, inputs = network.sizes[0];
    const row = set.rows.slice(place.index * inputs, (place.index + 1) * inputs), outputs = network.outputs(row);
    const where = field.axes.map((axis) => `${inputName(page, axis)} ${short(row[axis])}`).join(", ");
    const head = `${place.isTest ? "test example" : "example"} ${place.index + 1}: ${where}`;
    const said = `the network says ${answerText(page, outputs)}`;
    if (model.task === "regression") return `${head}; target ${short(place.target)}, ${said}`;
    const isRight = page.kit.isRight(outputs, targetAt(set, place.index));
    return `${head}; it is ${classText(page, place.kind)}; ${said}`
      + `${isRight === null ? "" : isRight ? ", right" : ", wrong"}`;
  }

  function point(place, isSpoken) {
    if (place === pointedAt) return;
    pointedAt = place;
    page.told?.(place ? describe(place) : "");
    if (isSpoken && place) live.textContent = describe(place);
    showRing();
  }
  function nearest(event) {
    const { left, top } = area.getBoundingClientRect(), x = event.clientX - left, y = event.clientY - top;
    let best = null, least = 14;
    for (const place of places) {
      const far = Math.hypot(place.x - x, place.y - y);
      if (far < least) [best, least] = [place, far];
    }
    return best;
  }
  // Only what is learned from can be chosen: it is this that steps go through.
  const choose = (place) => page.choose(
    place && !place.isTest && place !== chosenPlace() ? { kind: "example", index: place.index } : null
  );

  area.onpointermove = (event) => point(nearest(event));
  area.onpointerleave = () => point(null);
  area.onclick = (event) => {
    const place = nearest(event);
    if (place || page.chosen?.kind === "example") choose(place);
  };
  element.onblur = () => point(null);
  element.onkeydown = (event) => {
    const stride = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    const from = places.indexOf(pointedAt ?? chosenPlace());
    if (stride && places.length) {
      point(
        places[(from < 0 ? (stride > 0 ? 0 : places.length - 1) : from + stride + places.length) % places.length], true
      );
    }
    else if (event.key === "Enter" && pointedAt) choose(pointedAt);
    else if (event.key === "Escape" && pointedAt) point(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return { element, draw, resize, showRing };
}

// The colour of an example on the plane: that of its class, or of its number.
function coloursOfExamples(page, found) {
  const { task } = page.model, certainty = certaintyOf(page);
  if (task === "binary") return ({ kind }) => found.css[kind ? "positive" : "negative"];
  return task === "classes" ? ({ kind }) => found.classCSS[kind % 10] : ({ target }) =>
    cssOf(found.of(certainty(target)));
}

// The colours of the answer at every `stride`-th point of the field into `side` x `side` pixels: of all outputs
// together, or of the unit `only`.
const scratchProbabilities = [];
function paintOutput(page, found, field, pixels, outputs, count, stride, side, only = -1) {
  const { n } = field, { task } = page.model, classes = page.network.sizes.at(-1), { signed, shades, unknown } = found;
  const certainty = certaintyOf(page), half = stride >> 1;
  for (let row = 0, to = 0; row < side; row += 1) {
    for (let p = (row * stride + half) * n + half, column = 0; column < side; column += 1, p += stride, to += 1) {
      if (task === "classes") {
        const best = softmaxAt(outputs, count, p, classes, scratchProbabilities), k = only < 0 ? best : only;
        const sure = only < 0
          ? (scratchProbabilities[k] - 1 / classes) / (1 - 1 / classes) * 0.75 + 0.25
          : scratchProbabilities[k];
        pixels[to] = best < 0 ? unknown : shades[k % 10][Math.round(255 * within(sure, 0, 1))];
      } else {
        const c = certainty(outputs[Math.max(only, 0) * count + p]);
        pixels[to] = Number.isNaN(c) ? unknown : signed[Math.round(255 + 255 * c)];
      }
    }
  }
}

// What one neuron or input (column 0) says at every `stride`-th point of the field, into `side` x `side` pixels.
// Returns the numbers that have the strongest colours; null for an output of classes, whose colours are probabilities.
function paintResponse(page, found, field, pixels, column, unit, stride, side) {
  const { n, count, layers } = field, { sizes } = page.network, half = stride >> 1, from = unit * count;
  if (column === 0) {
    const axis = field.axes.indexOf(unit);
    for (let p = 0; p < side * side; p += 1) {
      const share = axis < 0 ? 0.5 : axis === 0 ? (p % side + 0.5) / side : 1 - (Math.floor(p / side) + 0.5) / side;
      pixels[p] = found.signed[Math.round(255 + 255 * (2 * share - 1))];
    }
    return [field.low[axis], field.high[axis]];
  }
  if (column === sizes.length - 1) {
    paintOutput(page, found, field, pixels, layers[column - 1], count, stride, side, unit);
    return null;
  }
  const numbers = layers[column - 1], largest = largestAt(numbers, from, n, stride), scale = 255 / largest;
  for (let row = 0, to = 0; row < side; row += 1) {
    for (let p = from + (row * stride + half) * n + half, x = 0; x < side; x += 1, p += stride, to += 1) {
      const strength = numbers[p] * scale;
      pixels[to] = strength === strength ? found.signed[Math.round(255 + within(strength, -255, 255))] : found.unknown;
    }
  }
  return [-largest, largest];
}

// The largest magnitude of a unit's answers; at least a half, so that a unit that says little is pale.
function largestAt(numbers, from, n, stride) {
  let largest = 0.5;
  for (let row = stride >> 1; row < n; row += stride) {
    for (let p = from + row * n + (stride >> 1), end = from + row * n + n; p < end; p += stride) {
      const x = Math.abs(numbers[p]);
      if (x > largest && x < Infinity) largest = x;
    }
  }
  return largest;
}

// The losses

const LOSS_LEFT = 40, LOSS_BOTTOM = 18;
function makeLossCurve(page, colours) {
  const canvas = piece("canvas", { "aria-hidden": "true" }), train = piece("b"), test = piece("b");
  const right = piece("span", { class: "right" });
  const testKey = piece("span", { class: "key" }, piece("i", { class: "dash broken" }), "test loss ", test);
  const head = piece(
    "div", { class: "losses" }, piece("span", { class: "key" }, piece("i", { class: "dash" }), "training loss ", train),
    testKey, right
  );
  const element = piece("div", { class: "curve", role: "img" }, head, canvas);
  let width = 0, height = 112, last = -Infinity, known = [], took = 0;

  // A page as high as the window has a part of it for the losses.
  function resize() {
    width = element.clientWidth;
    if (fillsWindow(page)) height = Math.round(within(0.14 * page.frame.clientHeight, 60, 180));
    else height = 112;
    if (width) sharpen(canvas, width, height);
    known = [];
  }

  // The losses of all examples as they are now, and the share of right answers.
  function writeLosses() {
    const { trainer, examples, testExamples } = page;
    const [now, then] = [examples, testExamples].map(
      (data) => (data?.count && trainer?.evaluate ? trainer.evaluate(data) : null)
    );
    write(train, now ? short(now.loss) : "\u2013");
    write(test, then ? short(then.loss) : "\u2013");
    testKey.hidden = !then;
    const percent = (x) => `${shown(100 * x, 3)} %`, hasShare = typeof now?.accuracy === "number";
    write(right, hasShare ? `accuracy ${percent(now.accuracy)}${then ? `, test ${percent(then.accuracy)}` : ""}` : "");
    const spoken = then ? `, test loss ${test.textContent}` : "";
    element.setAttribute(
      "aria-label",
      `Training loss ${train.textContent}${spoken}${hasShare ? `, ${right.textContent}` : ""} `
        + `after ${page.trainer?.steps ?? 0} steps`
    );
  }

  // Of many moments as many as there are pixels, in each of these the lowest and the highest.
  function drawLine(context, history, key, x, y) {
    const every = Math.max(1, Math.floor(history.length / width));
    let isDown = false;
    context.beginPath();
    for (let from = 0; from < history.length; from += every) {
      let low = Infinity, high = -Infinity;
      for (let i = from; i < Math.min(from + every, history.length); i += 1) {
        const loss = history[i][key];
        if (loss < low) low = loss;
        if (loss > high) high = loss;
      }
      if (!Number.isFinite(low) || !Number.isFinite(high)) {
        isDown = false;
        continue;
      }
      const at = x(history[from].steps);
      context[isDown ? "lineTo" : "moveTo"](at, y(high));
      if (low !== high) context.lineTo(at, y(low));
      isDown = true;
    }
    context.stroke();
  }

  // From where to where the losses go, and whether by powers of ten: where they span more than one.
  function rangeOfLosses(history) {
    let [least, most, positive] = [Infinity, -Infinity, Infinity];
    for (const moment of history) {
      for (const loss of [moment.loss, moment.testLoss]) {
        if (!Number.isFinite(loss)) continue;
        if (loss < least) least = loss;
        if (loss > most) most = loss;
        if (loss > 0 && loss < positive) positive = loss;
      }
    }
    const isLog = least >= 0 && positive < most / 12;
    if (!isLog) return { isLog, bottom: Math.min(least, 0), top: most };
    return { isLog, bottom: Math.log10(positive), top: Math.log10(most) };
  }

  function drawFrame(context, { css }, { isLog, bottom, top }, y, end) {
    context.textAlign = "right";
    const powers = isLog ? ticksOf(Math.floor(bottom), top, 3).filter(Number.isInteger) : [];
    const times = top - bottom < 2 ? [1, 3] : [1];
    const logarithmic = powers.flatMap(
      (power) => times.map((factor) => factor * 10 ** power)
    ).filter((level) => level >= 10 ** bottom && level <= 10 ** top);
    context.fillStyle = css.faint;
    context.beginPath();
    for (const level of isLog ? logarithmic : ticksOf(bottom, top, 2)) {
      context.fillText(short(level), LOSS_LEFT - 5, y(level) + 4, LOSS_LEFT - 6);
      context.moveTo(LOSS_LEFT, y(level));
      context.lineTo(width - 7, y(level));
    }
    context.stroke();
    const { steps, epochs } = page.trainer, isKnown = epochs > 0;
    context.fillText(
      `${shown(isKnown ? end * epochs / steps : end, 3)} ${isKnown ? "epochs" : "steps"}`, width - 7, height - 4
    );
    context.textAlign = "left";
    context.fillText(isLog ? "log scale" : "0", LOSS_LEFT, height - 4);
  }

  function drawLines(context, { css }, history) {
    const range = rangeOfLosses(history), { isLog, bottom, top } = range, high = height - LOSS_BOTTOM;
    const end = Math.max(history.at(-1)?.steps ?? 0, 1);
    if (!(bottom <= top)) {
      context.textAlign = "center";
      context.fillStyle = css.faint;
      context.fillText(
        history.length ? "the loss is not finite" : "the loss, epoch by epoch", (width + LOSS_LEFT) / 2, high / 2 + 4
      );
      return;
    }
    const x = (steps) => LOSS_LEFT + 1 + (width - LOSS_LEFT - 9) * steps / end;
    const y = (loss) => high - 4 - (high - 14) * (
      (isLog ? Math.log10(Math.max(loss, 10 ** bottom)) : loss) - bottom
    ) / (top - bottom || 1);
    drawFrame(context, { css }, range, y, end);
    [context.lineWidth, context.lineJoin] = [2, "round"];
    for (const [key, colour, dash] of [["testLoss", css.faint, [5, 3]], ["loss", css.ink, []]]) {
      context.setLineDash(dash);
      context.strokeStyle = colour;
      drawLine(context, history, key, x, y);
    }
    context.setLineDash([]);
  }

  function draw(isAll) {
    const { trainer } = page, history = trainer?.history ?? [], now = performance.now();
    element.hidden = !trainer;
    if (!width) resize();
    if (!width || (!isAll && now - last < Math.max(120, 20 * took))) return; // numbers are not read faster
    last = now;
    writeLosses();
    took = performance.now() - now;
    const found = colours(), state = [history, history.length, history.at(-1)?.steps, width, found];
    if (state.every((x, i) => x === known[i])) return;
    known = state;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.font = "11px system-ui, sans-serif";
    context.strokeStyle = found.css.hair;
    context.lineWidth = 1;
    context.strokeRect(LOSS_LEFT + 0.5, 4.5, width - LOSS_LEFT - 7, height - LOSS_BOTTOM - 5);
    drawLines(context, found, history);
  }

  return { element, draw, resize };
}
