// How are leaves moved, and what did it do? Dragging, typing, gradient descent; old numbers, promise and truth.

// How far a pixel moves a number: a hundredth of its power of ten, or a thousandth.
function stride(x, isFine) {
  return 10 ** (Math.floor(Math.log10(Math.max(Math.abs(x), 1))) - (isFine ? 3 : 2));
}

// A number that is dragged or pressed on is a multiple of its stride, without the digits that rounding adds.
function movedBy(x, strides, isFine, start = x) {
  const step = stride(start, isFine);
  return Number((Math.round(x / step + strides) * step).toPrecision(12));
}

// Where to begin, if a number is none from which one can go up or down.
function finite(x) {
  return Number.isFinite(x) ? x : 0;
}

// The page has {model, engine, picture, livePanel, now(), go(k)}.
function makeLive(page) {
  const { model, engine, picture, livePanel: panel } = page, { nodes, root, precision, boxes } = model;
  if (model.live !== true) {
    panel.textContent = model.live;
    return { show() {}, stop() {}, hide() {}, take() {} };
  }
  panel.classList.add("live");
  panel.innerHTML = '<select aria-label="leaf"></select><input aria-label="its number"><button title="a step of gradient descent; hold for more">descend</button>'
    + '<button title="steps of gradient descent until it is pressed again">run</button><label>lr <input aria-label="learning rate"></label>'
    + '<button title="all numbers as they were">reset</button><span class="curve" hidden><b></b> <svg role="img" viewBox="0 0 120 28" width="120" height="28">'
    + '<path fill="none" stroke="currentColor"/></svg> <b></b></span><p class="promise" role="status"></p>';
  const find = (names) => panel.querySelectorAll(names), [choice, curve, line] = find("select, .curve, path"), [said] = find("p");
  const [number, rate] = find("input"), [descendButton, runButton, resetButton] = find("button"), [first, last] = find("b");
  const view = (x) => shown(x, precision), refresh = () => page.go(page.now());
  const isUpdated = () => page.now() > page.end, numberOf = (i) => engine.known(`v${i}`, page.now());
  let chosen = engine.leaves[0], history = [], timer = 0, hold = 0, isHeld = false, isTouched = false, drag = null;
  for (const i of engine.leaves) choice.add(new Option(nodes[i][1], i));

  // A problem, or what the last change did.
  function say(problem) {
    const change = engine.change();
    const text = problem || (isUpdated() ? "After an update: what you move now goes on from these numbers."
      : change ? saidOf(change) : "Drag a leaf sideways (finer with Shift), or type its number.");
    said.classList.toggle("problem", !!problem);
    said.ariaLive = timer || drag ? "off" : "polite";
    if (said.textContent !== text) said.textContent = text;
  }

  function saidOf({ was, is, promised, moves }) {
    const [[i, gradient, by]] = moves.length === 1 ? moves : [[]];
    const why = moves.length === 1 ? ` = ${view(gradient)} * ${view(by)} (grad ${nodes[i][1]} * its change)` : " (each leaf's gradient * its change, added up)";
    return `${nodes[root][1]} was ${view(was)}, is ${view(is)}: the gradient promised ${view(promised)}${why}, it was ${view(is - was)}. Promises hold for small changes.`;
  }

  // Before a leaf moves: who has seen an update goes on from its numbers, with all gradients in sight.
  function begin() {
    stop();
    if (isUpdated()) {
      engine.descend();
      page.go(page.end);
    }
    engine.mark();
  }

  function set(x) {
    engine.set(chosen, x);
    history = [];
    refresh();
  }

  // Makes an input a field of numbers: Enter takes what is typed, Escape leaves it, the arrows up and down move it.
  function field(input, read, write) {
    let written = "";
    const show = (isSettled) => {
      if (isSettled || input.value === written) input.value = written = shown(read(), 6); // else somebody is typing
    };
    input.autocomplete = "off";
    input.onkeydown = (event) => {
      const { key } = event, isEdited = input.value !== written, strides = { ArrowUp: 10, ArrowDown: -10 }[key];
      const x = strides ? movedBy(finite(read()), strides, event.shiftKey) : parsed(input.value);
      if (key === "Escape" && isEdited) say();
      else if (key === "Enter" && isEdited && x === undefined) return say(refusal(input.value));
      else if (strides || (key === "Enter" && isEdited)) write(x);
      else return;
      show(true);
      event.preventDefault();
      event.stopPropagation();
    };
    return show;
  }

  const showNumber = field(number, () => numberOf(chosen), (x) => {
    begin();
    set(x);
  });
  const showRate = field(rate, () => engine.lr, (x) => {
    engine.lr = x;
    refresh();
  });

  function choose(i) {
    [chosen, isTouched] = [i, true];
    choice.value = i;
    showNumber(true);
    mark();
  }

  // Gradient descent

  function descend() {
    if (isUpdated()) {
      engine.descend();
      history = [];
      page.go(page.end);
    }
    if (!history.length) history.push(engine.number(`v${root}`));
    engine.descend();
    history.push(engine.number(`v${root}`));
    refresh();
    const [is, was] = [history.at(-1), history.at(-2)], name = nodes[root][1];
    if (!timer || (Number.isFinite(is) && is !== was)) return;
    stop();
    say(is === was ? `${name} no longer changes: stopped.` : `${name} is ${view(is)}: stopped. Press reset, and try a smaller lr.`);
  }

  function run() {
    timer = setInterval(() => panel.isConnected ? descend() : stop(), 100);
    runButton.textContent = "stop";
    descend();
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    runButton.textContent = "run";
    say();
  }

  runButton.onclick = () => timer ? stop() : run();
  descendButton.onpointerdown = ({ pointerId }) => {
    descendButton.setPointerCapture(pointerId); // it is held even if it moves away under the pointer
    stop();
    isHeld = false;
    hold = setTimeout(() => {
      isHeld = true;
      run();
    }, 400);
  };
  descendButton.onpointerup = descendButton.onpointercancel = () => {
    clearTimeout(hold);
    if (isHeld) stop();
  };
  descendButton.onclick = () => {
    if (!isHeld) descend();
    isHeld = false;
  };
  resetButton.onclick = () => {
    engine.reset();
    history = [];
    stop();
    showNumber(true);
    showRate(true);
    refresh();
  };
  choice.onchange = () => choose(+choice.value);
  panel.onkeydown = (event) => {
    if (event.key !== "Tab" && event.key !== "Escape") event.stopPropagation(); // these keys are not the stepper's
  };

  // The root's numbers as a line of at most 240 points. What is not finite leaves a gap.
  function drawCurve() {
    const end = history.length - 1, every = Math.ceil(end / 240), drawn = history.filter((x, i) => i % every === 0 || i === end);
    curve.hidden = end < 1;
    if (end < 1) return;
    const halves = drawn.map((x) => x / 2), known = halves.filter(Number.isFinite); // so that no difference overflows
    const low = Math.min(...known), span = Math.max(...known) - low || 1, width = 118 / (halves.length - 1);
    const points = halves.map((x, i) => Number.isFinite(x) ? `${(1 + i * width).toFixed(1)} ${(26 - 24 * ((x - low) / span)).toFixed(1)}` : "");
    line.setAttribute("d", points.map((point, i) => point && (points[i - 1] ? "L" : "M") + point).join(""));
    [first.textContent, last.textContent] = [view(history[0]), view(history[end])];
    line.parentNode.ariaLabel = `${nodes[root][1]} over ${end} steps: from ${view(history[0])} to ${view(history[end])}`;
  }

  // The picture

  const weights = new Map(model.arrows.map((arrow) => [arrow.name, arrow.leaf])), isLeaf = (i) => engine.leaves.includes(i);
  const groups = "[data-box], [data-arrow]", textsOf = (group) => [...group.querySelectorAll("text:not(.was)")];
  // For each line of a box, the node whose number stands in it, or -1; of an arrow, its weight.
  function nodesOf({ dataset: { box, arrow } }) {
    if (arrow) return [weights.get(arrow) ?? -1];
    return boxes[box].lines.map((text) => +(text.find((part, i) => i % 2 && part[0] === "v") || "v-1").slice(1));
  }

  // The leaf at a pointer: that of a leaf's box or of an arrow, or that whose line it is in another box; or undefined.
  function leafAt({ target, clientY }) {
    const group = target.closest(groups);
    if (!group) return undefined;
    const own = nodesOf(group), line = textsOf(group).findIndex((text) => {
      const { top, bottom } = text.getBoundingClientRect();
      return top - 1 <= clientY && clientY <= bottom + 1;
    });
    return (isSeveral(boxes[group.dataset.box]) ? [own[line]] : own).find(isLeaf);
  }

  picture.addEventListener("pointerdown", (event) => {
    const leaf = event.button || panel.hidden ? undefined : leafAt(event);
    if (leaf === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the picture stays where it is
    choose(leaf);
    const start = finite(numberOf(leaf));
    drag = { id: event.pointerId, at: event.clientX, x: start, start, isMoved: false };
    picture.setPointerCapture(event.pointerId);
  }, true);
  picture.addEventListener("pointermove", ({ pointerId, clientX, shiftKey }) => {
    if (pointerId !== drag?.id || (!drag.isMoved && Math.abs(clientX - drag.at) < 3)) return;
    if (!drag.isMoved) begin();
    drag.x += (clientX - drag.at) * stride(drag.start, shiftKey);
    [drag.at, drag.isMoved] = [clientX, true];
    set(movedBy(drag.x, 0, shiftKey, drag.start));
    showNumber(true);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    picture.addEventListener(end, ({ pointerId, pointerType }) => {
      if (pointerId !== drag?.id) return;
      const isClick = !drag.isMoved && pointerType !== "touch";
      drag = null;
      say();
      if (!isClick) return;
      edit();
    });
  }

  // Now it can be typed.
  function edit() {
    number.focus({ preventScroll: true });
    number.select();
  }

  // What an old number may not cover: boxes, texts, and the borders of frames. Attributes say where they are: to measure
  // would cost a layout of the page.
  const fixed = new WeakMap(), placeOf = (shape) => ["x", "y", "width", "height"].map((side) => +shape.getAttribute(side));
  function areaOfText(text, x, y, anchor) {
    const width = 6.4 * text.length, left = x - width * { start: 0, middle: 0.5, end: 1 }[anchor];
    return [left, y - 9, left + width, y + 2];
  }
  function obstacles() {
    const svg = picture.querySelector("svg.autograd");
    if (fixed.has(svg)) return fixed.get(svg);
    const found = [...svg.querySelectorAll("text:not(.was)")].map((text) => (
      areaOfText(text.textContent.trim() || "123456", ...placeOf(text).slice(0, 2), text.getAttribute("text-anchor") ?? "middle")));
    for (const rect of svg.querySelectorAll(".box rect, .frame rect")) {
      const [x, y, width, height] = placeOf(rect), isBox = rect.closest(".box");
      found.push(...(isBox ? [[x - 2, y - 2, x + width + 2, y + height + 2]] : [[x, y, x + width, y + 1], [x, y + height - 1, x + width, y + height]]));
    }
    fixed.set(svg, found);
    return found;
  }

  // Writes the old number of what has changed below or above its box, or beside a weight, where there is room.
  function mark() {
    const k = page.now(), [left, top, across, down] = placeOf(picture.querySelector(".paper")), taken = [...obstacles()];
    const oldText = (i) => {
      const old = engine.old(i, k), now = i >= 0 ? engine.known(`v${i}`, k) : undefined;
      return old === undefined || now === undefined || view(old) === view(now) ? "" : view(old);
    };
    const isFree = ([l, t, r, b]) => l >= left && t >= top && r <= left + across && b + 2 <= top + down
      && !taken.some((area) => l < area[2] && r > area[0] && t < area[3] && b > area[1]);
    for (const text of picture.querySelectorAll(".was")) text.remove();
    for (const group of picture.querySelectorAll(groups)) {
      const own = panel.hidden ? [] : nodesOf(group), place = group.querySelector(group.dataset.box ? "rect:not(.halo, .gap)" : "text");
      group.classList.toggle("grab", own.some(isLeaf));
      group.classList.toggle("chosen", own.includes(chosen) && isTouched);
      // On lines there is room for one old number: that of the weight that was chosen.
      const changed = own.filter((i) => (group.dataset.box || (i === chosen && isTouched)) && oldText(i));
      const i = changed.includes(chosen) ? chosen : changed.at(-1);
      if (!place || i === undefined) continue;
      // A line that is not the box's result has its name: "b was 0.5".
      const name = i === own.findLast((j) => j >= 0) ? "" : boxes[group.dataset.box].lines[own.indexOf(i)][0];
      const [x, y, width, height] = placeOf(place), words = `${name}was ${oldText(i)}`, bottom = y + height + 12;
      const places = height
        ? [[x + width, bottom, "end"], [x + width, y - 4, "end"], [x + width + 5, y + height, "start"], [x + width + 5, y + 9, "start"], [x, bottom, "start"], [x, y - 4, "start"]]
        : [[x + 24, y, "start"], [x - 24, y, "end"], [x, y - 12, "middle"], [x, y + 13, "middle"]];
      const free = places.find((one) => isFree(areaOfText(words, ...one))) ?? (i === chosen && isTouched ? places[0] : null);
      if (!free) continue;
      taken.push(areaOfText(words, ...free));
      const text = document.createElementNS(group.namespaceURI, "text");
      ["x", "y", "text-anchor"].forEach((key, side) => text.setAttribute(key, free[side]));
      text.setAttribute("class", "was");
      text.textContent = words;
      group.append(text);
    }
  }

  return {
    stop,
    // Chooses the leaf of a box or an arrow; says whether it has one of its own.
    take(group) {
      const leaf = panel.hidden || isSeveral(boxes[group.dataset.box]) ? undefined : nodesOf(group).find(isLeaf);
      if (leaf === undefined) return false;
      choose(leaf);
      edit();
      return true;
    },
    hide(isHidden) {
      stop();
      panel.hidden = isHidden;
      mark();
    },
    // After the picture was filled anew.
    show() {
      showNumber();
      showRate();
      drawCurve();
      say();
      mark();
    },
  };
}
