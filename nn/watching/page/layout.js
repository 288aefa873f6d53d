// Where is everything in the stepper's picture of a network? A layer is a column, or on a narrow page a row; every line
// into it has a place for its numbers before the box that it leads to. The picture has the marks that `svg.py` writes.

const LINE = 12, GAP = 14, MARGIN = 8, TIP = 9;

// The size of a box, with room for numbers in it: [width, height].
function sizeOfBox({ lines }, room) {
  brush.font = '11px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
  const widthOf = (line) => brush.measureText(filled(line, () => room)).width;
  return [12 + Math.max(...lines.map(widthOf)), 6 + LINE * lines.length];
}

// The picture of a model as SVG. "LR" has layers from left to right, "TB" from top to bottom. Inside, everything is
// placed along the way from the inputs to the root, and across it.
function pictureOf(model, direction) {
  const { boxes, arrows } = model, isLR = direction === "LR", point = (along, across) => isLR ? [along, across] : [across, along];
  const sizes = boxes.map((box) => sizeOfBox(box, "-0.".padEnd(model.precision + 5, "8")));
  const [slotAlong, slotAcross] = isLR ? [62, (lines) => lines > 1 ? 28 : 20] : [2 * LINE + 4, () => 58];
  const items = boxes.map((box, i) => ({ i, column: box.column, along: sizes[i][isLR ? 0 : 1], across: sizes[i][isLR ? 1 : 0] }));
  const widest = Math.max(...items.map(({ i, across }) => boxes[i].kind === "neuron" ? across : 0));
  for (const item of items) if (boxes[item.i].kind === "neuron") item.across = widest;
  // A line that passes a column has a lane in it.
  const ways = arrows.map((arrow) => {
    const from = boxes[arrow.tail].column, to = boxes[arrow.head].column, lanes = [];
    for (let column = from + 1; column < to; column += 1) lanes.push(items[items.push({ column, along: 0, across: 10 }) - 1]);
    return { arrow, lanes };
  });
  const columns = [];
  for (const item of items) (columns[item.column] ??= []).push(item);
  const labelled = (head) => ways.filter(({ arrow }) => arrow.head === head && arrow.lines.length);
  for (const column of columns) {
    for (const item of column) {
      item.slots = item.i === undefined ? [] : labelled(item.i);
      item.room = item.slots.reduce((sum, { arrow }) => sum + slotAcross(arrow.lines.length), 0);
    }
    const total = column.reduce((sum, item) => sum + Math.max(item.across, item.room) + GAP, -GAP);
    let at = -total / 2;
    for (const item of column) {
      const room = Math.max(item.across, item.room);
      item.c = at + room / 2;
      at += room + GAP;
    }
  }
  let a = 0;
  columns.forEach((column, c) => {
    const count = ways.filter(({ arrow }) => boxes[arrow.head].column === c).length;
    if (c) a += column.some(({ slots }) => slots.length) ? 34 + slotAlong : clamped(2 * count, 34, 110);
    const along = Math.max(...column.map((item) => item.along));
    for (const item of column) item.a = a + along / 2;
    a += along;
  });
  const height = ({ arrow, lanes, slot }) => slot ?? (lanes.at(-1) ?? items[arrow.tail]).c;
  for (const item of items.slice(0, boxes.length)) {
    let at = item.c - item.room / 2;
    for (const way of item.slots.sort((one, other) => height(one) - height(other))) {
      const room = slotAcross(way.arrow.lines.length);
      way.slot = at + room / 2;
      at += room;
    }
    // Lines end side by side; those that fit end where their numbers stand.
    const ends = ways.filter(({ arrow }) => arrow.head === item.i).sort((one, other) => height(one) - height(other)), half = item.across / 2 - 5;
    const isFree = ends.every(({ slot }) => Math.abs(slot - item.c) <= half), step = Math.min(14, 2 * half / (ends.length - 1 || 1));
    ends.forEach((way, k) => { way.end = isFree ? way.slot : item.c + (k - (ends.length - 1) / 2) * step; });
  }
  return svgOf(model, { isLR, point, items, ways, slotAlong, columns });
}

const digit = (x) => Math.round(x * 10) / 10;
const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

