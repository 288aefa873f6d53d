// Turns the picture of a model into the playground: the page and its parts, the loop that trains, and what is measured.

// Milliseconds of training in a frame, so that a press is never kept waiting.
const BUDGET = 8;
// How fast it plays, in epochs a second, as far as the budget goes; or in phases or steps.
const SPEEDS = {
  phases: { moves: 1.25 }, steps: { moves: 4 },
  medium: { epochs: 12 }, fast: { epochs: 120 }, fastest: { epochs: Infinity },
};

function start(host) {
  const model = MODEL, root = host.attachShadow({ mode: "open" }), colours = piece("style");
  const frame = piece(
    "div",
    {
      class: "frame", role: "group", tabindex: 0, "aria-label": "Playground: a network that learns",
      "data-lm-suppress-shortcuts": true,
    }
  );
  const page = {
    host, root, frame, kit: KIT, model,
    state: null, network: null, trainer: null, examples: null, testExamples: null, chosen: null, theme: "light",
    example: null, loss: NaN, past: [], counted: 0, edits: 0,
    playing: false, speed: "fast", goal: null, sentence: "", shown: (x) => shown(x, 4),
    exampleNow: () => page.example ?? page.trainer.batch[0], // the index of the example that everything speaks of
  };
  root.append(piece("style", {}, STYLE), colours, frame, piece("slot"));
  for (const child of host.children) child.style.display = "none";
  const isLive = !!model.spec;
  const dress = (isDark) => {
    page.theme = frame.dataset.theme = isDark ? "dark" : "light";
    colours.textContent = THEMES[page.theme];
    page.view?.show({ everything: true });
  };
  if (isLive) live(page);
  else withoutTraining(page);
  if (model.theme === "light" || model.theme === "dark") dress(model.theme === "dark");
  else watchTheme(host, dress);
  if (isLive) settle(page);
}

// Puts the page's own functions and parts together.
function live(page) {
  const { model, frame } = page, first = page.first = firstState(model);
  page.state = structuredClone(first);
  Object.assign(page, {
    change: (changes, how) => change(page, changes, how), choose: (target) => choose(page, target),
    edit: (place, x) => edit(page, place, x), weightsChanged: () => weightsChanged(page),
    say: (sentence) => say(page, sentence),
  });
  build(page);
  page.unmoved = linkOf(page).link;
  openLink(page);
  measure(page);
  const controls = page.controls = makeControls(page), panel = page.panel = makePanel(page);
  page.view = makeView(page);
  controls.phases.replaceWith(page.view.stages);
  const middle = piece("div", { class: "middle" }, controls.layers.strip, page.view.network);
  page.body = piece("div", { class: "body" }, controls.data, middle, page.view.output);
  frame.append(controls.top, page.body, controls.inside, panel.element, ...controls.dialogs);
  show(page, true);
}

// What only works once the page is in place: its size, keys, the address.
function settle(page) {
  const { frame } = page, resized = () => arrange(page);
  resized();
  new ResizeObserver(resized).observe(frame);
  addEventListener("resize", resized);
  document.addEventListener("visibilitychange", () => document.hidden && pause(page));
  if (isOwnPage()) {
    addEventListener("hashchange", () => {
      pause(page);
      openLink(page);
      measure(page);
      show(page, true);
    });
    frame.focus({ preventScroll: true });
  }
}

const isOwnPage = () => document.body.dataset.page === "playground";

// Wide, compact (a notebook) or narrow (a telephone); on a page of its own as high as the window.
function arrange(page) {
  const { frame } = page, width = frame.clientWidth;
  if (!width) return;
  const isNarrow = frame.classList.toggle("narrow", width < 640);
  frame.classList.toggle("compact", width >= 640 && width < 1100);
  frame.classList.toggle("own", isOwnPage());
  page.controls.arrange(isNarrow);
  // The plot is as large as it can be with the losses below it: they are measured, since legends differ in height.
  const { body, view: { output } } = page, hasHeight = !isNarrow && (isOwnPage() || frame.classList.contains("full"));
  let size = Math.min(0.37 * width, hasHeight ? 0.8 * body.clientHeight : 400);
  for (let tried = 0; tried < 3; tried += 1) {
    output.style.width = isNarrow ? "" : `${Math.round(size)}px`;
    page.view.resize();
    const over = output.scrollHeight - output.clientHeight;
    if (!hasHeight || over <= 0 || size < 240) break;
    size = Math.max(240, size - over - 2);
  }
  page.controls.layers.arrange();
}

