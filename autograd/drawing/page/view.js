// What does the picture show at a step, and which part of it is in the window?

// The type of a picture has 11 px as it is laid out, and at rest never less than 9. A small picture is shown larger.
const LEAST = 9 / 11, LARGEST = 1.5, NEAREST = 4;
// Milliseconds that a move of the window over the picture takes.
const MOVING = 260;

// An element; its children are texts or elements.
function element(tag, attributes = {}, ...children) {
  return filledElement(document.createElement(tag), attributes, children);
}
function svgElement(tag, attributes = {}, ...children) {
  return filledElement(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}
function filledElement(node, attributes, children) {
  for (const name of Object.keys(attributes)) node.setAttribute(name, attributes[name]);
  node.append(...children);
  return node;
}

// One picture as elements, with the places of its boxes and arrows: [left, top, right, bottom].
function pictureFrom(text, label, model) {
  const svg = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
  const [left, top, width, height] = svg.getAttribute("viewBox").split(/[\s,]+/).map(Number);
  svg.querySelectorAll("style, title").forEach((node) => node.remove());
  for (const name of ["width", "height", "style"]) svg.removeAttribute(name);
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", label);
  svg.setAttribute("preserveAspectRatio", "xMidYMid meet");
  const groups = { box: new Map(), arrow: new Map() };
  for (const kind of ["box", "arrow"]) {
    for (const group of svg.querySelectorAll(`g[data-${kind}]`)) {
      const name = group.dataset[kind];
      group.classList.remove("positive", "negative", "alarm", "none", "pending");
      groups[kind].set(name, [...(groups[kind].get(name) || []), group]);
    }
  }
  function part(kind, name, described) {
    const found = groups[kind].get(String(name));
    if (!found) return null;
    const texts = found.flatMap((group) => [...group.querySelectorAll("text")]);
    const shape = found[0].querySelector(kind === "box" ? "rect, text" : ".line");
    const written = described.lines.map((line, i) => ({ line, codes: line.filter((_, j) => j % 2), text: texts[i], numbers: null }));
    return { groups: found, shape, written: written.filter((entry) => entry.text && entry.codes.length), area: areaOf(shape), marks: {} };
  }
  const boxes = model.boxes.map((box, i) => part("box", i, box));
  const arrows = model.arrows.map((arrow) => part("arrow", arrow.name, arrow));
  return { svg, left, top, width, height, boxes, arrows };
}

// The area of a rectangle, or of a path: a curve lies between its points.
function areaOf(shape) {
  const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(shape.getAttribute(name)));
  if (shape.tagName !== "path") return [x, y, x + width, y + height];
  const points = shape.getAttribute("d").match(/-?[\d.]+(?:e-?\d+)?/g).map(Number);
  const xs = points.filter((_, i) => i % 2 === 0), ys = points.filter((_, i) => i % 2);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function union(areas) {
  return [0, 1, 2, 3].map((side) => Math[side < 2 ? "min" : "max"](...areas.map((area) => area[side])));
}

// How thick a line is for a gradient: logarithmic, over six powers of ten below the largest.
function thickness(x, largest) {
  if (x === undefined || x === 0) return 1;
  if (!Number.isFinite(x)) return 3;
  return 1 + 2.5 * Math.min(1, Math.max(0, 1 + Math.log10(Math.abs(x) / largest) / 6));
}

function signOf(x) {
  if (!x && !Number.isNaN(x)) return "none";
  return Number.isFinite(x) ? x > 0 ? "positive" : "negative" : "alarm";
}

function makeView(page) {
  const { model, engine, picture } = page;
  const sources = [page.source, ...Object.values(model.pictures || {})], made = [];
  const map = svgElement("svg", { class: "overview", "aria-hidden": "true" });
  const seen = svgElement("rect", { class: "seen" }), outline = svgElement("path");
  map.append(outline, seen);
  picture.append(map);
  let shown = null; // the picture that is shown
  let camera = { x: 0, y: 0, scale: 1 }, rest = 1, whole = 1, moving = 0, state = null;

  const pictureNumber = (i) => made[i] ||= pictureFrom(sources[i], page.label, model);
  // The line for an operand: the one with its name, or the one that stands for several between the same boxes.
  const boxOf = (node) => model.boxes.findIndex(({ nodes }) => nodes.includes(node)), lines = new Map(model.arrows.map(({ name }, i) => [name, i]));
  function lineOf(name) {
    if (!lines.has(name)) {
      const [, node, slot] = name.split("_").map(Number), tail = boxOf(model.nodes[node][3][slot]), head = boxOf(node);
      lines.set(name, model.arrows.findIndex((arrow) => arrow.tail === tail && arrow.head === head));
    }
    return lines.get(name);
  }
  const clamped = (x, least, most) => Math.min(Math.max(x, least), Math.max(least, most));

  // Texts, colours, widths and marks

  // Writes the texts whose numbers changed: it is these that cost time.
  function write(part, k) {
    let known = true, finite = true;
    for (const entry of part.written) {
      const numbers = entry.codes.map((code) => engine.known(code, k));
      known &&= !numbers.includes(undefined);
      finite &&= numbers.every((x) => x === undefined || Number.isFinite(x));
      if (entry.numbers && numbers.every((x, i) => Object.is(x, entry.numbers[i]))) continue;
      entry.numbers = numbers;
      let i = 0;
      entry.text.textContent = numbers.includes(undefined) ? " " : filled(entry.line, () => shownNumber(numbers[i++]));
    }
    return { known, finite };
  }
  const shownNumber = (x) => page.shown(x);

  function mark(part, name, on) {
    if (Boolean(part.marks[name]) === on) return;
    part.marks[name] = on;
    for (const group of part.groups) group.classList.toggle(name, on);
  }

  function halo(part, on) {
    if (Boolean(part.halo) === on) return;
    if (on) {
      part.halo = part.shape.cloneNode();
      part.halo.setAttribute("class", "halo");
      part.shape.before(part.halo);
    } else {
      part.halo.remove();
      part.halo = null;
    }
  }

  function dress(parts, described, k, chosen) {
    const end = Math.max(k, page.end);
    const sizes = described.map(({ colour }) => colour ? Math.abs(engine.known(colour, end)) : 0).filter(Number.isFinite);
    const largest = sizes.reduce((most, x) => Math.max(most, x), 0);
    parts.forEach((part, i) => {
      if (!part) return;
      const { colour } = described[i], x = colour ? engine.known(colour, k) : undefined;
      const { known, finite } = write(part, k), sign = finite ? signOf(x) : "alarm", width = thickness(x, largest).toFixed(2);
      for (const name of ["positive", "negative", "alarm", "none"]) mark(part, name, sign === name);
      if (part.width !== width) part.groups[0].style.setProperty("--w", part.width = width);
      chosen(part, i, known);
    });
  }

  function show(next) {
    state = next;
    const { k } = state, lit = new Set([...state.arrows].map(lineOf)), computed = ({ nodes }) => !nodes.length || nodes.some((i) => engine.known(`v${i}`, k) !== undefined);
    dress(shown.boxes, model.boxes, k, (part, i) => {
      const current = state.boxes.has(i);
      mark(part, "current", current);
      halo(part, current);
      mark(part, "receiving", state.receivers.has(i) && !current);
      mark(part, "pending", !computed(model.boxes[i]));
    });
    dress(shown.arrows, model.arrows, k, (part, i) => {
      mark(part, "lit", lit.has(i));
      halo(part, lit.has(i));
      mark(part, "pending", Boolean(shown.boxes[model.arrows[i].head]?.marks.pending));
    });
    reveal();
  }

  // The window over the picture

  function look({ x, y, scale }) {
    const width = picture.clientWidth / scale, height = picture.clientHeight / scale;
    // Where there is more room than picture, it stands in the middle.
    const inside = (at, size, from, extent) => size >= extent ? from - (size - extent) / 2 : clamped(at, from, from + extent - size);
    camera = { x: inside(x, width, shown.left, shown.width), y: inside(y, height, shown.top, shown.height), scale };
    shown.svg.setAttribute("viewBox", `${camera.x} ${camera.y} ${width} ${height}`);
    const larger = width < shown.width * 0.99 || height < shown.height * 0.99;
    picture.classList.toggle("larger", larger);
    if (!larger) return;
    for (const [name, value] of Object.entries({ x: camera.x, y: camera.y, width, height })) seen.setAttribute(name, value);
  }

  function move(target) {
    cancelAnimationFrame(moving);
    const from = camera, began = performance.now();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches || document.hidden;
    if (still || Math.abs(target.x - from.x) + Math.abs(target.y - from.y) + Math.abs(target.scale - from.scale) < 0.01) return look(target);
    const frame = () => {
      const share = clamped((performance.now() - began) / MOVING, 0, 1), eased = share * share * (3 - 2 * share);
      const between = (name) => from[name] + (target[name] - from[name]) * eased;
      look({ x: between("x"), y: between("y"), scale: between("scale") });
      if (share < 1) moving = requestAnimationFrame(frame);
    };
    moving = requestAnimationFrame(frame);
  }

  // What the step touches comes into view: by a move, or from further away if it is too large.
  function reveal() {
    const areas = [
      ...[...state.boxes, ...state.receivers].map((i) => shown.boxes[i]), ...shown.arrows.filter((part) => part?.marks.lit),
    ].filter(Boolean).map((part) => part.area);
    if (!areas.length || !picture.clientWidth) return;
    const margin = 10, [left, top, right, bottom] = union(areas).map((x, side) => x + (side < 2 ? -margin : margin));
    const scale = Math.min(rest, picture.clientWidth / (right - left), picture.clientHeight / (bottom - top));
    const width = picture.clientWidth / scale, height = picture.clientHeight / scale;
    move({ x: clamped(camera.x, right - width, left), y: clamped(camera.y, bottom - height, top), scale });
  }

  function zoom(factor, clientX, clientY) {
    cancelAnimationFrame(moving);
    const frame = picture.getBoundingClientRect();
    const dx = clientX === undefined ? frame.width / 2 : clientX - frame.left;
    const dy = clientY === undefined ? frame.height / 2 : clientY - frame.top;
    const scale = rest = clamped(camera.scale * factor, Math.min(whole, 0.5), NEAREST);
    look({ x: camera.x + dx / camera.scale - dx / scale, y: camera.y + dy / camera.scale - dy / scale, scale });
  }

  function pan(dx, dy) {
    cancelAnimationFrame(moving);
    look({ x: camera.x + dx / camera.scale, y: camera.y + dy / camera.scale, scale: camera.scale });
  }

  function fit() {
    rest = whole;
    move({ x: shown.left, y: shown.top, scale: whole });
  }

  // How large a picture can be shown as a whole.
  const scaleOf = ({ width: w, height: h }, width, height) => Math.min(width / w, height / h, LARGEST);

  // Chooses the picture for a window of this size; returns how high it wants to be.
  function choose(width, height) {
    const least = LEAST;
    let best = pictureNumber(0);
    if (scaleOf(best, width, height) < least && sources[1]) {
      const other = pictureNumber(1);
      if (scaleOf(other, width, height) > scaleOf(best, width, height)) best = other;
    }
    whole = scaleOf(best, width, height);
    if (best !== shown) {
      shown?.svg.remove();
      shown = best;
      picture.prepend(shown.svg);
      outline.setAttribute("d", shown.boxes.filter(Boolean).map(({ area: [l, t, r, b] }) => `M${l} ${t}H${r}V${b}H${l}z`).join(""));
      map.setAttribute("viewBox", `${shown.left} ${shown.top} ${shown.width} ${shown.height}`);
      const small = Math.min(130 / shown.width, 90 / shown.height);
      map.style.width = `${shown.width * small}px`;
      map.style.height = `${shown.height * small}px`;
    }
    return Math.ceil(Math.max(whole, least) * shown.height);
  }

  // After the window has another size: the whole, or the beginning where the whole would be too small to read.
  function settle() {
    cancelAnimationFrame(moving);
    rest = Math.max(whole, LEAST);
    look({ x: shown.left, y: shown.top, scale: rest });
  }

  return {
    show, zoom, pan, fit, choose, settle, map,
    get size() { return shown; },
    box: (i) => shown.boxes[i]?.groups[0],
    arrow: (name) => shown.arrows[model.arrows.findIndex((arrow) => arrow.name === name)]?.groups[0],
    // The middle of the window comes to this place of the overview.
    lookAt(clientX, clientY) {
      const frame = map.getBoundingClientRect(), width = picture.clientWidth / camera.scale, height = picture.clientHeight / camera.scale;
      cancelAnimationFrame(moving);
      look({
        x: shown.left + (clientX - frame.left) / frame.width * shown.width - width / 2,
        y: shown.top + (clientY - frame.top) / frame.height * shown.height - height / 2, scale: camera.scale,
      });
    },
  };
}

// Dragging, the wheel and two fingers.
function followPointers(page) {
  const { picture, view } = page, pointers = new Map();
  let dragging = null, apart = 0;
  const distance = () => {
    const [one, other] = [...pointers.values()];
    return Math.hypot(one[0] - other[0], one[1] - other[1]);
  };
  picture.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    view.zoom(Math.exp(-clampedWheel(event.deltaY) / 300), event.clientX, event.clientY);
  }, { passive: false });
  picture.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest("button, .grab")) return;
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    dragging = event.target.closest(".overview") ? "map" : "waits";
    if (dragging === "map") view.lookAt(event.clientX, event.clientY);
    if (pointers.size === 2) apart = distance();
  });
  picture.addEventListener("pointermove", (event) => {
    const from = pointers.get(event.pointerId), { clientX: x, clientY: y } = event;
    if (!from) return;
    if (dragging === "waits" && Math.hypot(x - from[0], y - from[1]) < 4) return; // it may become a click
    if (dragging === "waits") {
      dragging = "pan";
      picture.setPointerCapture(event.pointerId);
    }
    pointers.set(event.pointerId, [x, y]);
    if (pointers.size === 2) {
      const [one, other] = [...pointers.values()], now = distance();
      view.zoom(now / apart, (one[0] + other[0]) / 2, (one[1] + other[1]) / 2);
      apart = now;
    } else if (dragging === "map") view.lookAt(x, y);
    else view.pan(from[0] - x, from[1] - y);
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
    picture.addEventListener(name, (event) => pointers.delete(event.pointerId));
  }
  picture.addEventListener("click", (event) => {
    const box = event.target.closest("g[data-box]");
    if (box && dragging !== "pan") page.open(Number(box.dataset.box));
  });
}

const clampedWheel = (delta) => Math.max(-120, Math.min(120, delta));
