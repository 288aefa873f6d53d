// How does a model become a stepper? The parts of the page, and what they show together.

// The width of a panel that stands beside the picture, for type of 14 px.
const BESIDE = 340;

// The stepper of a model in the shadow tree of `host`. `source` is its picture as SVG, `label` what a screen reader calls
// it. Returns a function that ends what goes on outside of the host, and the page that its parts share.
function start(host, model, source, label) {
  const { steps } = model, ending = new AbortController(), { signal } = ending;
  const root = host.attachShadow({ mode: "open" }), engine = makeEngine(model, RULES);
  const part = (name, attributes, ...children) => element("div", { class: name, ...attributes }, ...children);
  const phase = element("span", { class: "phase" }), title = element("span", { class: "title" }), lines = part("lines");
  const further = button("further", "Scroll the text (down)", "more \u2193");
  const step = part("step", { "aria-live": "polite" }, part("head", {}, phase, title, further), lines);
  const picture = part("picture"), panel = part("questions"), livePanel = part("liveplace"), scalars = part("scalars");
  const below = part("panel", {}, part("text", {}, step, panel), scalars, livePanel);
  const named = { role: "group", tabindex: 0, "aria-label": "Back-propagation, step by step" };
  const frame = part("frame", { ...named, "data-lm-suppress-shortcuts": true });
  const end = steps.findIndex((moment) => moment.phase === "update"), colours = element("style");
  let position = 0, opened = -1, last = "";

  // end: how many steps are done when all gradients are known.
  const page = {
    host, root, frame, model, engine, picture, panel, below, livePanel, step, label, source, signal, end: end < 0 ? steps.length : end,
    shown: (x) => shown(x, model.precision), now: () => position, go, arrange, scroll, quiz: { asks: () => false },
    open: (box) => again(opened === box ? -1 : box),
  };
  const view = page.view = makeView(page), controls = makeControls(page), room = roomFor(host);
  frame.append(controls.bar, part("body", {}, picture, below), controls.help);
  root.append(element("style", {}, STYLE), colours, frame, element("slot"));

  // Goes to where k steps are done, and writes all of it: texts, marks, the panel. `box` is one that is opened.
  function go(k, box = -1) {
    const isAsked = page.quiz.on && page.quiz.stop(k) < k, stops = controls.stops();
    [position, opened] = [isAsked ? page.quiz.stop(k) : stops.findLast((stop) => stop <= k), box];
    // A question is about the step that comes; else the steps since the last stop are shown.
    const moments = isAsked ? [steps[position]] : steps.slice(stops.findLast((stop) => stop < position) ?? 0, position);
    const all = (key) => new Set(moments.flatMap((moment) => moment[key]));
    view.show({ k: position, boxes: all("box"), arrows: all("arrows"), receivers: all("receivers") });
    say(moments, isAsked);
    const touched = all("box").size === 1 ? moments[0].box : -1;
    scalars.replaceChildren(...(isAsked ? [] : tableOf(page, opened < 0 ? touched : opened, opened >= 0 && opened !== touched)));
    if (isAsked) page.quiz.ask(position);
    else page.quiz.leave();
    controls.refresh();
    page.live.show();
    if (last !== (last = `${position} ${isAsked}`)) below.scrollTop = 0;
    showFurther();
  }

  // The same step, or question.
  const again = (box) => go(position + page.quiz.asks(), box);

  // Shows whether the panel goes on below; scrolls it, and says whether there was anything to scroll.
  function showFurther() {
    const isOn = below.scrollTop + below.clientHeight < below.scrollHeight - 9;
    below.classList.toggle("further", isOn);
    further.hidden = !isOn;
  }
  function scroll(pixels) {
    const from = below.scrollTop;
    below.scrollTop += pixels;
    return from !== below.scrollTop;
  }
  below.onscroll = showFurther;

  function say(moments, isAsked) {
    const [moment] = moments, texts = isAsked ? [] : moments.flatMap((each) => each.lines);
    frame.dataset.phase = moment?.phase ?? "start";
    write(phase, frame.dataset.phase.replace(/ward$/, "ward pass"));
    write(title, moment ? titleOf(moments) : "The leaves are given. Press Next: each step computes one thing.");
    // Results stand before local derivatives.
    const isLater = (line) => moment.phase === "forward" && (/^f/.test(line[1]) || /^\.\.\./.test(line[0]));
    const made = [false, true].flatMap((is) => texts.filter((line) => isLater(line) === is)).map((line) => lineOf(page, line));
    // What stays as it is is not read out again.
    made.forEach((line, i) => {
      const old = lines.children[i];
      if (!old) lines.append(line);
      else if (old.textContent !== line.textContent) old.replaceWith(line);
    });
    while (lines.children.length > made.length) lines.lastChild.remove();
  }

  function write(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function titleOf(moments) {
    const [{ phase, title, box }] = moments;
    if (moments.length === 1 && (phase !== "forward" || !isSeveral(model.boxes[box]) || controls.stops().length > steps.length)) return title;
    const names = [...new Set([moments[0], moments.at(-1)].map((each) => nameOf(model.boxes[each.box])))], isOne = names.length < 2;
    const [one, several] = {
      forward: ["computes", "compute"], backward: ["passes its gradient on", "pass their gradients on"], update: ["moves", "move"],
    }[phase];
    return `${names.join(" \u2026 ")} ${isOne ? one : several}`;
  }

  // Bar, picture and panel together fit the room that there is, and the picture has what it wants of it. The panel is
  // below, or beside a picture that is too high for that.
  function arrange() {
    const width = frame.clientWidth, isFull = frame.classList.contains("full");
    if (!width) return;
    const isNarrow = frame.classList.toggle("narrow", width < 640);
    frame.classList.toggle("compact", width < 900);
    controls.arrange();
    const stops = controls.stops(), most = (isFull ? innerHeight : room()) - controls.bar.offsetHeight - 2;
    const linesTo = (stop, i) => steps.slice(stops[i - 1] ?? 0, stop).flatMap((each) => each.lines).length;
    // On the whole screen type grows, and lines stand in two columns.
    const isLarge = isFull && !isNarrow, type = isLarge ? parseFloat(getComputedStyle(below).fontSize) / 14 : 1;
    const text = 48 + 19 * Math.max(...stops.map(linesTo)) / (isLarge ? 1.6 : 1);
    // On a narrow page the live numbers stand below the lines.
    const wanted = type * (page.quiz.on ? text + 130 : isNarrow ? text + 120 : Math.max(text, 120));
    const least = page.quiz.on ? (isNarrow ? 215 : 150) : isNarrow ? 136 : 108;
    // The panel has more than it needs at least where the picture stays large.
    const roomy = [width, most - clamped(wanted, least, most * (isFull ? 0.36 : 0.3)), 0.95], beside = [width - BESIDE * type, most];
    const [chosen, wish] = view.choose([roomy, [width, most - least], ...(width < 720 ? [] : [beside])], isFull ? 3 : model.largest ?? LARGEST);
    const isBeside = frame.classList.toggle("beside", chosen > 1);
    const height = clamped(isFull && chosen ? most : isFull ? roomy[1] : wish, 120, isBeside ? most : most - least);
    picture.style.height = `${height}px`;
    below.style.height = `${isBeside ? height : clamped(wanted, least, most - height)}px`;
    view.settle();
    again(opened);
  }

  const dress = (isDark) => {
    frame.dataset.theme = isDark ? "dark" : "light";
    colours.textContent = THEMES[frame.dataset.theme];
  };
  page.quiz = makeQuiz(page);
  page.live = makeLive(page);
  followPointers(page);
  if (model.theme === "auto") signal.addEventListener("abort", watchTheme(host, dress));
  else dress(model.theme === "dark");
  let size = "";
  const resized = () => {
    if (size !== (size = `${frame.clientWidth} ${innerHeight}`)) arrange();
  };
  resized();
  const observer = new ResizeObserver(resized);
  observer.observe(frame);
  signal.addEventListener("abort", () => observer.disconnect());
  addEventListener("resize", resized, { signal });
  if (model.quiz) frame.querySelector("[data-do=quiz]").click();
  // On a page of its own keys work at once.
  if (document.body.dataset.page === "stepper") frame.focus({ preventScroll: true });
  return { page, end: () => ending.abort() };
}

// How high the stepper may be: as the window, or as the part of it in which a notebook scrolls. A frame may grow with
// what it holds, or be as high as the whole notebook: it is asked once for each width, and it is most of the screen.
function roomFor(host) {
  let asked, room;
  return () => {
    const isInside = self !== top, now = isInside ? innerWidth : `${innerWidth} ${innerHeight}`;
    if (asked === now) return room;
    asked = now;
    const most = screen.availHeight * 0.75;
    room = !isInside ? innerHeight : innerHeight < 360 ? most : Math.min(innerHeight, most);
    for (let node = host; node && node !== document.body; node = node.parentElement ?? node.getRootNode().host) {
      if (isWindow(node, host)) room = Math.min(room, node.clientHeight);
    }
    return room = Math.max(360, room - (document.body.dataset.page === "stepper" ? 44 : 20));
  };
}

// Whether an element scrolls in a height of its own. One that scrolls to the sides only is as high as what is in it.
function isWindow(node, host) {
  const height = node.clientHeight;
  if (height < 300 || !/auto|scroll/.test(getComputedStyle(node).overflowY)) return false;
  host.style.paddingBottom = "9px";
  const isFixed = node.clientHeight === height;
  host.style.paddingBottom = "";
  return isFixed;
}

const nameOf = (box) => box.lines[0].join("");

// A line of the panel. A formula that stands for another, exact one has a button that shows it.
function lineOf(page, line) {
  const number = (code) => page.shown(page.engine.number(code));
  const written = (letter) => filled(line, (code) => {
    return code[0] === "f" ? formula(page, letter + code.slice(1)) : code[0] === "z" ? formula(page, code) : number(code);
  });
  const text = new Text(written("f")), code = line.find((part, i) => i % 2 && part[0] === "f"), paragraph = element("p", {}, text);
  const button = element("button", { type: "button", class: "exact", "aria-pressed": false }, "exact formula");
  if (code && formula(page, `e${code.slice(1)}`)) paragraph.append(" ", button);
  button.onclick = () => {
    const isOn = button.ariaPressed === "false";
    button.ariaPressed = isOn;
    text.data = written(isOn ? "e" : "f");
  };
  return paragraph;
}

// The scalars in a neuron, product by product, or those in a folded box.
function tableOf({ model, engine, shown, now }, box, isOther) {
  if (box < 0) return [];
  const number = (code) => engine.known(code, now()), text = (x) => isKnown(x) ? shown(x) : "", { nodes } = model.boxes[box];
  let rows = model.arrows.filter(({ head, leaf }) => head === box && leaf >= 0).map(({ name, leaf }) => {
    const [, node, slot] = name.split("_"), operand = model.nodes[node][3][slot], w = number(`v${leaf}`);
    // An input is a node, or a plain number with a name.
    const isNode = typeof operand === "number", x = isNode ? number(`v${operand}`) : fromJSON(operand[0]);
    const label = isNode ? model.nodes[operand][1] : operand[1] ?? "", passed = isNode ? number(`c${node}.${slot}`) : undefined;
    return [`${label} ${text(x)}`, text(w), isKnown(x) ? shown(w * x) : "", text(number(`g${leaf}`)), text(passed)];
  });
  const nodeRow = (i) => [model.nodes[i][1], text(number(`v${i}`)), text(number(`g${i}`))];
  if (rows.length) rows.unshift(["input", "weight", "product", "grad weight", "to input"]);
  else if (nodes.length > 1) rows = [["", "data", "grad"], ...nodes.slice(0, 100).map(nodeRow)];
  else return [];
  const isFilled = (_, column) => rows.slice(1).some((row) => row[column]);
  const body = rows.map((row, i) => element("tr", {}, ...row.filter(isFilled).map((cell) => element(i ? "td" : "th", {}, cell))));
  const name = nameOf(model.boxes[box]), caption = isOther ? [element("caption", {}, `in ${name}`)] : [];
  return [element("table", { "aria-label": `The numbers of ${name}` }, ...caption, ...body)];
}
