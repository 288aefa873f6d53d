// What does the picture show at a step, and which part of it is in the window?

// Type has 11 px as it is laid out, and at rest never less than 9. A small picture is shown larger.
const LEAST = 9 / 11, LARGEST = 1.5, NEAREST = 4;
// Milliseconds that the window takes to another part of the picture.
const MOVING = 260;

// An element of HTML or SVG; its children are texts or elements.
function element(tag, attributes = {}, ...children) {
  const isSVG = ["svg", "path", "rect"].includes(tag);
  const node = document.createElementNS(`http://www.w3.org/${isSVG ? "2000/svg" : "1999/xhtml"}`, tag);
  for (const name of Object.keys(attributes)) node.setAttribute(name, attributes[name]);
  node.append(...children);
  return node;
}

const clamped = (x, least, most) => Math.min(Math.max(x, least), Math.max(least, most));
const isSeveral = (box) => ["neuron", "folded"].includes(box?.kind);
const isKnown = (x) => x !== undefined;

// The area of a box, of a text (which is seldom wider), or of a curve, which lies between its points: [left, top, right, bottom].
function areaOf(shape) {
  const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(shape.getAttribute(name)));
  if (shape.tagName === "text") return [x - 32, y - 10, x + 32, y + 4];
  if (shape.tagName === "rect") return [x, y, x + width, y + height];
  const points = shape.getAttribute("d").match(/-?[\d.]+/g).map(Number), side = (k) => points.filter((_, i) => i % 2 === k);
  return [Math.min(...side(0)), Math.min(...side(1)), Math.max(...side(0)), Math.max(...side(1))];
}

