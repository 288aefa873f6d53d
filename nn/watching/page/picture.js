// How does a network look while it learns? Columns of neurons with what each responds to, and lines for the weights.

// As many neurons of a layer are drawn; a name takes at most so many pixels beside them.
const MOST_UNITS = 16, NAME_WIDTH = 76, LOSS_WIDTH = 124;
// Milliseconds of a frame that the small pictures may take together: those that are left come in the next frame.
const UNITS_MS = 2.5;
// Lines have so many levels of thickness. Those of a level and sign are one path: 1,280 lines in 4 ms instead of 22.
const LEVELS = 12;
// The phases of a step, what the network shows then, and in which direction it goes.
const STAGES = [["forward", "forward \u2192"], ["loss", "loss"], ["backward", "\u2190 backward"], ["update", "update"]];

// How thick and how strong a line is, from 0 to 1. Weights have one scale for all times, so that a line that grows is a
// weight that grows, and it saturates, so that none ever covers the rest. Gradients are compared with the largest: the
// root shows those that are a hundred times smaller still.
const weightStrength = (x) => Math.abs(x) / (Math.abs(x) + 1.5);
const gradientStrength = (largest) => (x) => (x && largest ? Math.sqrt(Math.abs(x) / largest) : 0);

// page: see main.js. Returns elements: .network, .output (plot and losses), .element with both, and .stages, the phases
// of a step, of which the present one is marked.
function makeView(page) {
  const colours = makeColours(page), field = makeField(page);
  page.exampleNow ??= () => (page.chosen?.kind === "example" ? page.chosen.index : page.trainer?.batch?.[0] ?? 0);
  const plot = makePlot(page, field, colours), curve = makeLossCurve(page, colours), stageOf = makeStage(page);
  // A neuron that is pointed at or chosen is seen large in the plot.
  const network = makeNetworkView(page, field, colours, (target) => plot.draw(stage, target));
  const output = piece("div", { class: "output" }, plot.element, curve.element);
  const element = piece("div", { class: "pictures" }, network.element, output);
  let settling = 0, theme = null, stage = { phase: "ready", changes: null };
  page.told = (words) => network.tell(words); // what the pointer is at, in words

  // Draws what has changed. While it trains, a frame has the answers of the network, the large plot and the lines; the
  // small pictures come in turns, and the losses ten times a second. `everything` draws all of it, and finely.
  function show({ everything = false } = {}) {
    clearTimeout(settling);
    const isAll = everything || theme !== page.frame.dataset.theme;
    theme = page.frame.dataset.theme;
    field.ask(isAll);
    stage = stageOf();
    plot.draw(stage, network.target());
    network.draw(isAll, stage);
    curve.draw(isAll);
    if (!isAll) {
      settling = setTimeout(
        () => element.isConnected || network.element.isConnected ? show({ everything: true }) : 0, 200
      );
    }
  }
  function resize() {
    for (const part of [network, plot, curve]) part.resize();
    show({ everything: true });
  }
  return { element, network: network.element, stages: network.stages, output, show, resize, columns: network.columns };
}

// Whether the page has such an example, input, unit or weight: what was chosen may be of a network of before.
function isThere({ network: { sizes }, examples }, { kind, layer, unit, input, index }) {
  if (kind === "example") return index < examples.count;
  if (kind === "input") return unit < sizes[0];
  return layer + 1 < sizes.length && unit < sizes[layer + 1] && (kind === "unit" || input <= sizes[layer]);
}

// Which phase of a step is seen: "update" is that in which a step that was looked at has ended.
function makeStage(page) {
  let before = null, steps = -1, changes = null;
  return () => {
    const { trainer, network: { numbers } } = page, phase = trainer?.phase ?? "ready";
    if (phase !== "ready") {
      if (!before || before.length !== numbers.length || steps !== trainer.steps) before = Float64Array.from(numbers);
      [steps, changes] = [trainer.steps, null];
    } else if (before && trainer.steps === steps + 1 && before.length === numbers.length) {
      changes ??= numbers.map((x, i) => x - before[i]);
    } else [before, changes] = [null, null];
    return { phase: changes ? "update" : phase, changes };
  };
}

