// Where is everything in the stepper's picture of a network? A layer is a column, or on a narrow page a row; every line
// into it has a place for its numbers before the box that it leads to. The picture has the marks that `svg.py` writes.

const LINE = 12, MARGIN = 8, TIP = 9;

// The size of a box, with room for numbers in it: [width, height].
function sizeOfBox({ lines }, room) {
  brush.font = '11px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
  const widthOf = (line) => brush.measureText(filled(line, () => room)).width;
  return [12 + Math.max(...lines.map(widthOf)), 6 + LINE * lines.length];
}

// The sizes of a picture. "LR" has layers from left to right, "TB" from top to bottom. Everything is placed along the
// way from the inputs to the root, and across it; a slot is the place for some lines of numbers.
const WAYS = {
  LR: {
    isLR: true, gap: 8, slotAlong: (lines) => lines > 1 ? 62 : 44, slotAcross: (lines) => lines > 1 ? 31 : 20,
    point: (along, across) => [along, across],
  },
  TB: {
    isLR: false, gap: 14, slotAlong: () => 2 * LINE + 4, slotAcross: () => 58,
    point: (along, across) => [across, along],
  },
};

// The picture of a model as SVG.
function pictureOf(model, direction) {
  const way = WAYS[direction], placed = itemsOf(model, way);
  placeAcross(placed, way);
  placeAlong(placed, way);
  placeEnds(placed, way);
  return svgOf(model, placed, way);
}

// What has a place: the boxes, and for a line that passes a column a lane in it. The lines have their lanes.
function itemsOf({ boxes, arrows, precision }, { isLR }) {
  const items = boxes.map((box, i) => {
    const [width, height] = sizeOfBox(box, "-0.".padEnd(precision + 5, "8"));
    return {
      i, kind: box.kind, column: box.column, along: isLR ? width : height, across: isLR ? height : width, slots: [],
    };
  });
  const neurons = items.filter(({ kind }) => kind === "neuron");
  const widest = Math.max(...neurons.map(({ across }) => across));
  for (const item of neurons) item.across = widest;
  const lines = arrows.map((arrow) => {
    const [tail, head] = [items[arrow.tail], items[arrow.head]], lanes = [];
    for (let column = tail.column + 1; column < head.column; column += 1) {
      lanes.push({ column, along: 0, across: 10, slots: [] });
    }
    return { arrow, tail, head, lanes, texts: arrow.lines.length };
  });
  for (const line of lines) if (line.texts) line.head.slots.push(line);
  const columns = [];
  for (const item of [...items, ...lines.flatMap(({ lanes }) => lanes)]) (columns[item.column] ??= []).push(item);
  return { items, lines, columns };
}

// One after the other in each column, around its middle.
function placeAcross({ columns }, { gap, slotAcross }) {
  for (const column of columns) {
    for (const item of column) item.room = item.slots.reduce((sum, { texts }) => sum + slotAcross(texts), 0);
    const rooms = column.map(({ across, room }) => Math.max(across, room));
    let at = -rooms.reduce((sum, room) => sum + room + gap, -gap) / 2;
    column.forEach((item, k) => {
      item.c = at + rooms[k] / 2;
      at += rooms[k] + gap;
    });
  }
}

// Column after column, with room for the numbers between, or for many lines without numbers.
function placeAlong({ columns, lines }, { slotAlong }) {
  let at = 0;
  columns.forEach((column, c) => {
    const most = Math.max(0, ...column.flatMap(({ slots }) => slots.map(({ texts }) => texts))), slot = slotAlong(most);
    if (c) at += most ? 28 + slot : clamped(2 * lines.filter(({ head }) => head.column === c).length, 34, 110);
    const along = Math.max(...column.map((item) => item.along));
    for (const item of column) Object.assign(item, { a: at + along / 2, slotAlong: slot });
    at += along;
  });
}

// Where numbers stand, in the order from which the lines come, and where lines end: side by side, or if all of them fit
// where their numbers stand.
function placeEnds({ items, lines }, { slotAcross }) {
  const height = ({ tail, lanes, slot }) => slot ?? (lanes.at(-1) ?? tail).c;
  const inOrder = (some) => some.sort((one, other) => height(one) - height(other));
  for (const item of items) {
    let at = item.c - item.room / 2;
    for (const line of inOrder(item.slots)) {
      line.slot = at + slotAcross(line.texts) / 2;
      at += slotAcross(line.texts);
    }
    const ends = inOrder(lines.filter(({ head }) => head === item)), half = item.across / 2 - 5;
    const isFree = ends.every(({ slot }) => Math.abs(slot - item.c) <= half);
    const step = Math.min(14, 2 * half / (ends.length - 1 || 1));
    ends.forEach((line, k) => { line.end = isFree ? line.slot : item.c + (k - (ends.length - 1) / 2) * step; });
  }
}

// The picture as text

const digit = (x) => Math.round(x * 10) / 10;
const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

