// Shows a training that was recorded: a moment of it, its figures over the whole of it, and everything to move with.

// Of more inputs than these a plane through their means says nothing.
const MOST_AXES = 8;
// So many moments a second.
const SPEEDS = { slow: 3, medium: 10, fast: 30 };
const ICONS = {
  play: "M3 2l10 6-10 6z", pause: "M3 2h3.5v12H3zM9.5 2H13v12H9.5z", first: "M13 2L5 8l8 6zM2.5 2v12",
  last: "M3 2l8 6-8 6zM13.5 2v12", back: "M12 2L4 8l8 6z", next: "M4 2l8 6-8 6z",
};

function button(label, name, press, ...inside) {
  const node = piece(
    "button", { type: "button", title: label, "aria-label": label, "data-do": name },
    ...(inside.length ? inside : [iconOf(ICONS[name])])
  );
  node.addEventListener("click", press);
  return node;
}

// The moments: numbersAt(k) are all numbers of moment k.
function makeMoments({ numbers, count, steps }) {
  const all = unpacked(numbers, count);
  return { length: steps.length, numbersAt: (k) => all.subarray(k * count, (k + 1) * count) };
}

// The arrays of weights, each with the place of every number.
const arraysOf = ({ layers }) => layers.map(({ places, rows, columns, ...rest }) => ({
  ...rest, rows, columns,
  places: Array.isArray(places) ? places : Array.from(
    { length: rows * columns },
    (_, p) => places.first + places.down * Math.floor(p / columns) + places.across * (p % columns)
  ),
}));

function start(host) {
  const model = MODEL, root = host.attachShadow({ mode: "open" }), look = piece("style"), style = piece("style");
  const frame = piece(
    "div",
    {
      class: "frame film", role: "group", tabindex: 0, "aria-label": "The film of a training",
      "data-lm-suppress-shortcuts": true,
    }
  );
  style.textContent = STYLE;
  const dataset = model.datasets[0], moments = makeMoments(model), last = Math.max(0, moments.length - 1);
  const page = {
    host, root, frame, kit: KIT, model, moments, at: 0, chosen: null, theme: "light", isPlaying: false, speed: "medium",
    showsGradients: false,
    state: { axes: [0, 1], loss: model.loss }, arrays: arraysOf(model),
    examples: examplesOf(dataset.rows, dataset.targets),
    testExamples: examplesOf(dataset.testRows, dataset.testTargets),
    best: model.best === null ? null : model.steps.indexOf(model.best), figures: null, trainer: null, network: null,
    view: null,
  };
  page.colours = makeColours(page);
  root.append(style, look, frame, piece("slot"));
  for (const child of host.children) child.style.display = "none";
  if (!moments.length) {
    frame.append(piece("p", { class: "refusal" }, "No moment was recorded: the training ended before its first step."));
  }
  else build(page);
  const dress = (isDark) => {
    page.theme = frame.dataset.theme = isDark ? "dark" : "light";
    look.textContent = THEMES[page.theme];
    page.redraw?.();
  };
  if (model.theme === "light" || model.theme === "dark") dress(model.theme === "dark");
  else watchTheme(host, dress);
  if (!moments.length) return;
  new ResizeObserver(() => resize(page)).observe(frame);
  resize(page);
  page.go(last);
  if (document.body.dataset.page === "film") frame.focus({ preventScroll: true });
}

// All parts of the page, and its own functions.
function build(page) {
  const { model, frame } = page;
  Object.assign(page, {
    go: (k, how) => go(page, k, how), pause: () => pause(page), redraw: () => redraw(page),
    choose: (target) => choose(page, target), change: (changes) => change(page, changes),
  });
  if (model.spec) beginNetwork(page);
  page.charts = makeCharts(page);
  page.predictions = !model.spec || model.spec.inputs > 2 ? makePredictions(page) : null;
  page.weights = makeWeights(page);
  const isPlane = model.spec && model.spec.inputs <= MOST_AXES;
  const bar = makeBar(page), pictures = piece("div", { class: "seen" });
  if (page.view) pictures.append(page.view.network);
  if (isPlane) pictures.append(page.view.output);
  if (page.predictions) pictures.append(page.predictions.element);
  if (!page.view && page.weights) {
    page.weights.element.open = true;
    pictures.append(page.weights.element);
  }
  pictures.classList.toggle("three", Boolean(isPlane && page.predictions));
  pictures.classList.toggle("answered", Boolean(!page.view && page.predictions));
  const sentences = [...model.missing, model.note].filter(Boolean);
  if (sentences.length) frame.append(piece("p", { class: "sentences" }, sentences.join(" ")));
  frame.prepend(bar);
  if (pictures.children.length) frame.append(pictures);
  frame.append(piece("div", { class: "charts" }, ...page.charts.map((chart) => chart.element)));
  if (page.view && page.weights) frame.append(page.weights.element);
  frame.addEventListener("keydown", (event) => pressed(page, event));
}

