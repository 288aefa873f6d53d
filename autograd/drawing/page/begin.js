// Turns the pictures and tables of an explanation, wherever they stand in the page, into steppers.

// A host that is not read whole yet is started by the script behind it.
for (const host of document.querySelectorAll(`[data-autograd-stepper="${NAME}"]`)) {
  const image = host.querySelector("img");
  if (host.shadowRoot || !host.querySelector("details")) continue;
  start(host, MODEL, decodeURIComponent(image.src.slice(image.src.indexOf(",") + 1)), image.alt);
  image.style.display = "none";
}
