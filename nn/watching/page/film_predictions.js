// What did the model answer at this moment? A table of confusions, a plane, a curve, or answers beside the truth.

// What the model said at each moment, of so many of the examples: `places` are theirs. `at(k)` has the outputs of
// these, one example after the other, and if Python was asked all over the inputs, those of the grid over `sides`.
function makeAnswers(page) {
  const { model, examples } = page, { answers, spec } = model;
  if (spec) {
    const most = 400, count = Math.min(examples.count, most), inputs = spec.inputs, width = page.network.sizes.at(-1);
    return { count, width, places: Array.from({ length: count }, (_, i) => i), at: () => {
      const outputs = new Float64Array(count * width);
      for (let i = 0; i < count; i += 1) {
        outputs.set(page.network.forward(examples.rows.subarray(i * inputs, (i + 1) * inputs), null), i * width);
      }
      return { outputs };
    } };
  }
  if (!answers?.moments.length) return null;
  const outputs = unpacked(answers.outputs), grid = unpacked(answers.grid), count = answers.examples.length;
  const each = outputs.length / answers.moments.length, width = each / count;
  const points = grid.length / answers.moments.length;
  return { count, width, places: answers.examples, sides: answers.sides, at: (k) => {
    let m = 0; // of fewer moments the last one before
    while (m + 1 < answers.moments.length && answers.moments[m + 1] <= k) m += 1;
    return { outputs: outputs.subarray(m * each, (m + 1) * each), grid: grid.subarray(m * points, (m + 1) * points) };
  } };
}