// Writes parts of a picture; `area` is what they cover: [left, top, right, bottom].
function makePen({ point }) {
  const area = [Infinity, Infinity, -Infinity, -Infinity];
  const cover = (left, top, right, bottom) => [left, top, right, bottom].forEach(
    (x, k) => { area[k] = Math[k < 2 ? "min" : "max"](area[k], x); }
  );
  return {
    area, cover,
    at: (along, across) => point(along, across).map(digit).join(","),
    rect(along, across, length, breadth, more) {
      const [x, y] = point(along - length / 2, across - breadth / 2), [width, height] = point(length, breadth);
      cover(x, y, x + width, y + height);
      return `<rect x="${digit(x)}" y="${digit(y)}" width="${digit(width)}" height="${digit(height)}" ${more}/>`;
    },
    texts(lines, along, across, lift = 0) {
      const [x, y] = point(along, across), top = y + 4 - lift - (lines.length - 1) / 2 * LINE;
      return lines.map(
        (line, k) => `<text x="${digit(x)}" y="${digit(top + k * LINE)}">${escaped(filled(line, () => ""))}</text>`
      ).join("");
    },
  };
}

// A line with its tip, and its label.
function written({ arrow, tail, head, lanes, slot, end, texts }, pen, { isLR, point }) {
  const edge = head.a - head.along / 2, to = edge - TIP - 4, from = to - head.slotAlong;
  const points = [[tail.a + tail.along / 2, tail.c], ...lanes.map(({ a, c }) => [a, c])];
  if (slot !== undefined) points.push([from, slot], [to, slot]);
  points.push([edge - TIP, end]);
  const curves = points.slice(1).map(([along, across], k) => {
    const [before, beside] = points[k], half = (along - before) / 2, [x, y] = point(along, across);
    pen.cover(x, y, x, y);
    return `C${pen.at(before + half, beside)} ${pen.at(along - half, across)} ${pen.at(along, across)}`;
  });
  const tip = `M${pen.at(edge - TIP, end - 4)}L${pen.at(edge, end)} ${pen.at(edge - TIP, end + 4)}Z`;
  const line = `<g class="arrow none" data-arrow="${arrow.name}">`
    + `<path class="line" d="M${pen.at(...points[0])}${curves.join("")}"/><path class="tip" d="${tip}"/></g>`;
  if (!texts) return [line, ""];
  const middle = (from + to) / 2, [x, y] = point(middle, slot);
  pen.cover(x - 26, y - 14, x + 26, y + 14);
  // A single text stands above a line from left to right; of two, one stands on each side of it.
  return [
    line,
    `<g class="label none" data-arrow="${arrow.name}">`
      + `${pen.texts(arrow.lines, middle, slot, isLR && texts < 2 ? 7 : 0)}</g>`,
  ];
}

function svgOf(model, { items, lines, columns }, way) {
  const pen = makePen(way), drawn = lines.map((line) => written(line, pen, way));
  const inside = model.boxes.map(({ kind, lines: texts }, i) => {
    const { a, c, along, across } = items[i], border = pen.rect(a, c, along, across, 'rx="8"');
    const inner = kind === "folded" ? pen.rect(a, c, along - 6, across - 6, 'rx="6" fill="none"') : "";
    return `<g class="box ${kind} none" data-box="${i}">`
      + `${kind === "constant" ? "" : border}${inner}${pen.texts(texts, a, c)}</g>`;
  });
  const frames = columns.map((column) => frameOf(column, pen));
  const [left, top, right, lowest] = pen.area.map((x, k) => x + (k < 2 ? -MARGIN : MARGIN));
  const words = wrappedAt(noteOf(model), (right - left) / 5.6);
  const [x, y, width, height] = [left, top, right - left, lowest + 14 * words.length - top].map(digit);
  const below = words.map(
    (line, k) =>
      `<text x="${digit(left + MARGIN)}" y="${digit(lowest + 8 + 14 * k)}" text-anchor="start">${escaped(line)}</text>`
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" class="autograd" viewBox="${x} ${y} ${width} ${height}" `
    + 'font-size="11" text-anchor="middle" font-family="system-ui,Segoe UI,Roboto,Helvetica Neue,Arial,sans-serif">'
    + `<rect class="paper" x="${x}" y="${y}" width="${width}" height="${height}"/>`
    + [
      ...frames, '<g fill="none">', ...drawn.map(([line]) => line), "</g>", ...inside,
      ...drawn.map(([, label]) => label), ...below,
    ].join("")
      + "</svg>";
}

// The frame of a layer, with what is folded of it; "" for another column.
function frameOf(column, pen) {
  if (!column.some(({ kind }) => kind === "neuron")) return "";
  const own = column.filter(({ kind }) => ["neuron", "folded"].includes(kind));
  const low = Math.min(...own.map(({ c, across }) => c - across / 2)) - 6;
  const high = Math.max(...own.map(({ c, across }) => c + across / 2)) + 6;
  const along = Math.max(...own.map((item) => item.along)) + 12;
  return `<g class="frame">${pen.rect(own[0].a, (low + high) / 2, along, high - low, 'rx="8" fill="none"')}</g>`;
}

// The line below the picture: what stands on the lines, and what colours and thickness say.
function noteOf({ arrows, boxes }) {
  const { notes } = KIT_STEPPER, isLabelled = arrows.some(({ lines, leaf }) => lines.length && leaf >= 0);
  const isMixed = isLabelled && arrows.some(({ lines }) => lines.length === 1 && lines[0].length > 1);
  return (isLabelled ? notes.labelled : notes.bare) + (isMixed ? notes.derivative : "") + notes.colours
    + (boxes.some(({ kind }) => kind === "folded") ? notes.several : "");
}

function wrappedAt(text, letters) {
  return text.split(" ").reduce((lines, word) => {
    const last = lines.at(-1);
    return last && last.length + word.length < letters ? [...lines.slice(0, -1), `${last} ${word}`] : [...lines, word];
  }, []);
}
