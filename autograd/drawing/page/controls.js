// How does one go from step to step? Buttons, a slider with the phases, keys, and playing.

const PACE = 1000; // ms that a step stands while playing at speed 1
const ICONS = {
  first: "M3 3v10M13 3L6 8l7 5z", previous: "M11 3L4 8l7 5z", play: "M4 2l9 6-9 6z", pause: "M5 3v10M11 3v10",
  next: "M5 3l7 5-7 5z", last: "M13 3v10M3 3l7 5-7 5z", out: "M3 8h10", in: "M3 8h10M8 3v10",
  fit: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4M5 6h6v4H5z", full: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
};
const KEYS = {
  ArrowLeft: "previous", k: "previous", ArrowRight: "next", j: "next", Home: "first", End: "last", " ": "play",
  "+": "in", "=": "in", "-": "out", "0": "fit", f: "fit", "?": "help",
};
const HELP = [
  ["\u2192 or j", "next step"], ["\u2190 or k", "step before"], ["Home, End", "first, last step"], ["space", "play or pause"],
  ["+, \u2212", "nearer, further"], ["0 or f", "the whole picture"], ["Shift + arrows", "move the picture"], ["Tab, Enter", "choose a box, open it"], ["?", "these keys"],
];

function icon(name) {
  return svgElement("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svgElement("path", { d: ICONS[name] }));
}

function button(name, hint, ...content) {
  const label = hint.split(" (")[0];
  return element("button", { type: "button", title: hint, "aria-label": label, "data-do": name }, ...(content.length ? content : [icon(name)]));
}

function choice(label, options, chosen, changed) {
  const select = element("select", { "aria-label": label, title: label });
  for (const [value, text] of options) select.append(element("option", { value }, text));
  select.value = chosen;
  select.addEventListener("change", () => changed(select.value));
  return select;
}

// Where one stops between steps: after every step, every box, or every layer.
function stopsBy(steps, key) {
  const stops = [0];
  steps.forEach((step, i) => {
    const next = steps[i + 1];
    if (!next || key === "node" || next.phase !== step.phase || next[key] !== step[key]) stops.push(i + 1);
  });
  return stops;
}

function makeControls(page) {
  const { model: { steps, boxes }, frame } = page;
  const ways = { node: stopsBy(steps, "node"), box: stopsBy(steps, "box"), group: stopsBy(steps, "group") };
  const isNetwork = boxes.some((box) => box.kind === "neuron");
  const options = [["node", "node"]];
  if (boxes.some((box) => box.nodes.length > 1)) options.unshift(["box", isNetwork ? "neuron" : "box"]);
  if (isNetwork) options.push(["group", "layer"]);
  let way = options[0][0], speed = 1, timer = null;

  const buttons = {
    first: button("first", "First (Home)"), previous: button("previous", "Previous (left, k)"), play: button("play", "Play (space)"),
    next: button("next", "Next (right, j)", "Next", icon("next")), last: button("last", "Last (End)"),
  };
  const slider = element("input", { type: "range", min: "0", value: "0", "aria-label": "Step" });
  const phases = element("div", { class: "phases", "aria-hidden": "true" }), count = element("span", { class: "count" });
  const quiz = button("quiz", "Quiz: say each gradient before it is shown", "Quiz");
  const speeds = choice("Speed of playing", [0.5, 1, 2, 4].map((x) => [x, `${x}\u00d7`]), 1, (value) => {
    speed = Number(value);
    if (timer !== null) play(play());
  });
  const by = choice("Steps by", options.map(([value, text]) => [value, `by ${text}`]), way, (value) => {
    way = value;
    marks();
    page.arrange();
    page.go(stops().findLast((stop) => stop <= page.now()));
  });
  by.hidden = options.length < 2;
  const help = element("div", { class: "help", role: "dialog", "aria-label": "Keys", tabindex: "-1" },
    element("dl", {}, ...HELP.flatMap(([keys, what]) => [element("dt", {}, keys), element("dd", {}, what)])));
  help.hidden = true;
  const bar = element("div", { class: "bar" },
    element("div", { class: "moves" }, ...Object.values(buttons)),
    element("div", { class: "timeline" }, slider, phases), count,
    element("div", { class: "choices" }, by, speeds, quiz, button("out", "Zoom out (-)"), button("in", "Zoom in (+)"),
      button("fit", "Fit (0, f)"), button("full", "Full screen"), button("help", "Keys (?)", "?")));

  const stops = () => page.quiz.on ? ways.node : ways[way];
  const at = () => stops().findLastIndex((stop) => stop <= page.now());

  // The phases below the slider, each as wide as it has steps.
  function marks() {
    slider.max = stops().length - 1;
    phases.replaceChildren(...["forward", "backward", "update"].map((phase) => {
      const share = stops().slice(1).filter((stop) => steps[stop - 1].phase === phase).length;
      return share ? element("span", { "data-phase": phase, style: `flex-grow:${share}` }, phase) : "";
    }));
  }

  function stop() {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    playing(false);
  }
  function playing(on) {
    buttons.play.replaceChildren(icon(on ? "pause" : "play"));
    buttons.play.setAttribute("aria-label", on ? "Pause" : "Play");
    page.step.setAttribute("aria-live", on ? "off" : "polite");
  }
  function play() {
    if (timer !== null) return stop();
    page.live.stop?.();
    if (page.now() === steps.length) page.go(0);
    playing(true);
    timer = setInterval(() => {
      if (!page.host.isConnected || at() >= stops().length - 1) return stop();
      const before = page.now();
      actions.next();
      if (at() >= stops().length - 1 || page.now() === before) stop();
    }, PACE / speed);
  }

  const to = (i) => page.go(stops()[Math.max(0, Math.min(stops().length - 1, i))]);
  const actions = {
    first: () => to(0), previous: () => to(at() - 1), next: () => to(at() + 1), last: () => to(Infinity), play,
    in: () => page.view.zoom(1.25), out: () => page.view.zoom(0.8), fit: () => page.view.fit(), full,
    help: () => {
      help.hidden = !help.hidden;
      (help.hidden ? frame : help).focus({ preventScroll: true });
    },
    quiz: () => {
      page.live.stop?.();
      page.quiz.turn(!page.quiz.on);
      page.live.hide(page.quiz.on);
      marks();
      page.arrange();
    },
  };
  function act(name) {
    if (["first", "previous", "next", "last", "quiz"].includes(name)) stop();
    actions[name]();
  }

  function full() {
    if (document.fullscreenElement || frame.classList.contains("full")) {
      if (document.fullscreenElement) document.exitFullscreen();
      frame.classList.remove("full");
      page.arrange();
    } else {
      const fill = () => { frame.classList.add("full"); page.arrange(); };
      document.fullscreenEnabled ? frame.requestFullscreen().then(fill, fill) : fill();
    }
  }
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement) frame.classList.remove("full");
    page.arrange();
  });

  frame.addEventListener("click", (event) => {
    const name = event.target.closest("[data-do]")?.dataset.do;
    if (name) act(name);
  });
  slider.addEventListener("input", () => { stop(); to(Number(slider.value)); });
  const nearby = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] };
  frame.addEventListener("keydown", (event) => {
    const { key, shiftKey } = event, target = event.composedPath()[0];
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (key === "Escape" && !help.hidden) act("help");
    else if (key === "Escape" && frame.classList.contains("full")) full();
    else if (key === "Escape" || key === "Tab") return;
    event.stopPropagation(); // no key falls through to a notebook
    if (target.matches("select, input:not([type=range])")) return;
    if ([" ", "Enter"].includes(key) && target.matches("button")) return;
    if ([" ", "Enter"].includes(key) && target.matches("g[data-box]")) page.open(Number(target.dataset.box));
    else if (shiftKey && nearby[key]) page.view.pan(...nearby[key]);
    else if (KEYS[key]) act(KEYS[key]);
    else return;
    event.preventDefault();
  });

  // After every step: what can be done now.
  function refresh() {
    const i = at(), last = stops().length - 1, step = steps[page.now() - 1];
    slider.value = i;
    slider.setAttribute("aria-valuetext", step ? `${i} of ${last}: ${step.phase}, ${page.title.textContent}` : "start");
    slider.disabled = buttons.play.disabled = !last;
    slider.style.setProperty("--done", last ? i / last : 0);
    count.textContent = `${i} / ${last}`;
    buttons.first.disabled = buttons.previous.disabled = i === 0;
    buttons.next.disabled = buttons.last.disabled = i === last;
    for (const mark of phases.children) mark.classList.toggle("now", mark.dataset.phase === step?.phase);
    quiz.setAttribute("aria-pressed", String(page.quiz.on));
    by.disabled = page.quiz.on;
    if (page.root.activeElement?.disabled) frame.focus({ preventScroll: true }); // or keys would be lost
  }

  return { bar, help, marks, stop, refresh, stops, get way() { return page.quiz.on ? "node" : way; } };
}