function makePredictions(page) {
  const answers = makeAnswers(page), { model } = page;
  if (!answers) return null;
  const canvas = piece("canvas", { role: "img" }), caption = piece("figcaption", {}, piece("h3", {}, "Answers"));
  const about = piece("span", { class: "about" });
  const element = piece("figure", { class: "predictions" }, caption, canvas);
  caption.append(about);
  let width = 0, height = 0;
  const inputs = page.examples.rows.length / Math.max(1, page.examples.count), isClass = model.task !== "regression";
  const kind = answers.sides?.length === 2 && (answers.width === 1 || isClass)
    ? "plane"
    : answers.sides?.length === 1
    ? "curve"
    : isClass
    ? "confusions"
    : "truth";
  const seen = { ...page, network: { sizes: [inputs, answers.width] } }; // what the pictures of a network look at
  const classes = isClass ? classNames(seen).map((name) => cutName(name, 14)) : [], wide = targetsOf(page.examples);
  const target = (i, output = 0) => targetAt(page.examples, answers.places[i], output);
  const input = (i, j) => page.examples.rows[answers.places[i] * inputs + j];
  const trueClass = (i) => (isClass ? classAt(page, page.examples, answers.places[i]) : 0);
  const answerOf = (outputs, i) => outputs.subarray(i * answers.width, (i + 1) * answers.width);
  const font = (context, size = 11) => { context.font = `${size}px system-ui, sans-serif`; };

  function resize() {
    const room = element.clientWidth;
    if (!room) return;
    width = Math.min(room, 460);
    height = kind === "curve" ? Math.round(width * 0.75) : width;
    sharpen(canvas, width, height);
  }

  // The answer of each class (across) for examples of each class (down).
  function confusions(context, { outputs }, colours) {
    const size = classes.length, table = Array.from({ length: size }, () => new Array(size).fill(0));
    let right = 0, total = 0;
    for (let i = 0; i < answers.count; i += 1) {
      const [truth, answer] = [trueClass(i), classSaid(seen, answerOf(outputs, i))];
      if (!table[truth] || answer < 0) continue;
      table[truth][answer] += 1;
      right += Number(truth === answer);
      total += 1;
    }
    const left = 62, top = 34, cell = Math.min((width - left - 6) / size, (height - top - 6) / size);
    font(context, cell < 22 ? 9 : 12);
    table.forEach((row, t) => {
      const all = row.reduce((sum, x) => sum + x, 0) || 1, share = (count) => 0.8 * Math.sqrt(count / all);
      row.forEach((count, a) => {
        const colour = t === a ? colours.positive : colours.negative;
        context.fillStyle = cssOf(mixed(colours.paper, colour, share(count)));
        context.fillRect(left + a * cell, top + t * cell, cell - 1, cell - 1);
        context.fillStyle = share(count) > 0.55 ? colours.css.paper : colours.css.ink;
        context.textAlign = "center";
        if (count) context.fillText(count, left + (a + 0.5) * cell, top + (t + 0.5) * cell + 4, cell - 2);
      });
      context.fillStyle = colours.css.faint;
      context.textAlign = "right";
      context.fillText(classes[t], left - 6, top + (t + 0.5) * cell + 4, left - 18);
      context.textAlign = "center";
      context.fillText(classes[t], left + (t + 0.5) * cell, top - 6, cell - 2);
    });
    font(context);
    context.fillStyle = colours.css.faint;
    context.textAlign = "center";
    context.fillText("answer", left + size * cell / 2, 11);
    context.save();
    context.translate(10, top + size * cell / 2);
    context.rotate(-Math.PI / 2);
    context.fillText("truth", 0, 0);
    context.restore();
    return `${right} of ${total} examples right`;
  }

  function axes(context, colours, [low, high], [from, to], names) {
    const left = 46, bottom = 30, x = (v) => left + (width - left - 8) * (v - low) / (high - low || 1);
    const y = (v) => 6 + (height - bottom - 6) * (1 - (v - from) / (to - from || 1));
    context.strokeStyle = colours.css.hair;
    context.strokeRect(left + 0.5, 6.5, width - left - 9, height - bottom - 7);
    context.fillStyle = colours.css.faint;
    font(context);
    context.textAlign = "center";
    for (const v of ticksOf(low, high)) context.fillText(short(v), x(v), height - bottom + 13);
    context.fillText(cutName(names[0], 30), (left + width) / 2, height - 3);
    if (names[1]) {
      context.save();
      context.translate(11, (height - bottom) / 2);
      context.rotate(-Math.PI / 2);
      context.fillText(cutName(names[1], 30), 0, 0);
      context.restore();
    }
    context.textAlign = "right";
    for (const v of ticksOf(from, to)) context.fillText(short(v), left - 5, y(v) + 4, left - 8);
    return { x, y };
  }

  // What the axis of the answers goes through: all targets.
  const allTargets = Array.from({ length: answers.count * wide }, (_, k) => target(Math.floor(k / wide), k % wide));
  const along = (numbers) => {
    const { low, high } = rangeOf(numbers);
    return [low, high];
  };

  // Each answer above what it should be.
  function truth(context, { outputs }, colours) {
    const range = along(allTargets), { x, y } = axes(context, colours, range, range, ["truth", "answer"]);
    context.strokeStyle = colours.css.faint;
    context.beginPath();
    context.moveTo(x(range[0]), y(range[0]));
    context.lineTo(x(range[1]), y(range[1]));
    context.stroke();
    let outside = 0;
    for (let i = 0; i < answers.count; i += 1) {
      for (let j = 0; j < answers.width; j += 1) {
        const answer = outputs[i * answers.width + j], isSeen = answer >= range[0] && answer <= range[1];
        outside += Number(!isSeen);
        if (isSeen) {
          drawMarker(
            context, MARKERS[j % 10], x(target(i, j)), y(answer), 3.5,
            answers.width > 1 ? colours.classCSS[j % 10] : colours.css.positive, colours.css.paper, false
          );
        }
      }
    }
    const each = answers.width > 1
      ? `${answers.width} outputs, a colour each`
      : "the line is where they would be right";
    return outside ? `${each}; ${outside} lie outside` : each;
  }

  function curve(context, { outputs, grid }, colours) {
    const [side] = answers.sides, isTwo = model.task === "binary", range = along(isTwo ? [-2, 2, ...grid] : allTargets);
    const { x, y } = axes(context, colours, [side[0], side.at(-1)], range, [model.names.inputs[0]]);
    for (let i = 0; i < answers.count; i += 1) {
      const k = trueClass(i), height0 = isTwo ? (k ? range[1] : range[0]) : isClass ? range[0] : target(i);
      drawMarker(
        context, MARKERS[k % 10], x(input(i, 0)), y(height0), 3.5,
        isClass ? colours.classCSS[k % 10] : colours.css.faint, colours.css.paper, false
      );
    }
    context.lineWidth = 2;
    for (let j = 0; j < answers.width; j += 1) {
      context.strokeStyle = answers.width > 1 ? colours.classCSS[j % 10] : colours.css.ink;
      context.beginPath();
      side.forEach((at, p) => {
        const value = within(grid[p * answers.width + j], range[0], range[1]);
        if (Number.isFinite(value)) context.lineTo(x(at), y(value));
      });
      context.stroke();
    }
    return answers.width > 1
      ? "a line for each output"
      : isTwo
      ? "the output, and the examples of both classes"
      : "the output, and the examples";
  }

  function plane(context, { grid }, colours) {
    const [xs, ys] = answers.sides, count = xs.length * ys.length, image = new ImageData(xs.length, ys.length);
    const small = piece("canvas");
    // output by output
    const outputs = Float64Array.from(
      { length: grid.length }, (_, i) => grid[i % count * answers.width + Math.floor(i / count)]
    );
    paintOutput(seen, colours, { n: xs.length }, new Uint32Array(image.data.buffer), outputs, count, 1, xs.length);
    [small.width, small.height] = [xs.length, ys.length];
    small.getContext("2d").putImageData(image, 0, 0);
    const { x, y } = axes(context, colours, [xs[0], xs.at(-1)], [ys[0], ys.at(-1)], model.names.inputs);
    const colourOf = coloursOfExamples(seen, colours);
    context.save();
    context.translate(x(xs[0]), y(ys[0]));
    context.scale(1, -1); // the grid goes from the bottom to the top
    context.drawImage(small, 0, 0, x(xs.at(-1)) - x(xs[0]), y(ys[0]) - y(ys.at(-1)));
    context.restore();
    for (let i = 0; i < answers.count; i += 1) {
      const kind = trueClass(i), colour = colourOf({ kind, target: target(i) });
      drawMarker(context, MARKERS[kind % 10], x(input(i, 0)), y(input(i, 1)), 4, colour, colours.css.paper, false);
    }
    return isClass
      ? "the colour is the answer, the marker the truth"
      : "the colour is the answer, that of a marker the truth";
  }

  const draws = { confusions, truth, curve, plane };
  function show(k) {
    if (!width) resize();
    if (!width) return;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.lineWidth = 1;
    about.textContent = draws[kind](context, answers.at(k), page.colours());
    canvas.setAttribute("aria-label", `What the model answered at this moment: ${about.textContent}`);
  }
  return { element, show, resize: () => { resize(); show(page.at); } };
}

