// Asks for each gradient before it is shown, and names the usual mistakes. A wrong answer never shows the right one.

// Whether x is the number a, to the significant digits of x; if these are less than two, but for a rounding error.
function agrees(x, digits, a) {
  const unit = digits < 2 ? Math.abs(x) * 1e-11 : 10 ** (x.toExponential().split("e")[1] - digits + 1);
  return x === a || (x !== x && a !== a) || Math.abs(x - a) < unit / 1.99999;
}

// How many significant digits the longest number in a typed text has.
function digitsOf(text) {
  const numbers = text.replace(/e[+-]?\d+/gi, "").match(/[\d.]+/g) || [""];
  return Math.max(...numbers.map((one) => one.replace(".", "").replace(/^0+/, "").length));
}

// What may be answered: the right number, then the usual mistakes, each after its sentence.
function answers({ node, slot, operand, name, receiver, operands }, number) {
  const times = (x, y) => (x === 0 || y === 0 ? 0 : x * y), [g, l, b] = [`g${node}`, `l${node}.${slot}`, `b${node}.${slot}`].map(number);
  const c = times(g, l), local = `d ${name}/d ${receiver}`;
  // By the operand that is asked for, these are among the rows before.
  const others = [`v${operand}`, ...operands.map((_, i) => `l${node}.${i}`)].map((code) => times(g, number(code)));
  return [
    ["Right", b + c],
    [`That is only what ${name} adds (+=) to grad ${receiver}, which had a sum before`, c],
    [`The upstream gradient is missing: multiply ${local} by grad ${name}`, l, b + l],
    [`That is what grad ${receiver} was before`, b],
    [`That is another operand's local derivative, or ${receiver} itself: take ${local}`, ...others, ...others.map((x) => b + x)],
    ["Look at the sign", -b - c, b - c, -c],
    [`That is grad ${name} unchanged: multiply it by ${local}`, g, b + g],
  ];
}

function makeQuiz(page) {
  const { steps, nodes } = page.model, { number } = page.engine, show = (code) => page.shown(number(code));
  const questions = steps.flatMap(({ phase, node }, s) => (phase === "backward" ? nodes[node][3] : []).flatMap((operand, slot, operands) => (
    Array.isArray(operand) ? [] : { s, node, slot, operand, operands, name: nodes[node][1], receiver: nodes[operand][1] })));
  const next = (s) => questions.find((one) => !one.state && (s === undefined || one.s === s));
  // The table of the steps has the answers; where a page has none, nothing is said of it.
  const summary = page.host.querySelector("summary") ?? element("summary"), table = summary.textContent.replace(" (with the answers)", "");
  const form = element("form", { class: "quiz" });
  form.innerHTML = '<p></p><p class="said" role="status"></p><label for="answer"></label><input id="answer" autocomplete="off"><button></button>'
    + '<button type="button">Show me</button><p class="score"></p>';
  const [given, said, label, input, go, help, score] = form.children;
  let asked;

  // Says what is wrong with an answer; one that is no number, or nearly right, does not count.
  function judge(text) {
    const x = parsed(text), digits = digitsOf(text), all = answers(asked, number);
    if (x === undefined) return `Type a number${hasComma(text) ? " with a decimal point, as in 1.5" : ", such as -0.25, -3*2, 2/3, nan or inf"}`;
    // Who computes with the numbers on the screen, which are rounded, is right too.
    const near = answers(asked, (code) => parsed(show(code)));
    const found = all.findIndex((one, i) => [...one, ...near[i]].some((a) => a.toFixed && agrees(x, digits, a)));
    if (!found) return settle(asked.missed ? "later" : "first");
    if (found < 0 && Math.abs(x - all[0][1]) < Math.abs(x) / (digits < 2 ? 2 : 99)) return "Nearly: check the digits, and give two or more";
    asked.missed = true;
    return found < 0 ? "No: take the upstream gradient times the local derivative, plus what was there" : all[found][0];
  }

  function settle(state) {
    const { s, node, slot, receiver } = asked;
    asked.state = state;
    page.go(s + 1);
    said.textContent = `${state === "given" ? "" : "Right: "}grad ${receiver} = ${show(`a${node}.${slot}`)}`;
  }

  function scoreNow() {
    const of = (state) => questions.filter((one) => one.state === state).length, done = questions.length - of();
    const again = new Set(questions.filter((one) => one.state !== "first").map((one) => one.s + 1));
    const count = (n) => `${n} question${n > 1 ? "s" : ""}`;
    if (!questions.length) return "There is nothing to ask.";
    return (done ? `${of("first")} of ${count(done)} right at the first try${of("given") ? `, ${of("given")} shown` : ""}. ` : "")
      + (of() ? `${count(of())} to come.` : again.size ? `Look again at step ${[...again].join(", ")}.` : "All done.");
  }

  // Shows a question, or where there is none the button that goes on; and the score.
  function fill(question) {
    const inside = form.contains(page.root.activeElement), isOver = !next();
    given.hidden = label.hidden = input.hidden = help.hidden = !question;
    go.textContent = question ? "Check" : isOver ? "start over" : "next question";
    go.hidden = !questions.length;
    if (asked !== question || !question) input.value = said.textContent = "";
    score.textContent = scoreNow();
    page.panel.replaceChildren(form);
    // At the end Enter does not start over.
    if (question ? asked !== question : inside) (question ? input : isOver ? page.frame : go).focus({ preventScroll: true });
    asked = question;
  }

  help.onclick = () => settle("given");
  form.onsubmit = (event) => {
    event.preventDefault();
    if (!asked) return next() ? page.go(steps.length) : quiz.turn(true);
    const comment = judge(input.value);
    if (!comment) return;
    said.textContent = `${comment}. Try again.`;
    input.select();
  };
  // Letters and arrows belong to the input, not to the stepper.
  input.onkeydown = (event) => event.key === "Escape" || event.stopPropagation();

  const quiz = {
    on: false,
    turn(on) {
      quiz.on = on;
      for (const one of questions) one.state = one.missed = undefined;
      summary.textContent = on ? `${table} (with the answers)` : table;
      if (on && summary.parentNode) summary.parentNode.open = false;
      page.go(0);
    },
    // The position at which going to position k must stop: before the first step with open questions.
    stop: (k) => (quiz.on && next() ? Math.min(k, next().s) : k),
    ask(s) {
      const question = next(s), { node, slot, name, receiver } = question, at = `${node}.${slot}`;
      fill(question);
      given.textContent = `grad ${name} = ${show(`g${node}`)},  d ${name}/d ${receiver} = ${show(`l${at}`)},  grad ${receiver} so far: ${show(`b${at}`)}`;
      label.textContent = `grad ${receiver} becomes `;
    },
    asks: () => quiz.on && !!asked,
    remind() {
      said.textContent ||= "Answer first, or press Show me.";
    },
    leave() {
      if (quiz.on) fill();
      else {
        asked = undefined;
        page.panel.replaceChildren();
      }
    },
  };
  return quiz;
}
