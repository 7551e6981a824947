"use strict";
const about = JSON.parse(document.getElementById("about").textContent);
const bytesOf = id => Uint8Array.from(atob(document.getElementById(id).textContent.trim()), c => c.charCodeAt(0));
const generator = network(JSON.parse(document.getElementById("graph").textContent), bytesOf("constants"));
const [height, width, channels] = about.image;
const start = new Float32Array(bytesOf("latents").buffer);
const find = id => document.getElementById(id);

// the pixels, red, green, blue and opacity, of one image
function generate(latents, label) {
  const inputs = { latents: { shape: [1, about.latents], data: Float32Array.from(latents) } };
  if (about.classes.length) inputs.labels = { shape: [1], data: Int32Array.of(label) };
  const made = generator(inputs).data, pixels = new Uint8ClampedArray(4 * height * width);
  const level = value => Math.round((Math.min(Math.max(value, -1), 1) + 1) * 127.5);
  for (let i = 0; i < height * width; i++)
    for (let k = 0; k < 4; k++)
      pixels[4 * i + k] = k === 3 ? (channels === 4 ? level(made[4 * i + 3]) : 255)
        : level(made[channels * i + (channels < 3 ? 0 : k)]);
  return pixels;
}

// numbers in [0, 1) that depend on the seed alone (mulberry32)
function random(seed) {
  return () => {
    let t = seed = seed + 0x6D2B79F5 | 0;
    t = Math.imul(t ^ t >>> 15, t | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

function draw(n, next) {
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return Array.from({ length: n }, () => {
    const one = Float32Array.from({ length: about.latents }, () => about.drawn === "uniform" ? 2 * next() - 1 : normal());
    if (about.drawn !== "sphere") return one;
    const mean = one.reduce((total, value) => total + value * value, 0) / one.length;
    return one.map(value => value / Math.sqrt(mean));
  });
}

// on the great circle from one latent vector to another, whose points are as long as the latents of the training
function between(a, b, share) {
  if (about.drawn === "uniform") return a.map((value, i) => (1 - share) * value + share * b[i]);
  const dot = (x, y) => x.reduce((total, value, i) => total + value * y[i], 0);
  const cosine = Math.min(Math.max(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)), -1 + 1e-6), 1 - 1e-6);
  const angle = Math.acos(cosine);
  return a.map((value, i) => (Math.sin((1 - share) * angle) * value + Math.sin(share * angle) * b[i]) / Math.sin(angle));
}

const shown = { latents: [], from: 0, to: 1, cells: [], run: 0 };

function put(canvas, pixels) {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
}

const label = () => about.classes.length ? Number(find("class").value) : 0;

function walk() {
  const share = Number(find("walk").value);
  find("share").textContent = `${Math.round(100 * share)} %`;
  put(find("image"), generate(between(shown.latents[shown.from], shown.latents[shown.to], share), label()));
}

function mark() {
  shown.cells.forEach((cell, i) => {
    cell.classList.toggle("from", i === shown.from);
    cell.classList.toggle("to", i === shown.to);
  });
}

// one image after the other, so that the page answers meanwhile
function fill() {
  const run = ++shown.run;
  mark();
  walk();
  const next = i => {
    if (run !== shown.run || i === shown.cells.length) return;
    put(shown.cells[i], generate(shown.latents[i], label()));
    setTimeout(next, 0, i + 1);
  };
  next(0);
}

function choose(i) {
  [shown.from, shown.to] = [shown.to, i];
  find("walk").value = 1;
  mark();
  walk();
}

function again() {
  const seed = Number(find("seed").value);
  shown.latents = seed ? draw(about.shown, random(seed))
    : Array.from({ length: about.shown }, (_, i) => start.slice(i * about.latents, (i + 1) * about.latents));
  [shown.from, shown.to] = [0, 1];
  fill();
}

function save(canvas, name) {
  const link = document.createElement("a");
  link.download = `${name}.png`;
  link.href = canvas.toDataURL("image/png");
  link.click();
}

function grid() {
  const columns = Math.ceil(Math.sqrt(shown.cells.length)), whole = document.createElement("canvas");
  whole.width = columns * width;
  whole.height = Math.ceil(shown.cells.length / columns) * height;
  shown.cells.forEach((cell, i) =>
    whole.getContext("2d").drawImage(cell, i % columns * width, Math.floor(i / columns) * height));
  return whole;
}

function play() {
  if (shown.playing) {
    cancelAnimationFrame(shown.playing);
    shown.playing = null;
    find("play").textContent = "Play";
    return;
  }
  find("play").textContent = "Stop";
  let before = null, share = Number(find("walk").value) % 1;
  const step = now => {
    share += before === null ? 0 : (now - before) / 3000;
    before = now;
    if (share >= 1) {
      share -= 1;
      [shown.from, shown.to] = [shown.to, Math.floor(Math.random() * shown.latents.length)];
      mark();
    }
    find("walk").value = share;
    walk();
    shown.playing = requestAnimationFrame(step);
  };
  shown.playing = requestAnimationFrame(step);
}

for (let i = 0; i < about.shown; i++) {
  const cell = document.createElement("canvas");
  cell.setAttribute("role", "button");
  cell.setAttribute("aria-label", `image ${i + 1}`);
  cell.tabIndex = 0;
  cell.addEventListener("click", () => choose(i));
  cell.addEventListener("keydown", event => { if (event.key === "Enter" || event.key === " ") choose(i); });
  find("grid").append(cell);
  shown.cells.push(cell);
}
if (about.classes.length) {
  find("classes").hidden = false;
  find("class").max = about.classes.length - 1;
  const name = () => { find("name").textContent = about.classes[label()]; };
  find("class").addEventListener("input", () => { name(); fill(); });
  name();
}
find("walk").addEventListener("input", walk);
find("seed").addEventListener("change", again);
find("new").addEventListener("click", () => { find("seed").value = Number(find("seed").value) + 1; again(); });
find("play").addEventListener("click", play);
find("save").addEventListener("click", () => save(find("image"), "image"));
find("save-grid").addEventListener("click", () => save(grid(), "grid"));
again();
