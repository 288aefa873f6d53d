// How does one go from step to step? Buttons, a slider with the phases, keys, and playing.

// Milliseconds that a step stands while playing.
const PACE = 1000;
const ICONS = {
  first: "M3 3v10M13 3L6 8l7 5z", previous: "M11 3L4 8l7 5z", play: "M4 2l9 6-9 6z", pause: "M5 3v10M11 3v10", next: "M5 3l7 5-7 5z",
  last: "M13 3v10M3 3l7 5-7 5z", more: "M3 8h0M8 8h0M13 8h0", out: "M3 8h10", in: "M3 8h10M8 3v10",
  fit: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4M5 6h6v4H5z", full: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
};
const KEYS = {
  ArrowLeft: "previous", k: "previous", ArrowRight: "next", j: "next", Home: "first", End: "last", " ": "play",
  "+": "in", "=": "in", "-": "out", 0: "fit", f: "fit", "?": "help",
};
const PANS = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] };
const HELP = {
  "\u2192 or j": "next step", "\u2190 or k": "step before", "Home, End": "first, last step", space: "play, pause", "+, -": "nearer, further",
  "0 or f": "the whole picture", "Shift + arrows": "move the picture", "\u2191, \u2193": "scroll the text",
  "Tab, Enter": "choose a leaf, open a neuron", Escape: "leave full screen, close this", "?": "these keys",
};