// What the pictures of the network look at: the network itself, and a trainer that only tells of the film.
function beginNetwork(page) {
  const { model, kit } = page;
  page.network = makeNetwork(
    model.spec, Float64Array.from(page.moments.numbersAt(0)).subarray(0, countOf(model.spec)), kit
  );
  page.trainer = {
    network: page.network, phase: "ready", steps: 0, epochs: 0, history: [], lr: NaN, batch: [0],
    batchSize: model.batchSize, stepsPerEpoch: model.stepsPerEpoch,
  };
  page.figures = makeFigures(page, () => {
    for (const chart of page.charts) {
      chart.draw();
      chart.show(page.at);
    }
    tell(page);
  });
  page.view = makeView(page);
}

// The bar: what moves through the film, and what is known of the moment.
function makeBar(page) {
  const last = page.moments.length - 1;
  const slider = piece(
    "input", { type: "range", min: 0, max: last, step: 1, value: 0, "aria-label": "moment of the training" }
  );
  const speed = piece(
    "select", { "aria-label": "speed", title: "speed" },
    ...Object.keys(SPEEDS).map((name) => piece("option", { value: name }, name))
  );
  const playing = button(
    "play (space)", "play", () => (page.isPlaying ? pause(page) : play(page)), iconOf(ICONS.play), "Play"
  );
  speed.value = page.speed;
  speed.addEventListener("change", () => { page.speed = speed.value; });
  slider.addEventListener("input", () => {
    pause(page);
    go(page, Number(slider.value), { isMoving: true });
  });
  const step = (by) => () => {
    pause(page);
    go(page, page.at + by);
  };
  const moves = piece(
    "div", { class: "moves" }, playing, button("first moment (Home)", "first", step(-Infinity)),
    button("back (left arrow)", "back", step(-1)), button("on (right arrow)", "next", step(1)),
    button("last moment (End)", "last", step(Infinity)), speed
  );
  page.parts = { slider, playing, told: piece("p", { class: "told", role: "status" }) };
  const bar = piece("div", { class: "top" }, moves, slider);
  if (page.view) {
    const toggle = button(
      "show the gradients in place of the weights (g)", "gradients", () => showGradients(page), "Gradients"
    );
    toggle.setAttribute("aria-pressed", "false");
    page.parts.toggle = toggle;
    bar.append(toggle);
  }
  bar.append(page.parts.told);
  return bar;
}

function showGradients(page) {
  page.showsGradients = !page.showsGradients;
  page.parts.toggle.setAttribute("aria-pressed", String(page.showsGradients));
  page.frame.dataset.gradients = page.showsGradients;
  go(page, page.at, { isForced: true });
}

const KEYS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };

function pressed(page, event) {
  const target = event.composedPath()[0];
  const isElsewhere = target.closest?.("select, summary, .board, .plot")
    || (target.matches?.("button") && [" ", "Enter"].includes(event.key));
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isElsewhere) return;
  if (event.key === " ") page.isPlaying ? pause(page) : play(page);
  else if (event.key === "g" && page.view) showGradients(page);
  else if (event.key in KEYS) {
    pause(page);
    go(page, page.at + KEYS[event.key]);
  } else return;
  event.preventDefault();
  event.stopPropagation(); // a notebook has keys of its own
}

function play(page) {
  if (page.moments.length < 2) return;
  if (page.at === page.moments.length - 1) go(page, 0);
  page.isPlaying = true;
  page.since = performance.now();
  label(page);
  requestAnimationFrame((now) => next(page, now));
}