// The network that the state asks for, with its first weights; or with those that it has now.
function change(page, changes, { keepWeights: isKept = false } = {}) {
  const { state, first } = page, names = Object.keys(changes);
  if (names.length && names.every((name) => name === "axes")) {
    Object.assign(state, changes);
    return show(page, true);
  }
  if (names.length && names.every((name) => name === "lr")) return changeRate(page, changes.lr);
  if (isKept) keepWeights(page);
  Object.assign(state, changes);
  if (!isKept) page.past = [];
  if (!isKept) Object.assign(state, { numbers: hasFirstWeights(state, first) ? first.numbers : null, before: 0 });
  page.goal = null;
  page.sentence = "";
  build(page);
  if (!isKept && page.example >= page.examples.count) page.example = null;
  if (!isKept) page.chosen = page.chosen && isThere(page, page.chosen) ? page.chosen : null;
  measure(page);
  show(page, true);
}

// Another learning rate holds from the next step on; the optimiser remembers what it did.
function changeRate(page, lr) {
  const { state, trainer } = page;
  trainer.lr = state.lr = lr;
  if (page.goal) page.goal.numbers = null;
  state.rates = [...state.rates.filter(([first]) => first < trainer.steps), [trainer.steps, lr]];
  show(page, false);
}

function choose(page, target) {
  page.chosen = target;
  if (!target) page.example = null;
  else if (target.kind === "example") page.example = target.index;
  show(page, false);
}

// Sets a weight or bias. What it did to the loss is said in the panel.
function edit(page, place, x) {
  page.network.numbers[place] = x;
  weightsChanged(page);
}

// Somebody has set weights: what is trained from now on begins with them.
function weightsChanged(page) {
  const { network, trainer, state } = page;
  pause(page);
  page.edits += 1;
  if (trainer.steps || trainer.phase !== "ready") {
    keepWeights(page);
    beginRun(page);
  }
  state.numbers = network.numbers.slice();
  page.sentence = "";
  measure(page);
  show(page, false);
}

// The loss of now: an edit is compared with it.
function measure(page) {
  page.loss = page.trainer.evaluate(page.examples).loss;
}

function show(page, everything) {
  page.view?.show({ everything });
  page.controls?.refresh();
  page.panel?.refresh();
  if (page.controls && !page.playing) remember(page);
}

// A page of its own keeps its state in the address, so that it is there again when the page is loaded anew. Browsers
// refuse to change an address more often than some times a second.
function remember(page) {
  clearTimeout(page.remembering);
  page.remembering = isOwnPage() && setTimeout(() => page.playing || writeAddress(linkOf(page).link, page), 400);
}

function writeAddress(link, { unmoved }) {
  const hash = link === unmoved ? "" : link;
  if (hash === location.hash) return;
  try {
    history.replaceState(null, "", hash || location.href.split("#")[0]);
  } catch { /* a page in a sandbox keeps its address */ }
}

function say(page, sentence) {
  page.sentence = sentence;
  page.controls?.refresh();
}

// Playing

function play(page) {
  if (page.playing || !page.examples.count) return;
  page.playing = true;
  page.sentence = "";
  page.since = 0;
  requestAnimationFrame((now) => next(page, now));
  page.controls?.refresh();
}

function pause(page) {
  if (!page.playing) return;
  page.playing = false;
  endGoal(page);
  measure(page);
  show(page, true);
}

// A frame: steps for as long as the budget lasts, then the picture.
function next(page, now) {
  if (!page.playing) return;
  if (!page.host.isConnected) return pause(page); // a notebook took the output away
  requestAnimationFrame((later) => next(page, later));
  const { trainer, goal } = page, { moves, epochs } = goal ? SPEEDS.fastest : SPEEDS[page.speed];
  const elapsed = Math.max(1, Math.min(now - (page.since || now - 16), 1000));
  if (moves && page.since && elapsed * moves < 1000 - 9) return; // a frame more or less
  page.since = now;
  const isFinite = !goal && page.speed === "phases"
    ? goOn(page, "inside")
    : learn(page, moves ? 1 : stepsOfFrame(trainer, epochs * elapsed / 1000));
  if (!isFinite) return stopFor(page);
  if (goal && trainer.steps >= goal.steps) return pause(page);
  show(page, false);
}

