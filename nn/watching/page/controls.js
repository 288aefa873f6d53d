// What can one press? Play and step, the settings, layers and neurons, keys, and the dialogs for code, link and help.

const ICONS = {
  restart: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3.4H9.6", play: "M4 2l9 6-9 6z", pause: "M5 3v10M11 3v10",
  step: "M3 3l6 5-6 5zM12 3v10",
  epoch: "M2 3l5 5-5 5zM8 3l5 5-5 5zM14 3v10", inside: "M3 2v12M13 2v12M6 5l4 3-4 3z",
  full: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
};
const KEYS = {
  " ": "play", r: "restart", s: "step", i: "inside", e: "epoch", c: "code", l: "link", w: "weights", f: "full",
  "?": "help",
};
const HELP = {
  space: "play, pause", s: "one step", e: "one epoch", i: "the next phase inside a step",
  r: "restart with the first weights", w: "other first weights",
  "Tab, arrows": "go to a neuron, a line, a point", Enter: "choose it",
  "\u2191, \u2193 in a number": "move it (Shift: finer)", c: "copy as Python", l: "link",
  f: "full screen", Escape: "leave what is open or chosen", "?": "these keys",
};
const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3], NOISES = [0, 0.05, 0.1, 0.2, 0.5];
const DROPOUTS = [0, 0.1, 0.2, 0.5];
const BATCHES = [1, 2, 5, 10, 20, 50, 100];
// A step over so many examples times parameters takes some 30 ms: a batch of all examples is offered up to there.
const WHOLE = 5e5;
const OPTIMIZER_NAMES = {
  sgd: "SGD", momentum: "SGD, momentum 0.9", adam: "Adam", adamw: "AdamW", rmsprop: "RMSprop", adagrad: "Adagrad",
};

// What stands in the button, and its hint: the first words of it are its name for screen readers.
function press(name, hint, ...content) {
  return piece(
    "button", { type: "button", title: hint, "aria-label": hint.split(" (")[0], "data-do": name },
    ...(content.length ? content : [iconOf(ICONS[name])])
  );
}

const labelled = (text, ...controls) => piece("label", { class: "field" }, piece("span", {}, text), ...controls);

// A choice among texts. `refresh` shows what holds now.
function choiceOf(label, options, read, changed) {
  const select = piece("select", { "aria-label": label });
  for (const [value, text] of options) select.add(new Option(text, value));
  select.onchange = () => changed(select.value);
  return { element: labelled(label, select), select, refresh: () => { select.value = read(); } };
}