// The numbers of each array of weights as a picture, blue for positive and orange for negative ones.
function makeWeights(page) {
  const pictures = page.arrays.filter(({ rows, columns }) => rows * columns <= 40000).slice(0, 24).map((array) => {
    const canvas = piece("canvas", { role: "img" }), size = piece("span", { class: "about" });
    const title = [array.layer, array.name].filter(Boolean).join(" ");
    [canvas.width, canvas.height] = [array.columns, array.rows];
    const zoom = within(Math.floor(220 / Math.max(array.columns, array.rows)), 1, 14);
    canvas.style.width = `min(100%, ${Math.max(array.columns * zoom, 4)}px)`;
    const element = piece(
      "figure", { class: "array" }, piece("figcaption", {}, piece("bdi", {}, cutName(title, 40)), size), canvas
    );
    return { ...array, canvas, size, element, title };
  });
  const element = piece(
    "details", { class: "arrays" }, piece("summary", {}, "All weights, layer by layer"),
    ...pictures.map((x) => x.element)
  );
  function show(k) {
    if (!element.open) return;
    const numbers = page.moments.numbersAt(k), colours = page.colours();
    for (const { canvas, rows, columns, places, size, title } of pictures) {
      const image = new ImageData(columns, rows), words = new Uint32Array(image.data.buffer);
      const largest = largestOf(places.map((i) => numbers[i]));
      places.forEach((i, p) => {
        const share = i < 0 ? 0 : numbers[i] / (largest || 1);
        words[p] = Number.isFinite(share)
          ? (i < 0 ? 0 : colours.signed[255 + Math.round(255 * within(share, -1, 1))])
          : colours.unknown;
      });
      canvas.getContext("2d").putImageData(image, 0, 0);
      size.textContent = `${rows} \u00d7 ${columns}, at most \u00b1${short(largest)}`;
      canvas.setAttribute("aria-label", `${title}: ${size.textContent}`);
    }
  }
  element.addEventListener("toggle", () => show(page.at));
  return pictures.length ? { element, show } : null;
}
