"use strict";
/*
 * Draws the charts again at the width that they have, with zoom and values under the pointer, all
 * over the same range of x. Without it the page shows its charts whole.
 */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const LEFT = 54, RIGHT = 12, ABOVE = 30, BELOW = 40, DOTS_MOST = 20, COLOURS = 6,
    DENSE = 300;
  const boxes = data.runs.map((_, i) => document.getElementById("run" + i));
  const shown = (run) => !boxes[run] || boxes[run].checked;
  const whole = span(data.charts.flatMap((c) => c.lines.flatMap((l) => l.x)));
  let range = whole, cross = null;

  function span(values) {
    let low = Infinity, high = -Infinity;
    for (const v of values) {
      if (v === null) continue;
      if (v < low) low = v;
      if (v > high) high = v;
    }
    if (low > high) return [0, 1];
    return low === high ? [low - 0.5, high + 0.5] : [low, high];
  }

  function make(parent, name, attributes, text) {
    const element = document.createElementNS(SVG, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    return parent.appendChild(element);
  }

  /* ------------------------------------------------------------------ axes */

  /* Round numbers from low to high, about `most` of them. */
  function ticks(low, high, most, least) {
    const raw = Math.max((high - low) / most, least || 0, 1e-300);
    const power = 10 ** Math.floor(Math.log10(raw) + 1e-9);
    const stride = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
    const out = [];
    for (let i = Math.ceil(low / stride - 1e-9); i * stride <= high + stride * 1e-9; i++)
      out.push(i * stride);
    return out;
  }

  /* Powers of ten, and between them 2 and 5 where there is room. */
  function logTicks(low, high) {
    const out = [], decades = high - low;
    for (let p = Math.floor(low); p <= Math.ceil(high); p++)
      for (const m of decades < 1.2 ? [1, 1.5, 2, 3, 5, 7] : decades < 4 ? [1, 2, 5] : [1]) {
        const at = Math.log10(m) + p;
        if (at >= low - 1e-9 && at <= high + 1e-9) out.push(at);
      }
    return out.length > 1 ? out : ticks(low, high, 4);
  }

  function label(v) {
    const size = Math.abs(v);
    if (size < 1e-15) return "0";
    if (size < 1e-3 || size >= 1e6) return v.toExponential(2).replace(/\.?0+e/, "e").replace("+", "");
    return String(+v.toPrecision(6)).replace(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, ",");
  }

  function number(v) {
    if (v === null || v === undefined) return "\u2013";
    const size = Math.abs(v);
    return size !== 0 && (size < 1e-3 || size >= 1e6) ? v.toExponential(3) : String(+v.toPrecision(5));
  }

  /* ---------------------------------------------------------------- charts */

  class Chart {
    constructor(figure, chart) {
      this.chart = chart;
      this.plot = figure.querySelector(".plot");
      this.svg = this.plot.querySelector("svg");
      this.log = figure.querySelector(".log");
      this.reset = figure.querySelector(".reset");
      this.tip = this.plot.appendChild(document.createElement("div"));
      this.tip.className = "tip";
      this.tip.hidden = true;
      this.svg.tabIndex = 0;
      this.svg.setAttribute("aria-label", chart.title +
        ": arrow keys move along, + and - zoom, 0 shows the whole range");
      if (this.log) {
        this.log.checked = false;
        this.log.addEventListener("change", () => this.draw());
      }
      this.reset.addEventListener("click", () => zoom(whole));
      this.listen();
    }

    get isLog() { return this.log !== null && this.log.checked; }
    lines() { return this.chart.lines.filter((l) => shown(l.run)); }
    scale(v) {
      if (v === null) return null;
      return this.isLog ? (v > 0 ? Math.log10(v) : null) : v;
    }
    px(x) { return LEFT + (this.width - LEFT - RIGHT) * (x - range[0]) / (range[1] - range[0]); }
    py(y) { return ABOVE + (this.height - ABOVE - BELOW) * (this.high - y) / (this.high - this.low); }
    x(px) {
      const part = (px - LEFT) / (this.width - LEFT - RIGHT);
      return range[0] + Math.min(Math.max(part, 0), 1) * (range[1] - range[0]);
    }

    /* The values in sight; the axis begins at 0 where they come near it. */
    fit() {
      const ys = [];
      for (const l of this.lines())
        for (let i = 0; i < l.x.length; i++)
          if (l.x[i] !== null && l.x[i] >= range[0] && l.x[i] <= range[1]) ys.push(this.scale(l.y[i]));
      let [low, high] = span(ys);
      this.empty = !ys.some((y) => y !== null);
      const middle = (low + high) / 2;
      if (ys.every((y) => y === null || y === middle) && middle !== 0 && !this.isLog) {
        low = middle - 0.1 * Math.abs(middle);
        high = middle + 0.1 * Math.abs(middle);
      } else if (!this.isLog && low > 0 && low < 0.4 * high) low = 0;
      const room = 0.04 * (high - low);
      this.low = low === 0 ? 0 : low - room;
      this.high = high + room;
    }

    draw() {
      const svg = this.svg;
      this.width = Math.max(this.plot.clientWidth, 200);
      this.height = Math.round(Math.min(Math.max(this.width / 2, 210), 300));
      svg.replaceChildren();
      svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
      this.reset.hidden = range === whole;
      this.fit();
      if (this.empty) {
        make(svg, "text", {x: this.width / 2, y: this.height / 2, "text-anchor": "middle"},
          "no numbers here");
        return;
      }
      this.axes();
      const clip = "clip" + charts.indexOf(this);
      make(make(svg, "clipPath", {id: clip}), "rect", {x: LEFT - 4, y: ABOVE - 8,
        width: this.width - LEFT - RIGHT + 8, height: this.height - ABOVE - BELOW + 11});
      const field = make(svg, "g", {"clip-path": `url(#${clip})`});
      for (const m of data.marks) if (shown(m.run)) this.mark(field, m);
      for (const l of this.lines()) this.line(field, l);
      this.over = make(svg, "g", {});
      this.point();
    }

    axes() {
      const right = this.width - RIGHT, bottom = this.height - BELOW;
      const ys = this.isLog ? logTicks(this.low, this.high) : ticks(this.low, this.high, 6);
      for (const y of ys) {
        const at = this.py(y);
        make(this.svg, "line", {class: "grid", x1: LEFT, y1: at, x2: right, y2: at});
        make(this.svg, "text", {x: LEFT - 7, y: at + 4, "text-anchor": "end"},
          label(this.isLog ? +(10 ** y).toPrecision(3) : y));
      }
      make(this.svg, "line", {class: "axis", x1: LEFT, y1: bottom, x2: right, y2: bottom});
      const width = range[1] - range[0];
      const xs = ticks(range[0], range[1], Math.max(this.width / 50, 3), width > 2 ? 1 : 0);
      for (const x of width > 2 ? xs.filter(Number.isInteger) : xs) {
        const at = this.px(x);
        make(this.svg, "line", {class: "axis", x1: at, y1: bottom, x2: at, y2: bottom + 4});
        make(this.svg, "text", {x: at, y: bottom + 18, "text-anchor": "middle"}, label(x));
      }
      make(this.svg, "text", {x: 2, y: 14}, this.chart.y);
      make(this.svg, "text", {x: (LEFT + right) / 2, y: this.height - 5, "text-anchor": "middle"},
        this.chart.x);
    }

    /* Whether many points go up and down. */
    isDense(l) {
      let turns = 0;
      for (let i = 2; i < l.y.length; i++)
        if ((l.y[i] - l.y[i - 1]) * (l.y[i - 1] - l.y[i - 2]) < 0) turns++;
      return l.y.length > DENSE && turns > l.y.length / 4;
    }

    kind(l) {
      return `s${l.run % COLOURS}` + (this.isDense(l) ? " dense" : "") + (l.dash ? ` d${l.dash % 4}` : "") +
        (Math.floor(l.run / COLOURS) % 2 ? " again" : "");
    }

    line(field, l) {
      let path = "", drawing = false;
      const ys = l.y.map((y, i) => l.x[i] === null ? null : this.scale(y));
      const dot = (i) => make(field, "circle", {class: `dot s${l.run % COLOURS}`, r: 3,
        cx: this.px(l.x[i]), cy: this.py(ys[i])});
      ys.forEach((y, i) => {
        if (y !== null)
          path += `${drawing ? "L" : "M"}${this.px(l.x[i]).toFixed(1)} ${this.py(y).toFixed(1)}`;
        drawing = y !== null;
      });
      if (path) make(field, "path", {class: "line " + this.kind(l), d: path});
      ys.forEach((y, i) => {
        const alone = (ys[i - 1] ?? null) === null && (ys[i + 1] ?? null) === null;
        if (y !== null && (alone || ys.length <= DOTS_MOST)) dot(i);
      });
    }

    mark(field, m) {
      if (m.x === null || m.x < range[0] || m.x > range[1]) return;
      const x = this.px(m.x), g = make(field, "g", {class: `event s${m.run % COLOURS}`});
      make(g, "title", {}, `${data.runs[m.run]}: ${m.kind}: ${m.text}`);
      make(g, "line", {class: "mark", x1: x, y1: ABOVE, x2: x, y2: this.height - BELOW});
      make(g, "path", {class: "flag", d: `M${x} ${ABOVE}l-4 -7h8z`});
    }

    /* -------------------------------------------------- what is pointed at */

    /* The line's point that is nearest to the cross; -1 where the line does not reach it. */
    at(l) {
      let best = -1;
      for (let i = 0; i < l.x.length; i++)
        if (l.x[i] !== null && this.scale(l.y[i]) !== null &&
            (best < 0 || Math.abs(l.x[i] - cross) < Math.abs(l.x[best] - cross))) best = i;
      if (best < 0) return -1;
      const far = (i) => Math.abs((l.x[i] ?? l.x[best]) - l.x[best]) / 2;
      const reach = Math.max(far(best - 1), far(best + 1), (range[1] - range[0]) / 50);
      return Math.abs(l.x[best] - cross) <= reach * 1.001 ? best : -1;
    }

    /* The cross with the values at it, in words where the pointer is. */
    point(words) {
      if (this.empty) return;
      this.over.replaceChildren();
      this.tip.hidden = true;
      if (cross === null) return;
      const x = this.px(cross);
      if (this.from !== undefined && this.from !== null) {
        const from = this.px(this.from);
        make(this.over, "rect", {class: "chosen", x: Math.min(x, from), y: ABOVE,
          width: Math.abs(x - from), height: this.height - ABOVE - BELOW});
      }
      make(this.over, "line", {class: "cross", x1: x, y1: ABOVE, x2: x, y2: this.height - BELOW});
      const rows = [];
      for (const l of this.lines()) {
        const i = this.at(l);
        if (i < 0) continue;
        rows.push([l, i]);
        if (l.x[i] >= range[0] && l.x[i] <= range[1])
          make(this.over, "circle", {class: `dot s${l.run % COLOURS}`, r: 4,
            cx: this.px(l.x[i]), cy: this.py(this.scale(l.y[i]))});
      }
      if (words && rows.length) this.tell(rows, x);
    }

    tell(rows, x) {
      const several = new Set(this.chart.lines.map((l) => l.name)).size > 1;
      const head = document.createElement("div");
      head.textContent = `${this.chart.x} ${number(rows[0][0].x[rows[0][1]])}`;
      this.tip.replaceChildren(head);
      for (const [l, i] of rows) {
        const row = this.tip.appendChild(document.createElement("div"));
        const swatch = row.appendChild(document.createElement("i"));
        swatch.className = `swatch s${l.run % COLOURS}`;
        const name = row.appendChild(document.createElement("span"));
        name.className = "name";
        name.textContent = (data.runs.length > 1 ? data.runs[l.run] + " " : "") +
          (several || data.runs.length === 1 ? l.name : "");
        row.appendChild(document.createElement("b")).textContent = number(l.y[i]);
      }
      this.tip.hidden = false;
      const room = this.plot.clientWidth - this.tip.offsetWidth;
      const left = x < this.width / 2 ? x + 14 : x - this.tip.offsetWidth - 14;
      this.tip.style.left = Math.min(Math.max(left, 0), Math.max(room, 0)) + "px";
      this.tip.style.top = ABOVE + 6 + "px";
    }

    listen() {
      const at = (e) => this.x((e.clientX - this.svg.getBoundingClientRect().left) *
        this.width / this.svg.clientWidth);
      this.svg.addEventListener("pointermove", (e) => aim(at(e), this));
      this.svg.addEventListener("pointerleave", () => this.from === null && aim(null));
      this.svg.addEventListener("blur", () => aim(null));
      this.svg.addEventListener("dblclick", () => zoom(whole));
      this.svg.addEventListener("pointerdown", (e) => {
        if (e.button !== 0) return;
        this.from = at(e);
        this.svg.setPointerCapture(e.pointerId);
        aim(this.from, this);
      });
      this.svg.addEventListener("pointerup", (e) => {
        const from = this.from, to = at(e);
        this.from = null;
        if (from !== null && Math.abs(this.px(to) - this.px(from)) > 8)
          zoom([Math.min(from, to), Math.max(from, to)]);
        else aim(to, this);
      });
      this.svg.addEventListener("pointercancel", () => { this.from = null; aim(null); });
      this.svg.addEventListener("keydown", (e) => this.key(e));
      this.from = null;
    }

    key(e) {
      const width = range[1] - range[0];
      const here = cross === null ? (range[0] + range[1]) / 2 : cross;
      const steps = {ArrowLeft: -1, ArrowRight: 1};
      if (e.ctrlKey || e.altKey || e.metaKey) return;
      if (e.key in steps)
        aim(Math.min(Math.max(here + steps[e.key] * width / 50, range[0]), range[1]), this);
      else if (e.key === "+" || e.key === "=") zoom([here - width / 4, here + width / 4]);
      else if (e.key === "-") zoom([here - width, here + width]);
      else if (e.key === "0" || e.key === "Escape") zoom(whole);
      else return;
      e.preventDefault();
    }
  }

  /* ----------------------------------------------------------- all together */

  function zoom(to) {
    const low = Math.max(to[0], whole[0]), high = Math.min(to[1], whole[1]);
    range = high - low > 1e-9 * (whole[1] - whole[0]) && (low > whole[0] || high < whole[1])
      ? [low, high] : whole;
    cross = null;
    charts.forEach((c) => c.draw());
  }

  function aim(x, here) {
    cross = x;
    charts.forEach((c) => c.point(c === here));
  }

  const figures = document.querySelectorAll("figure.chart");
  const charts = data.charts.map((c, i) => new Chart(figures[i], c));
  const draw = () => charts.forEach((c) => c.draw());
  document.body.classList.add("live");
  boxes.forEach((box) => box.addEventListener("change", draw));
  let width = 0;
  new ResizeObserver(() => {
    if (document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    requestAnimationFrame(draw);
  }).observe(document.body);
  window.addEventListener("beforeprint", draw);
  draw();
})();