function icon(name) {
  return element("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, element("path", { d: ICONS[name] }));
}

function button(name, hint, ...content) {
  const attributes = { type: "button", title: hint, "aria-label": hint.split(" (")[0], "data-do": name };
  return element("button", attributes, ...(content.length ? content : [icon(name)]));
}

function choice(label, options, changed) {
  const select = element("select", { "aria-label": label, title: label });
  for (const [value, text] of options) select.add(new Option(text, value));
  select.onchange = () => changed(select.value);
  return select;
}

// After how many steps one stops: after every step, or where the phase or this key of the next step is another.
function stopsBy(steps, key) {
  const isStop = (step, next) => !next || !key || next.phase !== step.phase || next[key] !== step[key];
  return [0, ...steps.map((_, i) => i + 1).filter((end) => isStop(steps[end - 1], steps[end]))];
}

function makeControls(page) {
  const { model: { steps, boxes }, frame } = page, isNetwork = boxes.some(({ kind }) => kind === "neuron");
  const options = [["", "by node"]];
  if (boxes.some(isSeveral)) options.unshift(["box", isNetwork ? "by neuron" : "by box"]);
  if (isNetwork) options.push(["group", "by layer"]);
  const ways = Object.fromEntries(options.map(([key]) => [key, stopsBy(steps, key)]));
  let way = page.model.by ?? options[0][0], speed = 1, timer = 0;

  const slider = element("input", { type: "range", min: 0, "aria-label": "Step" });
  const phases = element("div", { class: "phases", "aria-hidden": "true" }), count = element("span", { class: "count" });
  const speeds = choice("Speed of playing", [1, 2, 4, 0.5, 0.25].map((x) => [x, `${x}\u00d7`]), (value) => {
    speed = value;
    if (timer) play(play());
  });
  const by = choice("Steps", options, (value) => {
    way = value;
    page.arrange();
  });
  by.value = way;
  by.hidden = options.length < 2;
  const moves = [
    button("first", "First (Home)"), button("previous", "Previous (left, k)"), button("play", "Play (space)"),
    button("next", "Next (right, j)", "Next", icon("next")), button("last", "Last (End)"),
  ];
  const [firstButton, previousButton, playButton, nextButton, lastButton] = moves;
  const quiz = button("quiz", "Quiz: give each gradient before it is shown", "Quiz");
  const bar = element("div", { class: "bar" },
    element("div", { class: "moves" }, ...moves, button("more", "More")), element("div", { class: "timeline" }, slider, phases), count,
    element("div", { class: "choices" }, by, speeds, quiz, button("out", "Zoom out (-)"), button("in", "Zoom in (+)"),
      button("fit", "Fit (0, f)"), button("full", "Full screen"), button("help", "Keys (?)", "?")));
  const keys = Object.keys(HELP).flatMap((key) => [element("dt", {}, key), element("dd", {}, HELP[key])]);
  const help = element("div", { class: "help", role: "dialog", "aria-label": "Keys", tabindex: -1 }, element("dl", {}, ...keys));
  help.hidden = true;

  const stops = () => ways[page.quiz.on ? "" : way] ?? ways[""];
  // A question stands for the step that comes.
  const at = () => stops().findLastIndex((stop) => stop <= page.now()) + page.quiz.asks();
  function to(i) {
    const isStuck = page.quiz.asks() && i > at();
    page.go(stops()[clamped(i, 0, stops().length - 1)]);
    if (isStuck) page.quiz.remind();
  }

  function play() {
    const isOn = !timer && steps.length > 0;
    clearInterval(timer);
    timer = 0;
    playButton.replaceChildren(icon(isOn ? "pause" : "play"));
    playButton.ariaLabel = isOn ? "Pause" : "Play";
    page.step.ariaLive = isOn ? "off" : "polite";
    if (!isOn) return;
    page.live.stop();
    if (page.now() === steps.length) page.go(0);
    timer = setInterval(() => {
      const before = page.now();
      if (page.host.isConnected) actions.next();
      if (page.now() === before || page.now() === steps.length) stop();
    }, PACE / speed);
  }
  const stop = () => timer && play();

  // Without permission for the whole screen, the stepper fills the frame that it stands in.
  function full() {
    const isOn = frame.classList.toggle("full");
    if (isOn) frame.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
    page.arrange();
  }
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement && frame.classList.contains("full")) full();
  }, { signal: page.signal });

  const actions = {
    first: () => to(0), previous: () => to(at() - 1), next: () => to(at() + 1), last: () => to(Infinity), play, full,
    in: () => page.view.zoom(1.25), out: () => page.view.zoom(0.8), fit: () => page.view.fit(),
    help() {
      help.hidden = !help.hidden;
      (help.hidden ? frame : help).focus({ preventScroll: true });
    },
    further: () => page.scroll(page.below.clientHeight - 50),
    more() {
      frame.classList.toggle("more");
      page.arrange();
    },
    quiz() {
      page.quiz.turn(!page.quiz.on);
      page.live.hide(page.quiz.on);
      page.arrange();
    },
  };
  function act(name) {
    if (["first", "previous", "next", "last", "quiz"].includes(name)) stop();
    actions[name]();
  }

  frame.onclick = ({ target }) => {
    const pressed = target.closest("[data-do]");
    if (pressed) act(pressed.dataset.do);
  };
  slider.oninput = () => {
    stop();
    to(Number(slider.value));
  };
  frame.onkeydown = (event) => {
    const { key, shiftKey } = event, [target] = event.composedPath(), presses = key === " " || key === "Enter";
    if (event.ctrlKey || event.altKey || event.metaKey || key === "Tab") return;
    if (key === "Escape" && !help.hidden) act("help");
    else if (key === "Escape" && frame.classList.contains("full")) full();
    else if (key === "Escape") return;
    // No key falls through to a notebook.
    event.stopPropagation();
    if (target.matches("select, input:not([type=range])") || (presses && target.matches("button"))) return;
    if (presses && target.matches("[data-box], [data-arrow]")) page.live.take(target) || page.open(Number(target.dataset.box ?? -1));
    else if (shiftKey && PANS[key]) page.view.pan(...PANS[key]);
    else if (KEYS[key]) act(KEYS[key]);
    else if (!(key === "ArrowDown" ? page.scroll(40) : key === "ArrowUp" && page.scroll(-40))) return;
    event.preventDefault();
  };

  // The phases below the slider, each as wide as it has stops.
  function arrange() {
    slider.max = stops().length - 1;
    phases.replaceChildren(...["forward", "backward", "update"].map((phase) => {
      const share = stops().filter((stop) => steps[stop - 1]?.phase === phase).length;
      return share ? element("span", { "data-phase": phase, style: `flex-grow:${share}` }, phase) : "";
    }));
    for (const span of phases.children) if (span.scrollWidth > span.clientWidth) span.textContent = "\u00a0";
  }

  // After every step: what can be done now.
  function refresh() {
    const i = at(), asks = page.quiz.asks(), last = stops().length - 1, step = steps[page.now() - 1 + asks];
    slider.value = i;
    slider.setAttribute("aria-valuetext", step ? `${i} of ${last}: ${step.phase}, ${step.title}` : "start");
    count.textContent = `${i} / ${last}`;
    firstButton.disabled = previousButton.disabled = i === 0;
    nextButton.disabled = lastButton.disabled = i === last && !asks;
    for (const span of phases.children) span.classList.toggle("now", span.dataset.phase === step?.phase);
    quiz.ariaPressed = by.disabled = page.quiz.on;
    by.title = page.quiz.on ? "Steps: the quiz goes by node" : "Steps";
    // A disabled button loses the focus, and keys with it.
    if (page.root.activeElement?.disabled) frame.focus({ preventScroll: true });
  }

  return { bar, help, arrange, refresh, stops };
}
