// What can be seen of a model that the page cannot compute? What Python says it answers, on the plane and at the examples.

function withoutTraining(page) {
  const { model, frame } = page, sentences = [...(model.missing ?? []), ...(model.notes ?? [])];
  const text = part("div", { class: "without" }, part("h2", {}, "This model cannot be trained in the page"), ...sentences.map((sentence) => part("p", {}, sentence)));
  frame.append(text);
  if (!model.answers?.grid) return;
  const data = model.datasets[0], inputs = model.answers.sides.length, answers = model.answers.examples.map((each) => Float64Array.from([each].flat(), fromJSON));
  page.examples = examplesOf(data.rows, data.targets, inputs);
  page.testExamples = examplesOf([], [], inputs);
  page.trainer = { phase: "ready", steps: 0, epochs: 0, stepsPerEpoch: 1, history: [], batch: [0], evaluate: () => givenFigures(page.examples, answers) };
  page.state = { axes: inputs > 1 ? [0, 1] : [0], hidden: [] };
  page.choose = () => {};
  page.view = makeView(page);
  text.append(part("p", {}, "This is what it says of the data."));
  frame.append(page.view.output);
  const resized = () => {
    page.view.output.style.width = `${Math.min(frame.clientWidth, 480)}px`;
    page.view.resize();
  };
  resized();
  new ResizeObserver(resized).observe(frame);
}

function givenFigures({ targets, count }, answers) {
  const width = targets.length / count, scratch = new Float64Array(answers[0].length);
  let loss = 0, right = 0, isClass = true;
  answers.forEach((answer, k) => {
    const target = width > 1 ? targets.subarray(k * width, (k + 1) * width) : targets[k], isRight = KIT.isRight(answer, target);
    loss += KIT.loss(answer, target, scratch);
    isClass = isRight !== null;
    right += isRight;
  });
  return { loss: loss / count, accuracy: isClass ? right / count : null };
}