// A picture: its boxes and arrows by number, each with its groups, its texts that have numbers, and its area.
function pictureFrom(text, { label, model }) {
  const svg = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
  const [left, top, width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  for (const node of svg.querySelectorAll("style, title")) node.remove();
  for (const name of ["width", "height", "style"]) svg.removeAttribute(name);
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", label);
  function part(selector, shape, { lines }) {
    const groups = [...svg.querySelectorAll(selector)], texts = groups.flatMap((group) => [...group.querySelectorAll("text")]);
    const written = lines.map((line, i) => ({ line, text: texts[i], codes: line.filter((_, j) => j % 2) }));
    for (const group of groups) group.classList.remove("positive", "negative", "alarm", "none", "pending");
    shape = groups[0].querySelector(shape);
    const areas = [shape, ...texts].map(areaOf), extremes = ["min", "min", "max", "max"];
    const area = extremes.map((name, side) => Math[name](...areas.map((one) => one[side])));
    return { groups, shape, area, written: written.filter(({ text, codes }) => text && codes.length), marks: {} };
  }
  // A neuron and a folded box can be opened, a leaf and a weight chosen.
  const name = (group, label) => Object.entries({ role: "button", tabindex: 0, "aria-label": label })
    .forEach(([key, value]) => group?.setAttribute(key, value));
  model.boxes.forEach((box, i) => {
    if (isSeveral(box) || box.kind === "leaf") name(svg.querySelector(`[data-box="${i}"]`), nameOf(box));
  });
  for (const { name: id, leaf } of model.arrows) if (leaf >= 0) name(svg.querySelector(`.label[data-arrow="${id}"]`), model.nodes[leaf][1]);
  return {
    svg, left, top, width, height,
    boxes: model.boxes.map((box, i) => part(`[data-box="${i}"]`, "rect, text", box)),
    arrows: model.arrows.map((arrow) => part(`[data-arrow="${arrow.name}"]`, ".line", arrow)),
  };
}

// How thick a line is for a gradient: logarithmic, over some powers of ten below the largest, as in all drawings.
function thickness(x, largest) {
  const { least, growth, decades, alarm } = WIDTHS;
  if (!Number.isFinite(x ?? 0)) return alarm;
  return x ? least + growth * clamped(1 + Math.log10(Math.abs(x) / largest) / decades, 0, 1) : least;
}

function mark(part, name, isOn) {
  if (!part.marks[name] === !isOn) return;
  part.marks[name] = isOn;
  for (const group of part.groups) group.classList.toggle(name, isOn);
}

// Marks what the step is about, with a halo of its shape, and a gap between the two in which its colour can be seen.
function light(part, name, isOn) {
  if (!part.marks[name] === !isOn) return;
  mark(part, name, isOn);
  if (!isOn) return part.halo.forEach((node) => node.remove());
  part.halo = ["halo", "gap"].map((name) => {
    const node = part.shape.cloneNode();
    node.setAttribute("class", name);
    part.shape.before(node);
    return node;
  });
}

function makeView(page) {
  const { model, engine, picture } = page, sources = [page.source, ...Object.values(model.pictures)], made = [];
  const seen = element("rect", { class: "seen" }), outline = element("path");
  const map = element("svg", { class: "overview", "aria-hidden": "true" }, outline, seen);
  picture.append(map);
  let drawn, state, camera = {}, rest, whole, moving;

  // Texts, colours and marks

  // The arrow of an operand: that with its name, or that which stands for several between the same boxes.
  const indices = new Map(model.arrows.map(({ name }, i) => [name, i]));
  const boxOf = (node) => model.boxes.findIndex(({ nodes }) => nodes.includes(node));
  function indexOf(name) {
    if (!indices.has(name)) {
      const [, node, slot] = name.split("_"), tail = boxOf(model.nodes[node][3][slot]), head = boxOf(Number(node));
      indices.set(name, model.arrows.findIndex((arrow) => arrow.tail === tail && arrow.head === head));
    }
    return indices.get(name);
  }

  // Writes the texts whose numbers changed: it is these that cost time. Says whether all numbers are finite.
  function write({ written }, k) {
    let isFinite = true;
    for (const entry of written) {
      const numbers = entry.codes.map((code) => engine.known(code, k));
      isFinite &&= !numbers.some((x) => isKnown(x) && !Number.isFinite(x));
      if (entry.numbers?.every((x, i) => Object.is(x, numbers[i]))) continue;
      entry.numbers = numbers;
      let i = 0;
      entry.text.textContent = numbers.every(isKnown) ? filled(entry.line, () => page.shown(numbers[i++])) : " ";
    }
    return isFinite;
  }

  function dress(parts, described) {
    const end = Math.max(state.k, page.end), size = ({ colour }) => colour ? Math.abs(engine.known(colour, end)) : 0;
    const largest = Math.max(...described.map(size).filter(Number.isFinite));
    parts.forEach((part, i) => {
      const { colour } = described[i], x = colour ? engine.known(colour, state.k) : undefined;
      const isSound = write(part, state.k) && Number.isFinite(x ?? 0), width = `${thickness(x, largest).toFixed(2)}px`;
      const sign = !isSound ? "alarm" : x > 0 ? "positive" : x < 0 ? "negative" : "none";
      for (const name of ["alarm", "positive", "negative", "none"]) mark(part, name, sign === name);
      if (part.width !== width) part.groups[0].style.setProperty("--w", part.width = width);
    });
  }

  // state: k steps are done; boxes, arrows (names) and receivers are those of the step.
  function show(next) {
    state = next;
    if (!drawn) return;
    const { boxes, arrows } = drawn, lit = new Set([...state.arrows].map(indexOf));
    dress(boxes, model.boxes);
    dress(arrows, model.arrows);
    boxes.forEach((part, i) => {
      const { nodes } = model.boxes[i];
      light(part, "current", state.boxes.has(i));
      mark(part, "receiving", state.receivers.has(i) && !state.boxes.has(i));
      mark(part, "pending", nodes.length > 0 && !nodes.some((node) => isKnown(engine.known(`v${node}`, state.k))));
    });
    arrows.forEach((part, i) => {
      light(part, "lit", lit.has(i));
      mark(part, "pending", boxes[model.arrows[i].head].marks.pending);
    });
    reveal();
  }

  // The window

  const sizes = (scale) => [picture.clientWidth / scale, picture.clientHeight / scale];

  function look(x, y, scale) {
    const [width, height] = sizes(scale), isLarger = width < drawn.width * 0.99 || height < drawn.height * 0.99;
    // Where there is more room than picture, it stands in the middle.
    const inside = (at, size, from, extent) => size < extent ? clamped(at, from, from + extent - size) : from - (size - extent) / 2;
    camera = { x: inside(x, width, drawn.left, drawn.width), y: inside(y, height, drawn.top, drawn.height), scale };
    drawn.svg.setAttribute("viewBox", [camera.x, camera.y, width, height].join(" "));
    picture.classList.toggle("larger", isLarger);
    for (const [name, value] of Object.entries({ x: camera.x, y: camera.y, width, height })) seen.setAttribute(name, value);
  }

  // Goes there at once, or slowly.
  function jump(x, y, scale) {
    cancelAnimationFrame(moving);
    look(x, y, scale);
  }
  function glide(x, y, scale) {
    const from = camera, began = performance.now(), isNear = Math.hypot(x - from.x, y - from.y, scale - from.scale) < 0.01;
    if (isNear || document.hidden || matchMedia("(prefers-reduced-motion: reduce)").matches) return jump(x, y, scale);
    cancelAnimationFrame(moving);
    const frame = () => {
      const share = clamped((performance.now() - began) / MOVING, 0, 1), eased = share * share * (3 - 2 * share);
      const between = (start, end) => start + (end - start) * eased;
      look(between(from.x, x), between(from.y, y), between(from.scale, scale));
      if (share < 1) moving = requestAnimationFrame(frame);
    };
    moving = requestAnimationFrame(frame);
  }

  // What the step touches comes into view, from further away if it is too large.
  function reveal() {
    const parts = [...state.boxes, ...state.receivers].map((i) => drawn.boxes[i]).concat(drawn.arrows.filter(({ marks }) => marks.lit));
    if (!parts.length || !picture.clientWidth) return;
    const start = (k, edge) => Math.max(Math.min(...parts.map(({ area }) => area[k])) - 10, edge);
    const end = (k, edge) => Math.min(Math.max(...parts.map(({ area }) => area[k])) + 10, edge);
    const left = start(0, drawn.left), top = start(1, drawn.top), right = end(2, drawn.left + drawn.width), bottom = end(3, drawn.top + drawn.height);
    const [across, down] = sizes(1), scale = Math.min(rest, across / (right - left), down / (bottom - top));
    glide(clamped(camera.x, right - across / scale, left), clamped(camera.y, bottom - down / scale, top), scale);
  }

  function zoom(factor, clientX, clientY) {
    const { left, top, width, height } = picture.getBoundingClientRect(), { x, y, scale } = camera;
    const dx = isKnown(clientX) ? clientX - left : width / 2, dy = isKnown(clientY) ? clientY - top : height / 2;
    rest = clamped(scale * factor, Math.min(whole, LEAST), NEAREST);
    jump(x + dx / scale - dx / rest, y + dy / scale - dy / rest, rest);
  }

  // Chooses the first of the windows, and the picture, in which the whole can be read, or is as large as the window
  // asks for; if there is none, the one that shows most. Returns which window, and how high the picture wants to be.
  function choose(windows, largest = LARGEST) {
    const previous = drawn;
    let chosen = 0, isFound = false;
    whole = 0;
    windows.forEach(([width, height, least = LEAST], window) => sources.forEach((source, i) => {
      if (isFound) return;
      const one = made[i] ||= pictureFrom(source, page), scale = Math.min(width / one.width, height / one.height, largest);
      if (scale > whole) [whole, drawn, chosen] = [scale, one, window];
      isFound = scale >= least;
    }));
    if (drawn !== previous) {
      previous?.svg.remove();
      picture.prepend(drawn.svg);
      outline.setAttribute("d", drawn.boxes.map(({ area: [l, t, r, b] }) => `M${l} ${t}H${r}V${b}H${l}z`).join(""));
      map.setAttribute("viewBox", [drawn.left, drawn.top, drawn.width, drawn.height].join(" "));
      const small = Math.min(130 / drawn.width, 90 / drawn.height);
      [map.style.width, map.style.height] = [drawn.width, drawn.height].map((x) => `${x * small}px`);
    }
    return [chosen, Math.ceil(Math.max(whole, LEAST) * drawn.height)];
  }

  return {
    show, zoom, choose,
    pan: (dx, dy) => jump(camera.x + dx / camera.scale, camera.y + dy / camera.scale, camera.scale),
    fit: () => glide(drawn.left, drawn.top, rest = whole),
    // The whole, or the beginning where the whole would be too small to read.
    settle: () => jump(drawn.left, drawn.top, rest = Math.max(whole, LEAST)),
    // The middle of the window comes to this place of the overview.
    lookAt(clientX, clientY) {
      const frame = map.getBoundingClientRect(), [width, height] = sizes(camera.scale);
      const share = [(clientX - frame.left) / frame.width, (clientY - frame.top) / frame.height];
      jump(drawn.left + share[0] * drawn.width - width / 2, drawn.top + share[1] * drawn.height - height / 2, camera.scale);
    },
  };
}

// The wheel, dragging and two fingers. A box is opened by a click.
function followPointers({ picture, view, open }) {
  const pointers = new Map();
  let doing, apart;
  picture.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    view.zoom(Math.exp(clamped(-event.deltaY, -120, 120) / 300), event.clientX, event.clientY);
  }, { passive: false });
  picture.onpointerdown = ({ button, target, pointerId, clientX, clientY }) => {
    if (button) return;
    pointers.set(pointerId, [clientX, clientY]);
    doing = target.closest(".overview") ? "map" : "click";
    if (doing === "map") view.lookAt(clientX, clientY);
    apart = 0;
  };
  picture.onpointermove = ({ pointerId, clientX, clientY }) => {
    const from = pointers.get(pointerId);
    if (!from || (doing === "click" && Math.hypot(clientX - from[0], clientY - from[1]) < 4)) return;
    if (doing === "click") {
      doing = "pan";
      picture.setPointerCapture(pointerId);
    }
    pointers.set(pointerId, [clientX, clientY]);
    const [one, other] = [...pointers.values()];
    if (doing === "map") view.lookAt(clientX, clientY);
    else if (!other) view.pan(from[0] - clientX, from[1] - clientY);
    else {
      const before = apart;
      apart = Math.hypot(one[0] - other[0], one[1] - other[1]);
      if (before) view.zoom(apart / before, (one[0] + other[0]) / 2, (one[1] + other[1]) / 2);
    }
  };
  picture.onpointerup = picture.onpointercancel = picture.onpointerleave = ({ pointerId }) => pointers.delete(pointerId);
  picture.onclick = ({ target }) => {
    const box = target.closest("[data-box]");
    if (box && doing === "click") open(Number(box.dataset.box));
  };
}