// A choice among usual numbers, or one that is typed. `wrong` says in words why a number cannot be taken, or "".
function numberChoice(page, label, { values, read, changed, wrong, named = () => "" }) {
  const select = piece("select", { "aria-label": label });
  const input = piece(
    "input", { "aria-label": `${label}, typed`, hidden: "", size: 6, autocomplete: "off", spellcheck: "false" }
  );
  const leave = () => {
    [select.hidden, input.hidden] = [false, true];
    refresh();
  };
  function refresh() {
    const now = read(), offered = values();
    const all = typeof now !== "number" || offered.includes(now) ? offered : [...offered, now].sort((a, b) => a - b);
    const options = [
      ...(typeof now === "number" ? [] : [[now, "as given"]]), ...all.map((x) => [String(x), named(x) || shown(x, 12)]),
      ["type", "type \u2026"],
    ];
    if (select.dataset.options !== JSON.stringify(options)) {
      select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
      select.dataset.options = JSON.stringify(options);
    }
    select.value = String(now);
  }
  function take() {
    const x = parsed(input.value), problem = x === undefined ? refusal(input.value, FINITE) : wrong(x);
    if (problem) return page.say(problem);
    page.say("");
    leave();
    if (x !== read()) changed(x);
    refresh();
    select.focus();
  }
  select.onchange = () => {
    if (select.value !== "type") return changed(Number(select.value));
    [select.hidden, input.hidden] = [true, false];
    input.value = typeof read() === "number" ? shown(read(), 12) : "";
    input.focus();
    input.select();
  };
  input.onkeydown = (event) => {
    if (event.key === "Enter") take();
    else if (event.key === "Escape") {
      page.say("");
      leave();
      select.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  input.onblur = () => !input.hidden && leave();
  return { element: labelled(label, select, input), select, refresh };
}

// What may be typed where a number has to be finite.
const FINITE = "0.5, 1e-3 or 3*2/7";

// Why a number is none that this setting can have; "" if it is one.
const between = (least, most, what) => (x) => x >= least && x <= most
  ? ""
  : `${what} is a number from ${least} to ${most}; got ${shown(x, 6)}: type another`;
const whole = (least, most, what) => (x) => Number.isInteger(x) && x >= least && x <= most
  ? ""
  : `${what} is a whole number from ${least} to ${most}; got ${shown(x, 6)}: type another`;
const rateIsWrong = (x) => isRate(x)
  ? ""
  : `a learning rate is a number above 0, up to a million; got ${shown(x, 6)}: type another, such as 0.01`;

function makeSettings(page) {
  const { model } = page, { inputs } = model.spec, now = (name) => () => page.state[name];
  const kept = (name) => (x) => page.change({ [name]: x }, { keepWeights: true });
  const activations = Object.keys(KIT.activations).map((name) => [name, name]);
  if (page.first.activation === "given") activations.unshift(["given", "as given"]);
  const batches = () => {
    const { count } = page.examples, isSmall = count * page.network.numbers.length <= WHOLE;
    return [...BATCHES.filter((x) => x < count), ...(isSmall ? [count] : [])];
  };
  const settings = {
    lr: numberChoice(
      page, "learning rate",
      { values: () => RATES, read: now("lr"), changed: (lr) => page.change({ lr }), wrong: rateIsWrong }
    ),
    optimizer: choiceOf(
      "optimiser",
      Object.keys(KIT.optimizers).map((name) => [name, OPTIMIZER_NAMES[name] ?? name]),
      now("optimizer"),
      (optimizer) => {
        // Each optimiser begins with a rate that suits it, unless somebody chose one.
        const isUsual = page.state.lr === KIT.optimizers[page.state.optimizer].lr;
        page.change({ optimizer, ...(isUsual ? { lr: KIT.optimizers[optimizer].lr } : {}) }, { keepWeights: true });
      }
    ),
    activation: choiceOf("activation", activations, now("activation"), (activation) => page.change({ activation })),
    batchSize: numberChoice(page, "batch size", {
      values: batches, read: () => page.trainer.batchSize, changed: kept("batchSize"),
      wrong: (x) => whole(1, page.examples.count, "a batch size")(x),
      named: (x) => x === page.examples.count ? `${x} (all)` : "",
    }),
    noise: numberChoice(page, "noise on inputs", {
      values: () => NOISES, read: now("noise"), changed: kept("noise"),
      wrong: between(0, 100, "noise, in standard deviations,"),
    }),
    dropout: numberChoice(page, "dropout", {
      values: () => DROPOUTS, read: now("dropout"), changed: kept("dropout"),
      wrong: between(0, 1, "dropout, a probability,"),
    }),
    seed: numberChoice(page, "seed", {
      values: () => [...new Set([0, 1, 2, 3, 4, page.first.seed])].sort((a, b) => a - b),
      named: (x) => x === page.first.seed && page.first.numbers ? `${x} (as given)` : "",
      read: now("seed"), changed: (seed) => page.change({ seed }),
      wrong: whole(0, Number.MAX_SAFE_INTEGER, "a seed"),
    }),
  };
  if (model.datasets.length > 1) {
    settings.data = choiceOf(
      "data", model.datasets.map(({ name }, i) => [i, name]), now("data"), (i) => page.change({ data: Number(i) })
    );
  }
  if (inputs > 2) {
    const names = model.names.inputs.map((name, i) => [i, name]);
    for (const [k, way] of [[0, "across"], [1, "up"]]) {
      settings[`axis${k}`] = choiceOf(`axis ${way}`, names, () => page.state.axes[k], (chosen) => {
        const axes = [...page.state.axes], other = axes[1 - k];
        axes[k] = Number(chosen);
        if (other === axes[k]) axes[1 - k] = page.state.axes[k];
        page.change({ axes });
      });
    }
  }
  settings.seed.element.title = "It draws the first weights, the order of the examples, dropout and noise.";
  return settings;
}

// Layers added and removed, a setting among others; and neurons, a cell above each column of the picture.
function makeLayers(page) {
  const strip = piece("div", { class: "layers", role: "group", "aria-label": "Neurons of each hidden layer" });
  const several = piece("div", { class: "cell" });
  const count = piece("div", { class: "field" }, piece("span", {}, "hidden layers"), several);
  // `end` says why there can be no more, or no fewer; "" where there can.
  const made = (place, name, label, text, end, hidden) => {
    const button = piece(
      "button", { type: "button", "aria-label": label, title: end || label, "data-key": name }, text
    );
    button.disabled = !!end;
    button.onclick = () => {
      page.change({ hidden });
      // A button that can no longer be pressed loses the focus, and the page its keys.
      (place.querySelector(`[data-key="${name}"]:not(:disabled)`) ?? page.frame).focus({ preventScroll: true });
    };
    return button;
  };
  const number = (x) => piece("b", {}, String(x));
  let drawn = "";
  function refresh() {
    const { hidden } = page.state;
    if (drawn === (drawn = hidden.join() || "none")) return;
    several.replaceChildren(
      made(
        several, "fewer", "one hidden layer less", "\u2212",
        hidden.length ? "" : "There is no hidden layer: the inputs go to the output.",
        hidden.slice(0, -1)
      ),
      number(hidden.length),
      made(
        several, "further", "one hidden layer more", "+",
        hidden.length < MOST_LAYERS - 1
          ? ""
          : `There is room for at most ${MOST_LAYERS - 1} hidden layers in the picture.`,
        [...hidden, hidden.at(-1) ?? 4]
      )
    );
    strip.replaceChildren(...hidden.map((width, i) => piece(
      "div", { class: "cell" },
      made(
        strip, `less${i}`, `layer ${i + 1}: one neuron less`, "\u2212",
        width > 1 ? "" : "A layer has at least one neuron: take the layer away instead.",
        hidden.with(i, width - 1)
      ),
      number(width),
      made(
        strip, `more${i}`, `layer ${i + 1}: one neuron more`, "+",
        width < MOST_UNITS ? "" : `There is room for at most ${MOST_UNITS} neurons of a layer in the picture.`,
        hidden.with(i, width + 1)
      )
    )));
    arrange();
  }
  // Each cell stands above its column.
  function arrange() {
    page.view?.columns().slice(1, -1).forEach(({ x }, i) => strip.children[i]?.style.setProperty("left", `${x}px`));
  }
  return { strip, count, refresh, arrange };
}

function makeControls(page) {
  const { frame, model } = page, settings = makeSettings(page), layers = makeLayers(page), inside = makeInside(page);
  const playButton = press("play", "Play (space)", iconOf(ICONS.play), piece("span", {}, "Play"));
  const epoch = piece("b"), place = piece("span"), notice = piece("p", { class: "notice", role: "status", hidden: "" });
  const speed = choiceOf(
    "speed",
    [["phases", "by phase"], ["steps", "by step"], ["medium", "medium"], ["fast", "fast"], ["fastest", "fastest"]],
    () => page.speed,
    (value) => { page.speed = value; }
  );
  const fields = piece(
    "div", { class: "fields" },
    ...["lr", "optimizer", "activation", "dropout"].map((name) => settings[name].element), speed.element
  );
  const extras = piece(
    "div", { class: "extras" },
    press("code", "Copy as Python (c)", "Python"),
    press("link", "A link that holds this state (l)", "Link"),
    press("full", "Full screen (f)"), press("help", "Keys (?)", "?")
  );
  const top = piece(
    "div", { class: "top" },
    piece(
      "div", { class: "moves" },
      press("restart", "Restart with the first weights (r)"), playButton,
      press("step", "One step (s)"), press("epoch", "One epoch (e)")
    ),
    piece("div", { class: "epoch" }, piece("span", {}, "epoch"), epoch, place), fields, extras
  );
  const notes = [
    ...(page.first.numbers
      ? ["This network came with its weights, and may have been trained: the epochs are counted from there."]
      : []),
    ...model.notes,
  ];
  const rest = Object.keys(settings)
    .filter((name) => !["lr", "optimizer", "activation", "dropout", "seed", "data"].includes(name))
    .map((name) => settings[name].element);
  const data = piece(
    "div", { class: "data" },
    ...(settings.data ? [settings.data.element] : []), layers.count, ...rest, settings.seed.element,
    press("weights", "Other first weights (w)", "Other weights"),
    ...notes.map((text) => piece("p", { class: "missing" }, text))
  );
  const some = piece(
    "p", { class: "missing", hidden: "" },
    "The losses are those of a part of the examples, so that the page stays quick."
  );
  data.append(some);
  const dialogs = makeDialogs(page);

  const actions = {
    restart: () => {
      pause(page);
      page.change({});
    },
    play: () => page.playing ? pause(page) : play(page),
    step: () => move(page, "step"),
    epoch: () => move(page, "epoch"),
    inside() {
      move(page, "inside");
      if (frame.classList.contains("narrow")) below.scrollIntoView();
    },
    weights: () => page.change({ seed: page.state.seed + 1 }),
    code: () => dialogs.code(),
    link: () => dialogs.link(),
    help: () => dialogs.help(),
    full() {
      const isOn = frame.classList.toggle("full");
      if (isOn) frame.requestFullscreen?.().catch(() => {});
      else if (document.fullscreenElement) document.exitFullscreen();
      arrange(page);
    },
  };
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement && frame.classList.contains("full")) actions.full();
  });
  frame.addEventListener("click", ({ target }) => {
    const pressed = target.closest("[data-do]");
    if (pressed && actions[pressed.dataset.do]) actions[pressed.dataset.do]();
  });
  frame.addEventListener("keydown", (event) => {
    const { key } = event, [target] = event.composedPath(), presses = key === " " || key === "Enter";
    if (
      event.ctrlKey || event.altKey || event.metaKey || key === "Tab" || event.defaultPrevented
        || target.closest("dialog")
    ) return;
    if (key === "Escape" && frame.classList.contains("full")) actions.full();
    else if (key === "Escape" && page.chosen) page.choose(null);
    else if (key === "Escape") return;
    event.stopPropagation(); // no key falls through to a notebook
    if (
      target.matches("select, input, textarea")
        || (presses && target.matches("button, [role=button], [tabindex]:not(.frame)"))
    ) return;
    const action = KEYS[key.length === 1 ? key.toLowerCase() : key];
    if (!action) return;
    event.preventDefault();
    actions[action]();
  });

  // On a narrow page the settings come last, except the two that are changed most; and the phases stand above the
  // network, which shows them. The bar stays in sight.
  const below = piece("div", { class: "below" }, notice, inside.element), first = piece("div", { class: "first" });
  function arrange(isNarrow) {
    if (isNarrow === (data.parentNode === frame)) return;
    if (isNarrow) {
      first.append(...(settings.data ? [settings.data.element] : []), settings.lr.element);
      top.after(first);
      data.prepend(fields);
      frame.append(data);
      page.view.network.parentNode.before(below);
    } else {
      first.remove();
      fields.prepend(settings.lr.element);
      if (settings.data) data.prepend(settings.data.element);
      page.body.after(below);
      extras.before(fields);
      page.body.prepend(data);
    }
  }

  function refresh() {
    const { trainer, state, playing } = page, done = state.before + trainer.epochs;
    const step = trainer.steps % trainer.stepsPerEpoch;
    write(epoch, String(Math.floor(done + 1e-9)));
    write(place, trainer.stepsPerEpoch > 1 ? `step ${step} of ${trainer.stepsPerEpoch}` : "");
    if (playButton.dataset.playing !== String(playing)) {
      playButton.dataset.playing = playing;
      playButton.replaceChildren(
        iconOf(ICONS[playing ? "pause" : "play"]), piece("span", {}, playing ? "Pause" : "Play")
      );
      playButton.ariaLabel = playing ? "Pause" : "Play";
      playButton.title = `${playButton.ariaLabel} (space)`;
    }
    inside.refresh();
    write(notice, page.sentence);
    notice.hidden = !page.sentence;
    if (playing && state === refresh.state) return; // what follows changes only when somebody changes it
    refresh.state = state;
    layers.refresh();
    speed.refresh();
    some.hidden = everyFew(page, page.examples) === page.examples;
    for (const setting of Object.values(settings)) setting.refresh();
  }

  return { top, data, arrange, layers, inside: below, phases: inside.phases, dialogs: dialogs.elements, refresh };
}

