// What can be seen of a model that the page cannot compute? What Python says it answers, on the plane and at the
// examples.

function withoutTraining(page) {
  const { model, frame } = page, sentences = [...model.missing, ...model.notes];
  const text = piece(
    "div", { class: "without" }, piece("h2", {}, "This model cannot be trained in the page"),
    ...sentences.map((sentence) => piece("p", {}, sentence))
  );
  frame.append(text);
  if (!model.answers?.grid) return;
  const data = model.datasets[0], inputs = model.answers.sides.length;
  const answers = model.answers.examples.map((each) => Float64Array.from([each].flat(), fromJSON));
  page.examples = examplesOf(data.rows, data.targets, inputs);
  page.testExamples = examplesOf([], [], inputs);
  page.network = givenNetwork(model.answers, inputs, answers[0].length);
  page.trainer = {
    phase: "ready", steps: 0, epochs: 0, stepsPerEpoch: 1, history: [], batch: [0],
    evaluate: () => model.answers.figures,
  };
  page.state = { axes: inputs > 1 ? [0, 1] : [0], hidden: [] };
  page.choose = () => {};
  page.view = makeView(page);
  text.append(piece("p", {}, "This is what it says of the data."));
  frame.append(page.view.output);
  const resized = () => {
    page.view.output.style.width = `${Math.min(frame.clientWidth, 480)}px`;
    page.view.resize();
  };
  resized();
  new ResizeObserver(resized).observe(frame);
}

// In place of a network: its answers between the points of a grid, interpolated.
function givenNetwork({ sides, grid }, inputs, outputs) {
  const known = grid.map((each) => [each].flat().map(fromJSON)), [across, up = [0]] = sides;
  // Between which points of a side a number lies, and how far from the lower one.
  const between = (side, x) => {
    const place = Math.min(Math.max((x - side[0]) / (side.at(-1) - side[0]) * (side.length - 1), 0), side.length - 1)
      || 0;
    const low = Math.min(Math.floor(place), side.length - 2);
    return side.length < 2 ? [0, 0, 0] : [low, low + 1, place - low];
  };
  function answer(x, y, output) {
    const [left, right, share] = between(across, x), [low, high, rise] = between(up, y);
    const at = (column, row) => known[row * across.length + column][output];
    const lower = at(left, low) * (1 - share) + at(right, low) * share;
    const upper = at(left, high) * (1 - share) + at(right, high) * share;
    return lower * (1 - rise) + upper * rise;
  }
  const responses = (points, count) => {
    const found = new Float64Array(outputs * count);
    for (let j = 0; j < outputs; j += 1) {
      for (let p = 0; p < count; p += 1) {
        found[j * count + p] = answer(points[p * inputs], inputs > 1 ? points[p * inputs + 1] : 0, j);
      }
    }
    return [found];
  };
  const numbers = new Float64Array((inputs + 1) * outputs);
  const outputsOf = (row) => Float64Array.from({ length: outputs }, (_, j) => answer(row[0], row[1] ?? 0, j));
  return {
    spec: { inputs, scale: null, layers: [{ width: outputs, activation: "linear" }] }, sizes: [inputs, outputs],
    numbers, gradients: numbers, responses,
    place: (layer, unit, input) => unit * (inputs + 1) + input, outputs: outputsOf, forward: outputsOf,
    units: (row) => [Float64Array.from(row), outputsOf(row)],
  };
}