function svgOf(model, { isLR, point, items, ways, slotAlong, columns }) {
  const { boxes } = model, places = [], at = (along, across) => point(along, across).map(digit).join(",");
  const rect = (along, across, length, breadth, more) => {
    const [x, y] = point(along - length / 2, across - breadth / 2), [width, height] = point(length, breadth);
    places.push([x, y, x + width, y + height]);
    return `<rect x="${digit(x)}" y="${digit(y)}" width="${digit(width)}" height="${digit(height)}" ${more}/>`;
  };
  const texts = (lines, along, across) => {
    const [x, y] = point(along, across);
    return lines.map((line, k) => `<text x="${digit(x)}" y="${digit(y + (k - (lines.length - 1) / 2) * LINE + 4)}">${escaped(filled(line, () => ""))}</text>`).join("");
  };
  // One line of text stands above a line from left to right, and on one from top to bottom; two lines are on both sides.
  const labelAt = (from, slot, count) => {
    const place = point(from + slotAlong / 2, slot), [x, y] = place;
    places.push([x - 26, y - 14, x + 26, y + 14]);
    return count > 1 || !isLR ? [from + slotAlong / 2, slot] : [from + slotAlong / 2, slot - 7];
  };
  const drawn = ways.map(({ arrow, lanes, slot, end: target }) => {
    const tail = items[arrow.tail], head = items[arrow.head], end = head.a - head.along / 2;
    const start = [tail.a + tail.along / 2, tail.c], points = [start, ...lanes.map((lane) => [lane.a, lane.c])];
    const from = end - TIP - slotAlong - 6;
    if (slot !== undefined) points.push([from, slot], [from + slotAlong, slot]);
    let d = `M${at(...start)}`;
    [...points.slice(1), [end - TIP, target]].forEach(([along, across], k) => {
      const [before, beside] = points[k], third = (along - before) / 2;
      d += `C${at(before + third, beside)} ${at(along - third, across)} ${at(along, across)}`;
      places.push([...point(along, across), ...point(along, across)]);
    });
    const tip = `M${at(end - TIP, target - 4)}L${at(end, target)} ${at(end - TIP, target + 4)}Z`, [x, y] = slot === undefined ? [] : labelAt(from, slot, arrow.lines.length);
    const line = `<g class="arrow none" data-arrow="${arrow.name}"><path class="line" d="${d}"/><path class="tip" d="${tip}"/></g>`;
    return [line, arrow.lines.length ? `<g class="label none" data-arrow="${arrow.name}">${texts(arrow.lines, x, y)}</g>` : ""];
  });
  const framed = columns.map((column) => column.filter(({ i }) => boxes[i]?.layer !== undefined)).filter((column) => column.length);
  const frames = framed.map((column) => {
    const along = column[0].along + 12, low = column[0].c - column[0].across / 2 - 6, high = column.at(-1).c + column.at(-1).across / 2 + 6;
    return `<g class="frame">${rect(column[0].a, (low + high) / 2, along, high - low, 'rx="8" fill="none"')}</g>`;
  });
  const inside = boxes.map(({ kind, lines }, i) => {
    const { a, c, along, across } = items[i], isBare = kind === "constant", border = isBare ? "" : rect(a, c, along, across, 'rx="8"');
    const inner = kind === "folded" ? rect(a, c, along - 6, across - 6, 'rx="6" fill="none"') : "";
    if (isBare) rect(a, c, along, across, "");
    return `<g class="box ${kind} none" data-box="${i}">${border}${inner}${texts(lines, a, c)}</g>`;
  });
  const notes = noteOf(model), side = (k, most) => places.reduce((found, place) => Math[most](found, place[k]), most === "min" ? Infinity : -Infinity);
  const left = side(0, "min") - MARGIN, top = side(1, "min") - MARGIN, right = side(2, "max") + MARGIN, lowest = side(3, "max") + MARGIN;
  const words = wrappedAt(notes, (right - left) / 5.6), bottom = lowest + 14 * words.length, whole = [left, top, right - left, bottom - top].map(digit);
  const below = words.map((line, k) => `<text x="${digit(left + MARGIN)}" y="${digit(lowest + 8 + 14 * k)}" text-anchor="start">${escaped(line)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" class="autograd" viewBox="${whole.join(" ")}" font-size="11" text-anchor="middle" `
    + `font-family="system-ui,Segoe UI,Roboto,Helvetica Neue,Arial,sans-serif"><rect class="paper" x="${whole[0]}" y="${whole[1]}" width="${whole[2]}" height="${whole[3]}"/>`
    + [...frames, '<g fill="none">', ...drawn.map(([line]) => line), "</g>", ...inside, ...drawn.map(([, label]) => label), ...below].join("") + "</svg>";
}

// The line below the picture: what stands on the lines, and what colours and thickness say.
function noteOf({ arrows, boxes }) {
  const { notes } = KIT_STEPPER, isLabelled = arrows.some(({ lines, leaf }) => lines.length && leaf >= 0);
  const isMixed = isLabelled && arrows.some(({ lines }) => lines.length === 1 && lines[0].length > 1);
  return (isLabelled ? notes.labelled : notes.bare) + (isMixed ? notes.derivative : "") + notes.colours + (boxes.some(({ kind }) => kind === "folded") ? notes.several : "");
}

function wrappedAt(text, letters) {
  return text.split(" ").reduce((lines, word) => {
    const last = lines.at(-1);
    return last && last.length + word.length < letters ? [...lines.slice(0, -1), `${last} ${word}`] : [...lines, word];
  }, []);
}