// Dialogs

async function copied(text, area) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { // without the permission, as in a frame, the browser copies what is selected
    area.focus();
    area.select();
    return document.execCommand("copy");
  }
}

function makeDialogs(page) {
  const opened = (name, title, ...content) => {
    const close = piece(
      "button", { type: "button", "aria-label": "Close", title: "Close (Escape)", class: "close" }, "\u00d7"
    );
    const dialog = piece(
      "dialog", { "aria-label": title, class: name }, piece("div", { class: "head" }, piece("h2", {}, title), close),
      ...content
    );
    close.onclick = () => dialog.close();
    dialog.onclick = ({ target }) => target === dialog && dialog.close(); // beside it
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    dialog.onclose = () => page.frame.focus({ preventScroll: true });
    return dialog;
  };
  const copying = (area, told) => {
    const button = piece("button", { type: "button", class: "main" }, "Copy");
    button.onclick = async () => {
      told.textContent = await copied(area.value, area) ? "Copied." : "It is selected: copy it with Ctrl+C or Cmd+C.";
    };
    return button;
  };
  const text = piece("textarea", {
    readonly: "", rows: 18, wrap: "off", "aria-label": "Python code", spellcheck: "false",
  });
  const needs = piece("p"), told = piece("span", { role: "status" });
  const code = opened(
    "code", "This network as Python", needs, text, piece("div", { class: "row" }, copying(text, told), told)
  );
  const address = piece("input", { readonly: "", "aria-label": "Link" }), said = piece("p");
  const linkTold = piece("span", { role: "status" });
  const link = opened(
    "link", "A link that holds this state", said, address,
    piece("div", { class: "row" }, copying(address, linkTold), linkTold)
  );
  const keys = Object.keys(HELP).flatMap((key) => [piece("dt", {}, key), piece("dd", {}, HELP[key])]);
  const help = opened("help", "Keys", piece("dl", {}, ...keys));
  return {
    elements: [code, link, help],
    code(sentence = "") {
      pause(page);
      text.value = pythonCode(page);
      needs.textContent = hasRoomForData(page)
        ? "Running it gives the weights of this moment."
        : "Put your X and y in first: they are too long to be copied. "
          + "Then running it gives the weights of this moment.";
      told.textContent = sentence;
      code.showModal();
      code.querySelector(".main").focus();
      text.scrollTop = 0;
    },
    // In a notebook there is no address that could hold it.
    link() {
      pause(page);
      if (!isOwnPage()) {
        return this.code(
          "A notebook has no address that could hold the state: copy the code instead, or save the page to a file."
        );
      }
      const made = linkOf(page);
      address.value = location.href.split("#")[0] + made.link;
      said.textContent = made.said;
      linkTold.textContent = "";
      writeAddress(made.link, page);
      link.showModal();
      address.select();
    },
    help: () => help.showModal(),
  };
}
