// What is known of the weight, neuron, input or example that was chosen, and how is a weight set by hand? And the
// diagnosis.

// A sentence of the diagnosis stands at least so many milliseconds, so that it can be read and heard.
const CALM = 2000;

// How far a pixel moves a number: a hundredth of its power of ten, or with Shift a thousandth.
const strideOf = (x, isFine) => 10 ** (Math.floor(Math.log10(Math.max(Math.abs(x), 1))) - (isFine ? 3 : 2));
// Without the digits that rounding adds.
const onStride = (x, stride) => Number((Math.round(x / stride) * stride).toPrecision(12));

// A number that is typed (also as "-3*2/7"), moved by the arrows, or dragged sideways.
function numberField(page, label, read, changed) {
  const hint = "Type a number, also one such as -3*2/7; move it with the arrows up and down; or drag it sideways. "
    + "Shift is finer.";
  const input = piece(
    "input", { class: "number", "aria-label": label, title: hint, size: 9, autocomplete: "off", spellcheck: "false" }
  );
  let written = "", drag = null;
  const refresh = (isSettled = false) => {
    // Else somebody is there.
    if (isSettled || (input.value === written && page.root.activeElement !== input)) {
      input.value = written = shown(read(), 6);
    }
  };
  function take() {
    if (input.value === written) return;
    const x = parsed(input.value);
    if (x === undefined || !Number.isFinite(x)) {
      return page.say(
        x === undefined
          ? refusal(input.value, FINITE)
          : `a weight has to be a finite number; got ${shown(x, 6)}: type another`
      );
    }
    page.say("");
    changed(x, read());
    refresh(true);
  }
  input.onchange = take;
  input.oninput = () => pause(page);
  input.onblur = () => input.value === written && refresh(true);
  input.onkeydown = (event) => {
    const strides = { ArrowUp: 10, ArrowDown: -10 }[event.key], x = read(), stride = strideOf(x, event.shiftKey);
    if (event.key === "Enter") take();
    else if (event.key === "Escape" && input.value !== written) {
      page.say("");
      refresh(true);
    } else if (strides) {
      changed(onStride(x + strides * stride, stride), x);
      refresh(true);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  input.onpointerdown = (event) => {
    if (!event.button && page.root.activeElement !== input) {
      drag = { at: event.clientX, x: read(), from: read(), isMoved: false };
    }
  };
  input.onpointermove = ({ clientX, pointerId, shiftKey }) => {
    if (!drag || (!drag.isMoved && Math.abs(clientX - drag.at) < 4)) return;
    if (!drag.isMoved) input.setPointerCapture(pointerId);
    const stride = strideOf(drag.from, shiftKey);
    drag.x += (clientX - drag.at) * stride;
    Object.assign(drag, { at: clientX, isMoved: true });
    changed(onStride(drag.x, stride), drag.from);
    refresh(true);
  };
  input.onpointerup = input.onpointercancel = () => {
    if (drag?.isMoved) input.blur();
    drag = null;
  };
  refresh(true);
  return { element: input, refresh };
}

function makePanel(page) {
  const chosen = piece("div", { class: "chosen" });
  const found = piece("div", { class: "diagnosis", role: "status", "aria-label": "Diagnosis" });
  const element = piece("div", { class: "panel" }, chosen, found), fields = [];
  let key = null, looked = 0, names = null, changedAt = 0, effect = null;

  // The number at this place, and what setting it did to the loss.
  function fieldOf(place) {
    const label = nameOfPlace(page, place);
    const made = numberField(page, label, () => page.network.numbers[place], (x, was) => {
      pause(page); // which measures the loss of now
      if (effect?.place !== place || effect.was !== was) effect = { place, was, loss: page.loss };
      page.edit(place, x);
    });
    fields.push(made.refresh);
    return made.element;
  }
  const gradientOf = (place) => liveText(
    (trainer) => trainer.phase === "backward" ? `gradient ${page.shown(page.network.gradients[place])}` : ""
  );
  function liveText(text) {
    const node = piece("span", { class: "faint" }), refresh = () => write(node, text(page.trainer));
    fields.push(refresh);
    refresh();
    return node;
  }
  function act(name, hint, action, isOff = "") {
    const button = piece("button", { type: "button", title: isOff || hint }, name);
    button.disabled = !!isOff;
    button.onclick = action;
    return button;
  }
  const stepper = typeof openStepper === "function" ? "" : "The stepper is not part of this page.";
  const inStepper = (target) => {
    pause(page);
    openStepper(page, target, page.exampleNow());
  };
  const title = (text, ...buttons) => piece(
    "div", { class: "row head" }, piece("h3", {}, text[0].toUpperCase() + text.slice(1)), ...buttons
  );
  const unitButton = (layer, unit) => act(
    "Open in the stepper", "This neuron for one example, node by node", () => inStepper({ kind: "unit", layer, unit }),
    stepper
  );
  const lossButton = () => act(
    "Open the loss of this example", "The loss of the example, step by step", () => inStepper({ kind: "loss" }), stepper
  );

  const shows = {
    weight({ layer, unit, input }) {
      const place = page.network.place(layer, unit, input);
      return [
        title(
          nameOfWeight(page, { layer, unit, input }),
          act("The neuron", "All weights of this neuron", () => page.choose({ kind: "unit", layer, unit })),
          unitButton(layer, unit)
        ),
        piece("div", { class: "row" }, fieldOf(place), gradientOf(place)),
      ];
    },
    unit({ layer, unit }) {
      const { sizes, place, spec } = page.network, count = sizes[layer];
      const rows = Array.from({ length: count + 1 }, (_, input) => {
        const at = place(layer, unit, input);
        const name = input === count ? "bias" : layer ? `from ${input + 1}` : nameOfInput(page, 0, input);
        return piece(
          "div", { class: "weight" },
          piece(
            "span", { class: "from", title: input < count ? `from ${nameOfInput(page, layer, input)}` : "bias" }, name
          ),
          fieldOf(at), gradientOf(at)
        );
      });
      const width = sizes[layer + 1], to = (k) => page.choose({ kind: "unit", layer, unit: (k + width) % width });
      const others = width > 1
        ? [
          act("\u2190", "The neuron before", () => to(unit - 1)),
          act("\u2192", "The next neuron", () => to(unit + 1)),
        ]
        : [];
      return [
        title(
          `${nameOfUnit(page, layer, unit)}, ${spec.layers[layer].activation}`, ...others, unitButton(layer, unit),
          liveText(() => unitText(page, layer, unit))
        ),
        piece(
          "div",
          {
            class: "weights", role: "group",
            "aria-label": layer ? `weights from the neurons of layer ${layer}` : "weights from the inputs",
          },
          ...rows
        ),
      ];
    },
    input({ unit }) {
      const { examples, network: { spec: { inputs } } } = page;
      const column = Array.from({ length: examples.count }, (_, i) => examples.rows[i * inputs + unit]);
      const range = column.reduce(([low, high], x) => [Math.min(low, x), Math.max(high, x)], [Infinity, -Infinity]);
      return [
        title(`input ${nameOfInput(page, 0, unit)}`),
        piece(
          "p", {},
          `From ${page.shown(range[0])} to ${page.shown(range[1])} in ${counted(examples.count, "example")}; `
            + `standard deviation ${page.shown(deviationsOf(examples, inputs)[unit])}.`
        ),
      ];
    },
    example({ index }) {
      const { count } = page.examples, to = (i) => page.choose({ kind: "example", index: (i + count) % count });
      return [
        title(
          `example ${index + 1} of ${count}`,
          act("\u2190", "The example before", () => to(index - 1)),
          act("\u2192", "The next example", () => to(index + 1)),
          lossButton()
        ),
        liveText(() => exampleText(page, index)),
      ];
    },
  };
  const nothing = () => [
    piece(
      "p", { class: "faint" },
      "Choose a line, a neuron or a point: its numbers stand here, and any weight can be changed."
    ),
    piece(
      "div", { class: "row" },
      act("An example", "Choose an example", () => page.choose({ kind: "example", index: page.exampleNow() })),
      act("A weight", "Choose the first weight", () => page.choose({ kind: "weight", layer: 0, unit: 0, input: 0 }))
    ),
  ];

  function refresh() {
    const target = page.chosen;
    const now = JSON.stringify([target, page.network.sizes, page.network.spec.layers[target?.layer]?.activation]);
    if (now !== key) {
      const before = page.root.activeElement, hadFocus = before?.closest?.(".chosen");
      key = now;
      fields.length = 0;
      effect = null;
      chosen.replaceChildren(...(target ? shows[target.kind](target) : nothing()), effectText());
      // What had the focus is gone: without another one that has it the keys would be dead.
      if (hadFocus) {
        ([...chosen.querySelectorAll("button:enabled")].find(({ title }) => title === before.title) ?? page.frame)
          .focus({ preventScroll: true });
      }
    } else for (const each of fields) each();
    diagnosis();
  }

  // What the number was, and what that did to the loss.
  function effectText() {
    const text = piece("span", { role: "status" }), back = act("Put back", "The number as it was", () => {
      const { place, was } = effect;
      effect = null;
      page.edit(place, was);
    });
    const line = piece("p", { class: "effect", hidden: "" }, text, " ", back);
    fields.push(() => {
      line.hidden = !effect || page.trainer.steps > 0;
      if (!line.hidden) {
        write(
          text,
          `It was ${shown(effect.was, 6)}. The loss was ${page.shown(effect.loss)}, and is ${page.shown(page.loss)}.`
        );
      }
    });
    return line;
  }

  // In words, as it happens; while it plays another sentence comes only where the problem is another one.
  function diagnosis() {
    const now = performance.now();
    if (typeof diagnose !== "function" || (page.playing && now < looked)) return;
    const problems = diagnose(page), said = problems.map(({ name }) => name).join();
    looked = performance.now() + Math.max(300, 20 * (performance.now() - now)); // a twentieth of the time
    if (page.playing && (said === names || now < changedAt + CALM)) return;
    [names, changedAt] = [said, now];
    const texts = problems.map(({ name, seen, remedy }) => [name, `${seen}. Remedy: ${remedy}.`]);
    if (JSON.stringify(texts) === found.dataset.said) return;
    found.dataset.said = JSON.stringify(texts);
    found.replaceChildren(
      ...texts.map(([name, text]) => piece("p", {}, piece("b", {}, `${name[0].toUpperCase()}${name.slice(1)}: `), text))
    );
  }

  return { element, refresh };
}

function unitText(page, layer, unit) {
  const { network, trainer, examples } = page, example = page.exampleNow(), { activation } = network.spec.layers[layer];
  network.forward(trainer.rowAt(examples, example), null);
  const sum = page.shown(network.sums[layer][unit]), out = page.shown(network.outs[layer + 1][unit]);
  return `Example ${example + 1}: sum ${sum}${activation === "linear" ? "" : `, ${activation} ${out}`}`;
}

function exampleText(page, index) {
  const { network, trainer, model, examples } = page, row = trainer.rowAt(examples, index);
  const target = trainer.targetAt(examples, index);
  const inputs = Array.from(row.subarray(0, MOST_SHOWN), (x, i) => `${nameOfInput(page, 0, i)} ${page.shown(x)}`)
    .join(", ") + (row.length > MOST_SHOWN ? ", \u2026" : "");
  const outputs = network.outputs(row), loss = KIT.loss(outputs, target, new Float64Array(outputs.length));
  const isRight = KIT.isRight(outputs, target);
  const wanted = typeof target !== "number" ? listText(page, target)
    : model.task === "regression" || !Number.isInteger(target)
      ? page.shown(target)
      : classText(page, Math.max(0, target));
  const verdict = isRight === null ? "" : isRight ? ", which is right" : ", which is wrong";
  return `${inputs}. Target: ${wanted}. The network says ${answerText(page, outputs)}${verdict}; `
    + `the loss is ${page.shown(loss)}.`;
}