// Whole epochs, if it is one at least: a frame ends with an epoch, so that each has its losses.
function stepsOfFrame({ steps, stepsPerEpoch }, epochs) {
  const done = steps % stepsPerEpoch, wanted = Math.max(1, Math.round(epochs * stepsPerEpoch));
  return epochs < 1 ? Math.min(wanted, stepsPerEpoch - done) : Math.round(epochs) * stepsPerEpoch - done;
}

// At most so many steps; says whether the loss is still finite. After the budget it goes on to the end of the epoch if
// that is near.
function learn(page, most) {
  const { trainer, state, goal } = page, begin = performance.now(), budget = goal ? 4 * BUDGET : BUDGET;
  const wanted = goal ? Math.min(most, goal.steps - trainer.steps) : most;
  for (let done = 1; done <= wanted; done += 1) {
    if (goal) trainer.lr = rateAt(state.rates, trainer.steps);
    if (!goOn(page, "step")) return false;
    const took = performance.now() - begin, place = trainer.steps % trainer.stepsPerEpoch;
    const left = (trainer.stepsPerEpoch - place) * took / done;
    if (took > budget && (!place || took + left > 2 * budget)) break;
  }
  return true;
}

// A step, or the next phase of one; the losses of an epoch that ends. Says whether the loss is still finite.
function goOn(page, move) {
  const { trainer, testExamples } = page, { steps } = trainer;
  if (move === "step") trainer.step();
  else trainer.advance();
  if (trainer.phase === "ready" && !Number.isFinite(trainer.batchLoss)) return false;
  if (trainer.steps === steps || trainer.steps % trainer.stepsPerEpoch) return true;
  page.counted = countOn(page, page.counted);
  if (testExamples.count) trainer.history.at(-1).testLoss = trainer.evaluate(testExamples).loss;
  return true;
}

function stopFor(page) {
  pause(page);
  show(page, true);
  say(
    page,
    `Stopped: the loss of step ${page.trainer.steps} is ${page.shown(page.trainer.batchLoss)}. `
      + "The steps are too long, so that the numbers grew beyond all bounds: "
      + "choose a smaller learning rate and restart."
  );
}

// One step, one epoch (in slices, if it takes long), or the next phase of a step.
function move(page, name) {
  pause(page);
  page.sentence = "";
  const { trainer } = page;
  if (name === "epoch") {
    return playUntil(page, { steps: (Math.floor(trainer.steps / trainer.stepsPerEpoch) + 1) * trainer.stepsPerEpoch });
  }
  if (!goOn(page, name)) return stopFor(page);
  if (Number.isFinite(trainer.batchLoss)) measure(page);
  show(page, trainer.phase === "ready");
}

// goal: { steps, numbers }. Training again gives what a link needs beside its weights: the order, the losses, what the
// optimiser remembers. Another browser may round some functions otherwise, so the weights are those of the link.
function playUntil(page, goal) {
  page.goal = goal;
  const isFinite = learn(page, goal.steps - page.trainer.steps);
  if (isFinite && page.trainer.steps < goal.steps) return play(page);
  endGoal(page);
  if (!isFinite) return stopFor(page);
  measure(page);
  show(page, true);
}

function endGoal(page) {
  const { goal, trainer, state, network } = page;
  page.goal = null;
  if (!goal) return;
  page.sentence = "";
  if (goal.numbers && trainer.steps === goal.steps) network.numbers.set(goal.numbers);
  if (trainer.lr !== state.lr) changeRate(page, state.lr);
}

// The state of the address, if it has one. What cannot be opened is said, and the page stays as it is.
function openLink(page) {
  const { model, first } = page;
  page.sentence = "";
  if (!isOwnPage() || !location.hash.startsWith("#playground")) return;
  try {
    const { state, goal } = stateIn(location.hash, model, first), { rates } = state;
    Object.assign(page, { state, past: [], chosen: null, example: null });
    build(page);
    state.rates = rates;
    if (!goal.steps) return;
    playUntil(page, goal);
    if (page.playing) page.sentence = `Training again: ${goal.steps} steps.`;
  } catch (error) {
    page.sentence = error.message;
  }
}

for (const host of document.querySelectorAll(`[data-nn-playground="${NAME}"]`)) {
  if (!host.shadowRoot) start(host);
}