function pause(page) {
  if (!page.isPlaying) return;
  page.isPlaying = false;
  label(page);
  page.view?.show({ everything: true });
}

function label(page) {
  const { playing } = page.parts;
  playing.replaceChildren(iconOf(ICONS[page.isPlaying ? "pause" : "play"]), page.isPlaying ? "Pause" : "Play");
  playing.setAttribute("aria-label", page.isPlaying ? "pause (space)" : "play (space)");
}

function next(page, now) {
  if (!page.isPlaying) return;
  if (!page.host.isConnected) {
    pause(page); // a notebook took the output away
    return;
  }
  requestAnimationFrame((later) => next(page, later));
  if (now - page.since < 1000 / SPEEDS[page.speed]) return;
  page.since = now;
  go(page, page.at + 1);
  if (page.at === page.moments.length - 1) pause(page);
}

// Shows moment k.
function go(page, k, { isForced = false, isMoving = page.isPlaying } = {}) {
  const { moments, model, trainer } = page, at = within(k, 0, moments.length - 1);
  if (Number.isNaN(at) || (at === page.at && page.isShown && !isForced)) return;
  page.isShown = true;
  page.at = at;
  if (page.network) {
    page.network.numbers.set(moments.numbersAt(at).subarray(0, page.network.numbers.length));
    [trainer.steps, trainer.epochs, trainer.lr] = [model.steps[at], model.epochs[at], fromJSON(model.rates[at])];
    trainer.phase = page.showsGradients ? "backward" : "ready";
    if (page.showsGradients) findGradients(page);
    page.figures.wanted = at;
  }
  page.parts.slider.value = at;
  page.parts.slider.setAttribute("aria-valuetext", `epoch ${shown(model.epochs[at], 4)}, step ${model.steps[at]}`);
  page.view?.show({ everything: !isMoving }); // while it moves, as fine as a frame allows
  page.predictions?.show(at);
  page.weights?.show(at);
  for (const chart of page.charts) chart.show(at);
  tell(page);
}

// The gradient of the mean loss at this moment, of as many examples as 15 ms allow.
function findGradients(page) {
  const { network, examples, kit } = page, end = performance.now() + 15;
  const some = someOf(examples, Math.max(1, Math.floor(3e6 / network.numbers.length)));
  const inside = { functions: [], slopes: [], flat: 0 };
  const job = figuresOf(network, kit, some, inside);
  let found = job.next();
  while (!found.done && performance.now() < end) found = job.next();
  page.trainer.batchLoss = found.value?.loss ?? page.figures.loss[page.at];
}

// The moment in words.
function tell(page) {
  const { model, at, figures, parts } = page, number = (x) => (Number.isFinite(x) ? short(x) : "\u2013");
  const loss = figures?.known[at] ? figures.loss[at] : fromJSON(model.losses[at] ?? "nan");
  const test = figures?.known[at] && page.testExamples.count
    ? figures.testLoss[at]
    : fromJSON(model.figures[at].validation_loss ?? "nan");
  const texts = [
    `epoch ${shown(model.epochs[at], 4)}`, `step ${model.steps[at]}`,
    `learning rate ${shown(fromJSON(model.rates[at]), 3)}`, `loss ${number(loss)}`,
  ];
  if (Number.isFinite(test)) texts.push(`validation ${number(test)}`);
  if (page.showsGradients) texts.push("lines: the gradient of the loss");
  write(parts.told, texts.join(" \u00b7 "));
}

function choose(page, target) {
  page.chosen = target;
  page.view.show({ everything: true });
}

function change(page, changes) {
  Object.assign(page.state, changes);
  page.view.show({ everything: true });
}

function redraw(page) {
  page.view?.show({ everything: true });
  page.predictions?.show(page.at);
  page.weights?.show(page.at);
  for (const chart of page.charts ?? []) chart.draw();
}

function resize(page) {
  const { frame } = page, width = frame.clientWidth;
  if (!width || width === page.width) return;
  page.width = width;
  frame.classList.toggle("narrow", width < 640);
  page.view?.resize();
  page.predictions?.resize();
  for (const chart of page.charts) chart.resize();
  page.weights?.show(page.at);
}

for (const host of document.querySelectorAll(`[data-nn-film="${NAME}"]`)) {
  if (!host.shadowRoot) start(host);
}