// looked(target): another neuron is pointed at.
function makeNetworkView(page, field, colours, looked) {
  const lines = piece("canvas", { class: "lines", "aria-hidden": "true" });
  const units = piece("div", { class: "units", "aria-hidden": "true" });
  const tag = piece("div", { class: "tag", hidden: "" }), lossTag = piece("div", { class: "losstag", hidden: "" });
  // Two names of one place by turns: a reader hears that the active one is another.
  const cursors = ["one", "two"].map(
    (name) => piece("i", { class: "cursor", role: "option", id: `place-${name}`, hidden: "" })
  );
  const board = piece("div", { class: "board", role: "listbox", tabindex: 0 }, lines, units, tag, lossTag, ...cursors);
  const chips = STAGES.map(([name, text]) => piece("span", { class: "stage", "data-stage": name }, text));
  const stages = piece("div", { class: "stages", "aria-hidden": "true" }, ...chips);
  const words = piece("p", { class: "words", role: "status" }), detail = piece("p", { class: "detail" });
  const element = piece("div", { class: "network" }, board, detail, words);
  let layout = null, context = null, turn = 0, hovered = null, cursor = null, entered = "target", told = "";
  let cursorTurn = 0;
  let stage = { phase: "ready", changes: null }, now = null, activations = null, lineCost = 0, linesAt = 0;
  let predicted = null;

  // Where everything is

  const isImage = (sizes) => sizes[0] >= 16 && Number.isInteger(Math.sqrt(sizes[0])) && namesArePixels();
  function namesArePixels() {
    const names = page.model.names?.inputs ?? [];
    const arePlain = names.every((name, i) => name === `x${i}`);
    const arePixels = (name) => /^\W*(pixel|px|p)\W*\d+(\D+\d+)?\W*$/i.test(name);
    return arePlain ? [64, 784].includes(page.network.sizes[0]) : names.every(arePixels);
  }

  function signature() {
    const { sizes, spec } = page.network;
    return JSON.stringify([sizes, spec?.layers?.map(({ activation }) => activation), field.axes, board.clientWidth]);
  }

  function arrange() {
    const { sizes } = page.network, width = board.clientWidth, image = isImage(sizes), isNarrow = width < 480;
    const counts = sizes.map((size, c) => (c === 0 && image ? 1 : Math.min(size, MOST_UNITS)));
    const rows = Math.max(...counts), hasNames = page.model.task === "classes" || sizes.at(-1) > 1;
    const nameWidth = Math.min(width > 900 ? 1.5 * NAME_WIDTH : NAME_WIDTH, width * 0.13);
    const left = image ? 8 : nameWidth, right = hasNames ? nameWidth : 26;
    const gap = (width - left - right) / Math.max(1, sizes.length - 0.4);
    const room = roomAbove(), isFree = room < Infinity;
    const wanted = isFree
      ? rows * 100 + 62
      : within(rows * (isNarrow ? 38 : 50) + 62, isNarrow ? 200 : 240, isNarrow ? 400 : 480);
    const TOP = 24, BOTTOM = 36, height = Math.round(Math.max(Math.min(wanted, room), rows * 14 + TOP + BOTTOM));
    const size = Math.floor(
      within(Math.min((height - TOP - BOTTOM) / rows - 5, gap * 0.5), 13, isNarrow ? 34 : isFree ? 72 : 44)
    );
    const bigSize = image ? Math.min(96, Math.floor(gap * 0.8), 12 * Math.round(size / 3)) : size;
    const step = (width - left - right - bigSize / 2 - size / 2) / Math.max(1, sizes.length - 1);
    const columns = sizes.map((total, c) => {
      const count = counts[c], pitch = Math.min((height - TOP - BOTTOM) / count, size * 1.7);
      const x = left + (c ? bigSize / 2 + c * step : bigSize / 2);
      const middle = TOP + (height - TOP - BOTTOM) / 2, more = (c === 0 && image ? 0 : total - count);
      return {
        x, size: c ? size : bigSize, total, count, more,
        ys: Array.from({ length: count }, (_, u) => middle + (u - (count - 1) / 2) * pitch),
      };
    });
    return {
      width, height, size, room: within(0.42 * gap, size + 3, 80), columns, image, left, right,
      signature: signature(),
    };
  }

  // How high the board can be where the page is as high as the window: its part is as high as the rest leaves.
  function roomAbove() {
    const parent = element.parentElement;
    if (!parent || !fillsWindow(page)) return Infinity;
    const others = [...parent.children, ...element.children].reduce(
      (sum, child) => sum + ([element, board].includes(child) ? 0 : child.offsetHeight), 0
    );
    return Math.max(200, parent.clientHeight - others - 16);
  }

  // Whether the network has another shape, or names, than the one that is laid out.
  const isStale = (isAll) => !layout
    || ((isAll || layout.network !== page.network) && layout.signature !== signature());

  // The elements of all units, made anew where the network has another shape.
  function build() {
    layout = arrange();
    board.style.height = `${layout.height}px`;
    board.style.setProperty("--letters", `${lettersOf(layout.size)}px`);
    context = sharpen(lines, layout.width, layout.height);
    const { sizes, spec } = page.network, { columns } = layout, parts = [];
    columns.forEach((column, c) => {
      column.units = column.ys.map((y, u) => makeUnit(column, c, u, y));
      for (const { node, name } of column.units) parts.push(node, ...(name ? [name] : []));
      const bottom = (column.ys.at(-1) ?? 0) + column.size / 2;
      if (column.more) parts.push(label(`\u2026 ${column.more} more`, "more", column.x - 40, bottom + 2, 80));
      const room = Math.min(columns[1].x - columns[0].x - 4, 2 * Math.min(column.x, layout.width - column.x));
      parts.push(label(headingOf(c, room), "heading", column.x - room / 2, 2, room));
    });
    units.replaceChildren(...parts);
    const layers = sizes.length - 1, hidden = sizes.slice(1, -1);
    board.setAttribute(
      "aria-label",
      `The network: ${sizes[0]} inputs, ${layers} layer${layers > 1 ? "s" : ""}`
        + `${hidden.length ? `, hidden neurons ${hidden.join(", ")}` : ""}, `
        + `${sizes.at(-1)} output${sizes.at(-1) > 1 ? "s" : ""}. `
        + "Arrows move from neuron to line to neuron, Enter chooses."
    );
    [cursor, hovered, turn] = [null, null, 0];
  }

  // What stands above a column: "layer 1, tanh", or where there is no room for that "1: tanh".
  function headingOf(c, room) {
    const { sizes, spec } = page.network, activation = cutName(spec?.layers?.[c - 1]?.activation ?? "", 24);
    if (!c) return layout.image ? `${sizes[0]} inputs` : "inputs";
    const long = `${c === sizes.length - 1 ? "output" : `layer ${c}`}, ${activation}`;
    return long.length * 6 < room ? long : c === sizes.length - 1 ? "output" : `${c}: ${activation}`;
  }

  function label(text, kind, x, y, width) {
    const node = piece("bdi", { class: kind });
    node.textContent = text;
    Object.assign(node.style, { left: `${x}px`, top: `${y}px`, width: `${width}px` });
    return node;
  }

  function makeUnit(column, c, u, y) {
    const canvas = piece("canvas"), value = piece("b", { hidden: "" });
    const node = piece(
      "div", { class: ["unit", c ? "" : "input", c === page.network.sizes.length - 1 ? "last" : ""].join(" ").trim() },
      canvas, value
    );
    Object.assign(
      node.style,
      {
        left: `${column.x - column.size / 2}px`, top: `${y - column.size / 2}px`, width: `${column.size}px`,
        height: `${column.size}px`,
      }
    );
    const isOutput = c === layout.columns.length - 1, isNamedOutput = isOutput && layout.right > 26;
    let name = null;
    if (!c && !layout.image) {
      name = label(inputName(page, u), "named before", 0, y - 8, column.x - column.size / 2 - 6);
    } else if (isNamedOutput) {
      name = label(outputName(u), "named", column.x + column.size / 2 + 11, y - 8, layout.right - 12);
    }
    return { node, canvas, value, name, context: canvas.getContext("2d"), image: null, text: "" };
  }
  const outputName = (u) => page.model.task === "classes" ? classNames(page)[u] : `output ${u + 1}`;

  // The small pictures

  // The pixels of a unit's canvas, of this size.
  function pixelsOf(unit, width, height) {
    if (unit.image?.width !== width || unit.image.height !== height) {
      [unit.canvas.width, unit.canvas.height] = [width, height];
      unit.image = new ImageData(width, height);
      unit.pixels = new Uint32Array(unit.image.data.buffer);
    }
    return unit.pixels;
  }

  function paintUnit(c, u) {
    const column = layout.columns[c], unit = column.units[u], found = colours();
    if (activations && showsNumbers()) return paintFlat(unit, found, c, u);
    unit.canvas.classList.toggle("pixels", layout.image && c < 2);
    if (layout.image && c === 0) return paintExample(unit, found);
    if (layout.image && c === 1) return paintWeights(unit, found, u);
    if (page.network.sizes[0] === 1) return paintCurve(unit, found, c, u);
    paintResponse(page, found, field, pixelsOf(unit, SMALL, SMALL), c, u, field.n / SMALL, SMALL);
    unit.context.putImageData(unit.image, 0, 0);
  }

  function paintCurve(unit, found, c, u) {
    const side = 2 * layout.size, { n, count, layers } = field, { context } = unit;
    if (unit.canvas.width !== side) [unit.canvas.width, unit.canvas.height, unit.image] = [side, side, null];
    const from = u * count, numbers = c ? layers[c - 1].subarray(from, from + n) : null;
    const largest = c && largestOf(numbers, 0.5);
    context.fillStyle = found.css.paper;
    context.fillRect(0, 0, side, side);
    context.fillStyle = found.css.hair;
    context.fillRect(0, side / 2, side, 2);
    // Below 0 the curve is orange, above blue.
    for (const [colour, top] of [["positive", 0], ["negative", side / 2]]) {
      context.save();
      context.beginPath();
      context.rect(0, top, side, side / 2 + (top ? 0 : 2));
      context.clip();
      context.beginPath();
      for (let p = 0; p < n; p += 3) {
        const y = c ? numbers[p] / largest : 2 * (p / n) - 1;
        if (y === y) context.lineTo(side * p / n, side / 2 - y * side * 0.42);
      }
      context.strokeStyle = found.css[colour];
      context.lineWidth = 4;
      context.stroke();
      context.restore();
    }
  }

  // Inputs that are pixels: the example that is shown; and the weights of a unit of the first layer as such an image.
  function paintExample(unit, found) {
    const { row } = unitsNow(page), side = Math.sqrt(page.network.sizes[0]);
    const pixels = pixelsOf(unit, side, side), largest = largestOf(row) || 1;
    row.forEach((x, i) => (
      pixels[i] = Number.isFinite(x)
        ? packed(mixed(found.paper, found.ink, within(x / largest, 0, 1)))
        : found.unknown
    ));
    unit.context.putImageData(unit.image, 0, 0);
  }
  function paintWeights(unit, found, u) {
    const { network } = page, total = network.sizes[0], side = Math.sqrt(total), pixels = pixelsOf(unit, side, side);
    const from = network.place(0, u, 0);
    const numbers = (showsGradients() ? network.gradients : network.numbers).subarray(from, from + total);
    const largest = largestOf(numbers, showsGradients() ? 1e-300 : 0.3);
    for (let i = 0; i < total; i += 1) {
      const x = numbers[i] / largest;
      pixels[i] = Number.isFinite(x) ? found.signed[Math.round(255 + 255 * within(x, -1, 1))] : found.unknown;
    }
    unit.context.putImageData(unit.image, 0, 0);
  }

  // Within a step: one colour for the number that stands in the unit.
  function paintFlat(unit, found, c, u) {
    if (layout.image && c === 0) return paintExample(unit, found);
    const pixels = pixelsOf(unit, 1, 1), x = numberOf(c, u);
    pixels[0] = Number.isFinite(x)
      ? packed(found.of(stage.phase === "backward" ? Math.sign(x) * gradientStrength(largestUnit())(x) : Math.tanh(x)))
      : found.unknown;
    unit.context.putImageData(unit.image, 0, 0);
  }

  // The step's numbers

  const showsNumbers = () => ["forward", "loss", "backward"].includes(stage.phase);
  // a film has none
  const hasLoss = () => ["loss", "backward"].includes(stage.phase) && page.trainer.batchLoss !== undefined;
  const showsGradients = () => stage.phase === "backward";

  // What stands in a unit: its output for the example; in "backward" the loss's gradient by its sum, which is its
  // bias's.
  function numberOf(c, u) {
    if (stage.phase !== "backward") return activations[c][u];
    return c ? page.network.gradients[page.network.place(c - 1, u, page.network.sizes[c - 1])] : activations[0][u];
  }
  function largestUnit() {
    const { sizes, place, gradients } = page.network;
    return largestOf(
      sizes.slice(1).flatMap((width, l) => Array.from({ length: width }, (_, u) => gradients[place(l, u, sizes[l])]))
    );
  }

  // What the update is going to add to each number: the optimiser's own step on copies.
  function changesAhead() {
    const { trainer, network } = page, method = page.kit?.optimizers?.[trainer?.optimizer];
    if (stage.phase !== "backward" || !method || !trainer.states) return null;
    if (predicted?.steps === trainer.steps && predicted.network === network) return predicted.changes;
    const numbers = Float64Array.from(network.numbers);
    const states = trainer.states.map((state) => Float64Array.from(state));
    method.step(numbers, Float64Array.from(network.gradients), states, trainer.lr, trainer.steps);
    predicted = { steps: trainer.steps, network, changes: numbers.map((x, i) => x - network.numbers[i]) };
    return predicted.changes;
  }

  // The lines

  // Where a line begins and ends. A bias is a square at its neuron's lower left corner.
  function endsOf(layer, unit, input) {
    const from = layout.columns[layer], to = layout.columns[layer + 1], isBundle = layer === 0 && layout.image;
    return [from.x + from.size / 2 + 1, isBundle ? from.ys[0] : from.ys[input], to.x - to.size / 2 - 1, to.ys[unit]];
  }
  function biasPlace(layer, unit) {
    const column = layout.columns[layer + 1];
    return [column.x - column.size / 2 - 1, column.ys[unit] + column.size / 2 + 1];
  }
  function traceLine(context, [x0, y0, x1, y1]) {
    const middle = (x0 + x1) / 2;
    context.moveTo(x0, y0);
    context.bezierCurveTo(middle, y0, middle, y1, x1, y1);
  }

  // All lines and biases that are drawn, those of a level of strength and sign together; the strongest come last.
  function groupsOf(source, strength) {
    const { network } = page, { columns } = layout, groups = new Map();
    const group = (x) => {
      const sign = signOf(x), level = sign === "alarm" ? LEVELS : Math.round(strength(x) * LEVELS);
      const key = `${level} ${sign}`;
      if (!groups.has(key)) groups.set(key, { level, sign, lines: [], biases: [] });
      return groups.get(key);
    };
    for (let l = 0; l + 1 < columns.length; l += 1) {
      for (let u = 0; u < columns[l + 1].count; u += 1) {
        const from = network.place(l, u, 0), isBundle = l === 0 && layout.image;
        for (let i = 0; i < columns[l].count; i += 1) {
          group(isBundle ? 0 : source[from + i]).lines.push(endsOf(l, u, i));
        }
        group(source[from + network.sizes[l]]).biases.push(biasPlace(l, u));
      }
    }
    return [...groups.values()].sort((a, b) => a.level - b.level);
  }

  function drawLines() {
    const { network } = page, found = colours();
    const source = showsGradients() ? network.gradients : stage.phase === "update" ? stage.changes : network.numbers;
    const areWeights = source === network.numbers;
    const strength = areWeights ? weightStrength : gradientStrength(largestOf(source));
    const thick = within(layout.size / 36, 0.5, 1);
    // Where all is as long, all as thick as can be is a ball of wool.
    const most = areWeights ? 6 : source === stage.changes && areAlike(source) ? 1 : 4;
    context.clearRect(0, 0, layout.width, layout.height);
    context.lineCap = "butt";
    for (const { level, sign, lines: ends, biases } of groupsOf(source, strength)) {
      const share = level / LEVELS, side = (4 + 6 * share) * Math.max(0.7, thick);
      context.strokeStyle = context.fillStyle = found.css[sign];
      context.globalAlpha = (sign === "none" ? 1 : 0.25 + 0.75 * Math.sqrt(share)) * (stage.phase === "loss" ? 0.3 : 1);
      context.lineWidth = sign === "alarm" ? 3 : (0.7 + most * share) * thick;
      context.setLineDash(sign === "alarm" ? [6, 3] : []);
      context.beginPath();
      for (const end of ends) traceLine(context, end);
      context.stroke();
      for (const [x, y] of biases) context.fillRect(x - side / 2, y - side / 2, side, side);
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
    if (showsNumbers()) drawDirection(found);
    for (const [target, isChosen] of [[page.chosen, true], [hovered, false]]) {
      if (target?.kind === "weight") drawMarked(found, target, isChosen, source);
    }
  }

  // A line that is chosen or pointed at: on a halo, dashed where its number is negative.
  function drawMarked(found, { layer, unit, input }, isChosen, source) {
    const { network } = page, x = source[network.place(layer, unit, input)], isBias = input === network.sizes[layer];
    if (
      layer + 1 >= layout.columns.length || unit >= layout.columns[layer + 1].count
        || (!isBias && !(layer === 0 && layout.image) && input >= layout.columns[layer].count)
    ) return;
    const halo = isChosen ? found.css.mark : found.css.ink;
    const colour = signOf(x) === "none" ? found.css.faint : found.css[signOf(x)];
    context.lineCap = "round";
    if (isBias) {
      const [left, top] = biasPlace(layer, unit);
      context.fillStyle = halo;
      context.fillRect(left - 8, top - 8, 16, 16);
      context.fillStyle = found.css.paper;
      context.fillRect(left - 6, top - 6, 12, 12);
      context.fillStyle = colour;
      context.fillRect(left - 4, top - (x < 0 ? 1.5 : 4), 8, x < 0 ? 3 : 8); // a minus, or a full square
      return;
    }
    const ends = endsOf(layer, unit, input), width = 2.5 + 3 * weightStrength(x);
    for (const [style, more, dash] of [
      [halo, isChosen ? 7 : 4, []], [found.css.paper, 2.5, []], [colour, 0, x < 0 ? [7, 6] : []],
    ]) {
      context.strokeStyle = style;
      context.lineWidth = width + more;
      context.setLineDash(dash);
      context.beginPath();
      traceLine(context, ends);
      context.stroke();
    }
    context.setLineDash([]);
  }

  // In which direction the numbers go in this phase: an arrow below the network.
  function drawDirection(found) {
    const { columns, height } = layout, isBack = stage.phase === "backward", first = columns[0].x;
    const last = columns.at(-1).x;
    const y = height - 13, way = isBack ? -1 : 1, place = hasLoss() ? layout.width - LOSS_WIDTH : last;
    const [from, to] = stage.phase === "forward" ? [first, last] : isBack ? [place, first] : [];
    context.strokeStyle = context.fillStyle = found.css.ink;
    context.lineWidth = 2;
    if (hasLoss()) { // the loss hangs at the outputs
      const { ys, size } = columns.at(-1), spine = ys.length > 1 ? last + size / 2 + 8 : last;
      context.beginPath();
      if (ys.length > 1) {
        for (const at of ys) { // all of them have a part in it
          context.moveTo(last + size / 2, at);
          context.lineTo(spine, at);
        }
        context.moveTo(spine, ys[0] - 1);
      } else context.moveTo(last, ys[0] + size / 2 + 4);
      context.lineTo(spine, height - 24);
      context.stroke();
    }
    if (from === undefined) return;
    context.setLineDash(isBack ? [8, 5] : []);
    context.beginPath();
    context.moveTo(from, y);
    context.lineTo(to - 8 * way, y);
    context.stroke();
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(to, y);
    context.lineTo(to - 10 * way, y - 6);
    context.lineTo(to - 10 * way, y + 6);
    context.fill();
  }

  // What is at a place of the board: a unit, a bias, or the line that is nearest.
  function targetUnder(x, y, isTouch) {
    const { columns, image } = layout, { sizes } = page.network;
    for (let c = columns.length - 1; c >= 0; c -= 1) {
      const { x: middle, size, ys } = columns[c];
      for (let u = 0; u < ys.length; u += 1) {
        const [left, top] = c ? biasPlace(c - 1, u) : [-99, -99];
        if (Math.hypot(x - left, y - top) < 7) return { kind: "weight", layer: c - 1, unit: u, input: sizes[c - 1] };
        if (Math.abs(x - middle) <= size / 2 && Math.abs(y - ys[u]) <= size / 2) {
          return c ? { kind: "unit", layer: c - 1, unit: u } : { kind: "input", unit: u };
        }
      }
    }
    const l = columns.findIndex(
      (column, c) => c + 1 < columns.length && x > column.x + column.size / 2
        && x < columns[c + 1].x - columns[c + 1].size / 2
    );
    if (l < 0 || (l === 0 && image)) return null;
    const [x0, , x1] = endsOf(l, 0, 0), eased = easedAt((x - x0) / (x1 - x0));
    let best = null, least = isTouch ? 16 : 7;
    for (let u = 0; u < columns[l + 1].count; u += 1) {
      for (let i = 0; i < columns[l].count; i += 1) {
        const from = columns[l].ys[i], to = columns[l + 1].ys[u];
        const far = Math.abs(from + (to - from) * eased - y) / Math.hypot(1, 1.5 * (to - from) / (x1 - x0));
        if (far < least) [best, least] = [{ kind: "weight", layer: l, unit: u, input: i }, far];
      }
    }
    return best;
  }
  // How far down a line has come where it is this far across: the two are cubic curves of one parameter, found by
  // halving.
  function easedAt(share) {
    let low = 0, high = 1;
    for (let i = 0; i < 20; i += 1) {
      const t = (low + high) / 2;
      if (1.5 * t * (1 - t) + t ** 3 < share) low = t;
      else high = t;
    }
    return low * low * (3 - 2 * low);
  }

  // In words

  // What is known of a weight or bias in this phase: names and numbers.
  function figuresAt(layer, unit, input) {
    const { network } = page, at = network.place(layer, unit, input);
    const changes = stage.phase === "update" ? stage.changes : changesAhead();
    const found = [[input === network.sizes[layer] ? "bias" : "weight", network.numbers[at]]];
    if (["backward", "update"].includes(stage.phase)) found.push(["gradient", network.gradients[at]]);
    if (changes) found.push([stage.phase === "update" ? "change" : "change to come", changes[at]]);
    return found;
  }

  function describe(target) {
    const { network } = page;
    if (target.kind === "input") {
      const { row, index } = unitsNow(page);
      return `Input ${inputName(page, target.unit)}: `
        + `${layout.image ? "the pixels" : short(row[target.unit])} in example ${index + 1}.`;
    }
    const { layer, unit } = target, input = target.kind === "unit" ? network.sizes[layer] : target.input;
    const numbers = figuresAt(layer, unit, input).map(([name, x], i) => `${name} ${shown(x, i ? 3 : 4)}`);
    if (target.kind === "weight" && input === network.sizes[layer]) {
      return `The bias of ${nameOfUnit(page, layer, unit)}: ${numbers.join(", ")}.`;
    }
    if (target.kind === "weight") {
      return `From ${nameOfInput(page, layer, input)} to ${nameOfUnit(page, layer, unit)}: ${numbers.join(", ")}.`;
    }
    const { outs, index, masks } = unitsNow(page), name = nameOfUnit(page, layer, unit);
    const activation = network.spec?.layers?.[layer]?.activation;
    const says = page.model.task === "binary" && layer + 2 === network.sizes.length
      ? answerText(page, outs.at(-1))
      : `output ${shown(outs[layer + 1][unit], 4)}`;
    numbers.unshift(`${says} for example ${index + 1}${masks?.[layer]?.[unit] === 0 ? ", dropped in this step" : ""}`);
    return `${name[0].toUpperCase()}${name.slice(1)}${activation ? ` (${cutName(activation, 24)})` : ""}: `
      + `${numbers.join(", ")}.`;
  }

  // What lines, squares and neurons stand for in this phase.
  function stageWords() {
    const { network, examples } = page, { phase } = stage, { index, masks, outs } = now ?? {};
    const other = !now || page.trainer.batch.includes(index) ? "" : ", which is not of this batch";
    if (phase === "forward") {
      const hasDropout = network.spec?.layers?.some(({ dropout }) => dropout);
      const dropped = masks ? ". Dropout has set the crossed ones to 0" : hasDropout ? ", without dropout" : "";
      return `Each neuron holds its output for example ${index + 1}${other}${dropped}. Lines are weights.`;
    }
    if (phase === "loss") {
      return `For example ${index + 1}${other}${other && ","} the network says ${answerText(page, outs.at(-1))}; `
        + `${targetText(examples, index)}.`;
    }
    if (phase === "backward") {
      return `Lines and squares are gradients, the mean of the ${hasLoss() ? "batch" : "examples"}: `
        + "blue where more is more loss, orange where more is less. A neuron holds that of its bias.";
    }
    if (phase === "update") {
      return "Lines and squares are the changes of this step: blue has grown, orange has fallen, "
        + `${areAlike(stage.changes) ? "all about as far" : "the thicker the more"}.`;
    }
    return "Lines are weights, squares are biases: blue positive, orange negative, the thicker the larger. "
      + "Each neuron shows where it responds.";
  }
  // Whether nearly all that has moved has moved about as far: half of it at least nine tenths as far as the furthest.
  function areAlike(changes) {
    const sizes = Float64Array.from(changes, Math.abs).filter((x) => x > 0).sort();
    return sizes.length > 4 && sizes[sizes.length >> 1] > 0.9 * sizes.at(-1);
  }
  function targetText(set, index) {
    const wide = targetsOf(set);
    if (page.model.task !== "regression") {
      return "it is " + (
        wide === 1 && classNames(page)[classAt(page, set, index)]
          ? classText(page, classAt(page, set, index))
          : "unknown"
      );
    }
    return "the target is "
      + `${Array.from({ length: Math.min(wide, 4) }, (_, k) => short(set.targets[index * wide + k])).join(", ")}`;
  }

  // What is shown

  const isSame = (a, b) => a === b || (a && b && ["kind", "layer", "unit", "input"].every((key) => a[key] === b[key]));

  // The letters of numbers in neurons of this size, in pixels.
  const lettersOf = (size) => within(0.28 * size, 9, 16);
  // The number with as many digits as there is room for: it may be wider than its neuron, since columns are far apart.
  function fitting(x, size) {
    const brief = x.toExponential(0).replace(/e([+-]?)0*/, (_, sign) => `e${sign === "-" ? "-" : ""}`);
    return [shown(x, 2), shown(x, 1), brief].find((text) => text.length * 0.57 * lettersOf(size) <= layout.room) ?? "";
  }

  function writeNumbers(isAll) {
    const now = showsNumbers();
    if (!isAll && !now && board.dataset.phase === stage.phase) return;
    layout.columns.forEach((column, c) => column.units.forEach((unit, u) => {
      const text = now && !(layout.image && c === 0) ? fitting(numberOf(c, u), layout.size) : "";
      if (text === unit.text) return;
      unit.value.textContent = unit.text = text;
      unit.value.hidden = !text;
    }));
  }

  function writeMarks() {
    const { chosen } = page;
    layout.columns.forEach((column, c) => column.units.forEach(({ node }, u) => {
      const target = c ? { kind: "unit", layer: c - 1, unit: u } : { kind: "input", unit: u };
      const isOther = (one) => !isSame(one, target);
      node.classList.toggle("chosen", !isOther(chosen));
      node.classList.toggle("pointed", !isOther(hovered));
      node.classList.toggle("dropped", c > 0 && stage.phase !== "backward" && now?.masks?.[c - 1]?.[u] === 0);
    }));
    const target = hovered ?? (chosen && chosen.kind !== "example" && isThere(page, chosen) ? chosen : null);
    write(words, stageWords());
    write(detail, told || (target ? describe(target) : ""));
    showTag(target);
  }
  // The numbers of a line, beside it.
  function showTag(target) {
    const { network } = page, { columns } = layout;
    const isBias = target?.kind === "weight" && target.input === network.sizes[target.layer];
    const isDrawn = target?.kind === "weight" && target.unit < columns[target.layer + 1].count
      && (isBias || (target.input < columns[target.layer].count && !(layout.image && target.layer === 0)));
    tag.hidden = !isDrawn;
    if (!isDrawn) return;
    const rows = figuresAt(target.layer, target.unit, target.input);
    const text = rows.map(([name, x]) => `${name} ${x > 0 ? "+" : ""}${shown(x, 3)}`).join("\n");
    write(tag, text);
    const [x0, y0, x1, y1] = isBias
      ? [...biasPlace(target.layer, target.unit), ...biasPlace(target.layer, target.unit)]
      : endsOf(target.layer, target.unit, target.input);
    const high = 8 + 15 * rows.length, x = within((x0 + x1) / 2, 58, layout.width - 58);
    const above = (y0 + y1) / 2 - high - 8;
    tag.style.transform = `translate(${x}px, ${above < 0 ? (y0 + y1) / 2 + 10 : above}px) translateX(-50%)`;
  }

  function showLoss() {
    const isOn = hasLoss();
    lossTag.hidden = !isOn;
    if (!isOn) return;
    write(lossTag, `mean loss ${shown(page.trainer.batchLoss, 3)}`);
    lossTag.style.transform = `translate(${layout.width - 4}px, ${layout.height - 24}px) translateX(-100%)`;
  }

  function draw(isAll, staged) {
    if (!board.clientWidth) return;
    field.settle();
    const before = stage.phase;
    stage = staged;
    if (isStale(isAll)) build();
    layout.network = page.network;
    if (stage.phase !== "backward") predicted = null;
    now = showsNumbers() ? unitsNow(page) : null;
    activations = now?.outs;
    const isNew = isAll || before !== stage.phase || activations;
    element.dataset.phase = stage.phase;
    for (const chip of chips) chip.classList.toggle("now", chip.dataset.stage === stage.phase);
    // Lines that take long are drawn less often, so that they never take more than a third of the time.
    const began = performance.now();
    if (isNew || began - linesAt > 3 * lineCost) {
      drawLines();
      linesAt = performance.now();
      lineCost = linesAt - began > 3 ? linesAt - began : 0;
    }
    writeNumbers(isNew);
    paintUnits(isNew);
    showLoss();
    if (isNew || hovered || page.chosen || told) writeMarks();
    else if (page.trainer?.phase === "ready") write(words, stageWords());
    placeCursor();
    board.dataset.phase = stage.phase;
  }

  function paintUnits(isAll) {
    const all = layout.columns.flatMap((column, c) => column.units.map((_, u) => [c, u])), began = performance.now();
    for (let i = 0; i < all.length; i += 1) {
      turn = (turn + 1) % all.length;
      paintUnit(...all[turn]);
      if (!isAll && performance.now() - began > UNITS_MS) break;
    }
  }

  // Pointers and keys

  function point(target) {
    if (isSame(target, hovered)) return;
    hovered = target;
    board.style.cursor = target ? "pointer" : "";
    drawLines();
    writeMarks();
    looked(hovered ?? page.chosen);
  }
  const targetOf = (event) => {
    const { left, top } = board.getBoundingClientRect();
    return layout ? targetUnder(event.clientX - left, event.clientY - top, event.pointerType === "touch") : null;
  };
  board.onpointermove = (event) => point(targetOf(event));
  board.onpointerleave = () => point(null);
  board.onclick = (event) => {
    const target = targetOf(event);
    cursor = target;
    page.choose(isSame(target, page.chosen) ? null : target);
  };

  // A line is entered from its neuron, which then stays: up and down go through the others at its other end.
  function moved(from, key) {
    const { columns, image } = layout, { sizes } = page.network;
    if (!from || !isThere(page, from)) return { kind: "unit", layer: 0, unit: 0 };
    if (!key) return from;
    const way = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (from.kind === "weight") {
      const { layer, unit, input } = from, isBias = input === sizes[layer];
      if (key === "ArrowRight") return { kind: "unit", layer, unit };
      if (key === "ArrowLeft") {
        return isBias
          ? { kind: "unit", layer, unit }
          : layer
          ? { kind: "unit", layer: layer - 1, unit: input }
          : { kind: "input", unit: image ? 0 : input };
      }
      if (!way) return from;
      if (entered === "source") return { ...from, unit: within(unit + way, 0, sizes[layer + 1] - 1) };
      return { ...from, input: within(input + way, 0, sizes[layer]) }; // the last one is the bias
    }
    const c = from.kind === "input" ? 0 : from.layer + 1, { unit } = from;
    if (way) return { ...from, unit: within(unit + way, 0, (c ? sizes[c] : columns[0].count) - 1) };
    if (key === "ArrowRight") {
      entered = "source";
      return c + 1 < columns.length ? { kind: "weight", layer: c, unit: 0, input: unit } : from;
    }
    entered = "target";
    return c ? { kind: "weight", layer: c - 1, unit, input: 0 } : from;
  }
  const here = () => cursor ?? (page.chosen?.kind === "example" ? null : page.chosen);
  board.onkeydown = (event) => {
    if (event.key === "Enter" || event.key === " ") page.choose(isSame(cursor, page.chosen) ? null : cursor);
    else if (event.key === "Escape" && page.chosen) page.choose(null);
    else if (/^Arrow/.test(event.key)) go(moved(here(), event.key));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  board.onfocus = () => {
    if (layout && board.matches(":focus-visible")) go(moved(here(), ""));
  };
  board.onblur = () => {
    hovered = null;
    board.removeAttribute("aria-activedescendant");
    for (const node of cursors) node.hidden = true;
    if (layout) [drawLines(), writeMarks(), looked(page.chosen)];
  };

  function go(target) {
    [cursor, hovered] = [target, target];
    cursorTurn = 1 - cursorTurn;
    drawLines();
    writeMarks();
    placeCursor();
    looked(target);
    board.setAttribute("aria-activedescendant", cursors[cursorTurn].id);
  }
  function placeCursor() {
    const isOn = cursor && isThere(page, cursor) && board.getRootNode().activeElement === board;
    cursors.forEach((node, i) => (node.hidden = !isOn || i !== cursorTurn));
    if (!isOn) return;
    const node = cursors[cursorTurn], column = layout.columns[cursor.kind === "input" ? 0 : cursor.layer + 1];
    node.setAttribute("aria-label", describe(cursor));
    node.setAttribute("aria-selected", String(isSame(cursor, page.chosen)));
    const side = column.size + 10, y = column.ys[Math.min(cursor.unit, column.count - 1)];
    const isUnit = cursor.kind !== "weight";
    Object.assign(
      node.style,
      isUnit ? {
        left: `${column.x - side / 2}px`, top: `${y - side / 2}px`, width: `${side}px`, height: `${side}px`,
      } : { width: "0px", height: "0px" }
    );
  }

  return {
    element, stages, draw, target: () => hovered ?? page.chosen,
    resize: () => (layout = null),
    tell(text) {
      told = text;
      if (layout) writeMarks();
    },
    // Where the columns are, for what stands above or below them: their middles, in pixels of the board.
    columns: () => layout?.columns.map(({ x, total }, c) => ({ x, total, layer: c - 1 })) ?? [],
  };
}
