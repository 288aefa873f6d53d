// Turns the picture and table of an explanation into a stepper. It shows what was recorded and computes nothing.
(() => {
  "use strict";
  const STYLE = "STEPPER_STYLE";

  function element(tag, attributes, text) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function pictureOf(image) {
    const bytes = Uint8Array.from(atob(image.src.split(",")[1]), (c) => c.charCodeAt(0));
    const text = new TextDecoder("utf-8").decode(bytes);
    const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    const [, , width, height] = svg.getAttribute("viewBox").split(/\s+/).map(Number);
    svg.setAttribute("width", `${width * 1.2}`); // points to pixels, a little smaller
    svg.setAttribute("height", `${height * 1.2}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", image.alt);
    return document.importNode(svg, true);
  }

  function isDark() {
    const { body } = document;
    if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
    if (body.classList.contains("vscode-dark") || body.classList.contains("vscode-high-contrast")) return true;
    if (body.classList.contains("vscode-light")) return false;
    return window.matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function start(host) {
    const image = host.querySelector("img");
    const steps = JSON.parse(host.dataset.steps);
    const root = host.attachShadow({ mode: "open" });
    const frame = element("div", { class: "frame", role: "group", tabindex: "0", "aria-label": "Back-propagation, step by step" });
    frame.setAttribute("data-lm-suppress-shortcuts", "true");
    const bar = element("div", { class: "bar" });
    const buttons = {};
    for (const [name, sign, hint] of [
      ["first", "|◀◀", "First (Home)"], ["previous", "|◀", "Previous (left, k)"], ["play", "▶", "Play (space)"],
      ["next", "▶|", "Next (right, j)"], ["last", "▶▶|", "Last (End)"],
    ]) {
      buttons[name] = element("button", { type: "button", title: hint, "aria-label": hint.split(" (")[0], "data-do": name }, sign);
      bar.append(buttons[name]);
    }
    const slider = element("input", { type: "range", min: "0", max: String(steps.length), value: "0", "aria-label": "Step" });
    const count = element("span", { class: "count" });
    bar.append(slider, count);
    const picture = element("div", { class: "picture" });
    const svg = pictureOf(image);
    picture.append(svg);
    const panel = element("div", { class: "panel", "aria-live": "polite" });
    const phase = element("span", { class: "phase" });
    const title = element("span", { class: "title" });
    const lines = element("pre", { class: "lines" });
    panel.append(phase, title, lines);
    frame.append(bar, picture, panel);
    image.style.display = "none";
    root.append(element("style", {}, STYLE), frame, element("slot"));

    // The boxes that show numbers: their last two lines are "data ..." and "grad ...".
    const boxes = new Map();
    for (const group of svg.querySelectorAll("g.node")) {
      const texts = [...group.querySelectorAll("text")];
      const last = texts.length - 1;
      if (last < 1 || !texts[last].textContent.startsWith("grad ")) continue;
      boxes.set(group.id.slice(2), {
        group, data: texts[last - 1], grad: texts[last], number: texts[last - 1].textContent, computed: false,
      });
    }
    for (const step of steps) {
      if (step.phase === "forward" && boxes.has(String(step.box))) boxes.get(String(step.box)).computed = true;
    }
    const arrows = new Map([...svg.querySelectorAll("g.edge")].map((group) => [group.id, group]));
    const write = (text, content) => { if (text.textContent !== content) text.textContent = content; };

    let now = 0;
    function show(k) {
      now = Math.max(0, Math.min(steps.length, k));
      const data = {}, grad = {};
      for (const step of steps.slice(0, now)) {
        Object.assign(data, step.texts.data);
        Object.assign(grad, step.texts.grad);
      }
      const step = now ? steps[now - 1] : null;
      const receiving = step && step.phase === "backward" ? step.texts.grad : {};
      for (const [id, box] of boxes) {
        const known = id in data;
        write(box.data, known ? `data ${data[id]}` : box.computed ? " " : box.number);
        write(box.grad, id in grad ? `grad ${grad[id]}` : " ");
        box.group.classList.toggle("pending", box.computed && !known);
        box.group.classList.toggle("current", step !== null && String(step.box) === id);
        box.group.classList.toggle("receiving", id in receiving && String(step.box) !== id);
      }
      const lit = new Set(step ? step.arrows : []);
      for (const [id, arrow] of arrows) {
        const head = boxes.get(id.split("_")[1]);
        arrow.classList.toggle("current", lit.has(id));
        arrow.classList.toggle("pending", Boolean(head) && head.group.classList.contains("pending"));
      }
      frame.dataset.phase = step ? step.phase : "start";
      write(phase, step ? `${step.phase} pass`.replace("update pass", "update") : "start");
      write(title, step ? step.title : "the leaves are given; press Next");
      write(lines, step ? step.lines.join("\n") : "");
      write(count, `${now} / ${steps.length}`);
      slider.value = String(now);
      slider.setAttribute("aria-valuetext", step ? `${now}: ${step.phase}, ${step.title}` : "start");
      buttons.first.disabled = buttons.previous.disabled = now === 0;
      buttons.next.disabled = buttons.last.disabled = now === steps.length;
      if (step) reveal(boxes.get(String(step.box)));
      if (root.activeElement && root.activeElement.disabled) frame.focus({ preventScroll: true }); // or keys would be lost
    }

    function reveal(box) { // scrolls the picture, not the page
      if (!box) return;
      const inner = box.group.getBoundingClientRect(), outer = picture.getBoundingClientRect();
      if (inner.left < outer.left || inner.right > outer.right) picture.scrollLeft += inner.left - outer.left - outer.width / 2;
      if (inner.top < outer.top || inner.bottom > outer.bottom) picture.scrollTop += inner.top - outer.top - outer.height / 2;
    }

    let timer = null;
    function stop() {
      if (timer !== null) clearInterval(timer);
      timer = null;
      buttons.play.textContent = "▶";
      buttons.play.setAttribute("aria-label", "Play");
    }
    function play() {
      if (timer !== null) return stop();
      if (now === steps.length) show(0);
      buttons.play.textContent = "❚❚";
      buttons.play.setAttribute("aria-label", "Pause");
      timer = setInterval(() => {
        if (!host.isConnected || now >= steps.length) return stop();
        show(now + 1);
        if (now >= steps.length) stop();
      }, 900);
    }

    const actions = {
      first: () => show(0), previous: () => show(now - 1), next: () => show(now + 1), last: () => show(steps.length), play,
    };
    const keys = {
      ArrowLeft: "previous", k: "previous", ArrowRight: "next", j: "next", Home: "first", End: "last", " ": "play",
    };
    bar.addEventListener("click", (event) => {
      const name = event.target.dataset.do;
      if (!name) return;
      if (name !== "play") stop();
      actions[name]();
    });
    slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
    frame.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key !== "Tab" && event.key !== "Escape") event.stopPropagation(); // no key falls through to a notebook
      const name = keys[event.key];
      if (!name || (event.key === " " && event.composedPath()[0].tagName === "BUTTON")) return;
      event.preventDefault();
      if (name !== "play") stop();
      actions[name]();
    });

    const dress = () => { frame.dataset.theme = isDark() ? "dark" : "light"; };
    new MutationObserver(dress).observe(document.body, { attributes: true });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
    dress();
    show(0);
    if (document.body.dataset.page === "stepper") frame.focus({ preventScroll: true }); // keys work at once
  }

  for (const host of document.querySelectorAll('[data-autograd-stepper="STEPPER_NAME"]')) {
    if (!host.shadowRoot) start(host);
  }
})();
