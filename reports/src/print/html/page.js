/* Draws the charts of a page and moves its tables. Everything shown is in the page already; nothing is fetched. */
(function () {
"use strict";

window.addEventListener("error", function (event) {
  var box = document.getElementById("broken");
  box.hidden = false;
  box.textContent = "A part of this page failed to draw: " + event.message + ". The tables are complete.";
});

// ---- figures as text ------------------------------------------------------------------------------------------------

function digits(value, most) {
  return value.toLocaleString("en-US", { maximumFractionDigits: most });
}
function significant(value) {
  var size = Math.abs(value);
  return digits(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
var write = {
  time: function (s) {
    var minus = s < 0 ? "-" : "", whole = Math.floor(Math.abs(s) + 1e-9), rest = Math.abs(s) - whole;
    var h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60, sec = whole % 60;
    var two = function (n) { return (n < 10 ? "0" : "") + n; };
    var tail = rest > 1e-6 ? digits(rest, 3).slice(1) : "";
    return minus + (h ? h + ":" + two(m) : m) + ":" + two(sec) + tail;
  },
  share: function (v) {
    // Only all is 100 %, only none is 0 %.
    if (v >= 1) return digits(v * 100, 1) + " %";
    if (v > 0.99) return digits(Math.floor(v * 10000) / 100, 2) + " %";
    return digits(v * 100, v < 0.01 ? 2 : 1) + " %";
  },
  percentile: function (v) { return digits(v * 100, 4) + " %"; },
  seconds: function (s) {
    if (s === 0) return "0 s";
    if (s < 0.9995) return digits(s * 1000, s < 0.01 ? 1 : 0) + " ms";
    if (s < 119.5) return significant(s) + " s";
    return s < 5999.5 ? digits(s / 60, 1) + " min" : digits(s / 3600, 1) + " h";
  },
  per_second: function (v) { return significant(v) + "/s"; },
  count: function (v) { return digits(v, 0); },
  number: function (v) { return significant(v); },
  dollars: function (v) { return "$" + digits(v, v < 1 ? 4 : 2); },
};

// ---- charts ---------------------------------------------------------------------------------------------------------

var drawn = [];
function token(name) { return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim(); }

// Each role has dashes of its own, so that lines can be told apart without colour.
var looks = {
  neutral: ["ink-2", []], good: ["good", []], bad: ["bad", [5, 3]], usual: ["ink-2", [2, 3]],
  first: ["first", []], second: ["second", [7, 3]], third: ["third", [2, 2]], fourth: ["fourth", [8, 3, 2, 3]],
};

// Points differ by size, and by being hollow, as well as by colour.
function dot(role) { return { size: { neutral: 5, first: 8, good: 11, bad: 11 }[role] || 7, hollow: role === "neutral" || role === "bad" }; }

function hatch(colour, back) {
  var tile = document.createElement("canvas"), ratio = window.devicePixelRatio || 1, size = 6 * ratio;
  tile.width = tile.height = size;
  var pen = tile.getContext("2d");
  if (back) { pen.fillStyle = back; pen.fillRect(0, 0, size, size); }
  pen.strokeStyle = colour;
  pen.lineWidth = 1.2 * ratio;
  pen.beginPath();
  pen.moveTo(-size / 2, size / 2); pen.lineTo(size / 2, -size / 2);
  pen.moveTo(0, size); pen.lineTo(size, 0);
  pen.moveTo(size / 2, size * 1.5); pen.lineTo(size * 1.5, size / 2);
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

// Percentiles stretch towards 1, as in HdrHistogram's own plots.
function stretched(share) { return Math.log10(1 / (1 - share)); }
var nines = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999];

function position(spec, x) { return spec.x === "percentile" ? stretched(x) : x; }

function bands(u, spec) {
  var pen = u.ctx, box = u.bbox;
  (spec.bands || []).forEach(function (band) {
    var from = Math.max(u.valToPos(band.from, "x", true), box.left);
    var until = Math.min(u.valToPos(band.until, "x", true), box.left + box.width);
    if (until <= from) return;
    pen.save();
    if (band.kind === "cooldown") {
      pen.fillStyle = hatch(token("cooldown"));
      pen.fillRect(from, box.top, until - from, box.height);
    } else {
      pen.fillStyle = token(band.kind === "fault" ? "fault" : "quiet-band");
      pen.fillRect(from, box.top, until - from, box.height);
      if (band.kind === "fault") {
        pen.fillStyle = token("fault-edge");
        var edge = Math.max(1, uPlot.pxRatio);
        pen.fillRect(from, box.top, edge, box.height);
        pen.fillRect(until - edge, box.top, edge, box.height);
      }
    }
    pen.restore();
  });
}

function labels(u, spec) {
  var pen = u.ctx, box = u.bbox, ratio = uPlot.pxRatio, line = 0;
  pen.save();
  pen.font = 11 * ratio + "px system-ui, sans-serif";
  pen.textBaseline = "top";
  pen.textAlign = "left";
  (spec.lane ? [] : spec.bands || []).forEach(function (band) {
    if (band.kind === "cooldown") return;
    var from = Math.max(u.valToPos(band.from, "x", true), box.left);
    var until = Math.min(u.valToPos(band.until, "x", true), box.left + box.width);
    if (until <= from) return;
    var text = band.label, y = box.top + (4 + 14 * (band.kind === "fault" ? line++ % 4 : 0)) * ratio;
    var right = box.left + box.width - from - 6 * ratio, width = pen.measureText(text).width;
    if (band.kind === "quiet" && width > until - from) return;
    while (text.length > 3 && width > right) {
      text = text.replace(/\u2026$/, "").slice(0, -1) + "\u2026";
      width = pen.measureText(text).width;
    }
    pen.fillStyle = token("paper");
    pen.globalAlpha = .8;
    pen.fillRect(from + 3 * ratio, y - ratio, width + 4 * ratio, 14 * ratio);
    pen.globalAlpha = 1;
    pen.fillStyle = token(band.kind === "fault" ? "bad" : "ink-2");
    pen.fillText(text, from + 5 * ratio, y);
  });
  (spec.levels || []).forEach(function (level) {
    var y = u.valToPos(level.at, "y", true);
    if (y < box.top || y > box.top + box.height) return;
    pen.strokeStyle = pen.fillStyle = token("warn");
    pen.lineWidth = 1.5 * ratio;
    pen.setLineDash([4 * ratio, 3 * ratio]);
    pen.beginPath(); pen.moveTo(box.left, y); pen.lineTo(box.left + box.width, y); pen.stroke();
    pen.textAlign = "right";
    pen.fillText(level.label, box.left + box.width - 4 * ratio, y - 13 * ratio < box.top ? y + 3 * ratio : y - 13 * ratio);
  });
  pen.restore();
}

function extent(spec) {
  var most = spec.top || 0, least = Infinity;
  spec.series.forEach(function (series) {
    series.values.forEach(function (v) {
      if (v === null) return;
      most = Math.max(most, v);
      if (v > 0) least = Math.min(least, v);
    });
  });
  (spec.levels || []).forEach(function (level) { most = Math.max(most, level.at); least = Math.min(least, level.at); });
  return [least, most];
}

var timeSteps = [.1, .2, .5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800];

function options(figure, spec) {
  var plot = figure.querySelector(".plot"), ink = token("ink-2"), grid = token("grid");
  var font = "11px system-ui, sans-serif", reach = extent(spec);
  var xs = spec.xs.map(function (x) { return position(spec, x); });
  var first = xs.length ? xs[0] : 0, last = xs.length ? xs[xs.length - 1] : 1;
  var yRange = spec.log ? undefined : function (u, least, most) {
    if (spec.y === "share" && !spec.top && reach[1] <= 1) return [0, 1.02];
    return [0, reach[1] > 0 ? reach[1] * 1.06 : 1];
  };
  var xAxis = {
    stroke: ink, font: font, size: spec.lane ? 4 : spec.x === "time" || spec.x === "percentile" ? 30 : 46,
    grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: spec.lane ? 0 : 5 },
    values: function (u, splits) {
      return splits.map(function (v) {
        if (spec.lane) return "";
        return spec.x === "percentile" ? write.percentile(1 - Math.pow(10, -v)) : write[spec.x](v);
      });
    },
  };
  if (spec.x === "time") xAxis.incrs = timeSteps;
  if (spec.x === "percentile") {
    xAxis.splits = function () { return nines.map(stretched).filter(function (v) { return v <= last + 1e-9; }); };
  } else if (spec.x !== "time") {
    xAxis.label = spec.x_label; xAxis.labelFont = font; xAxis.labelSize = 16;
  }
  return {
    width: Math.max(plot.clientWidth, 120), height: spec.lane ? 72 : 230,
    padding: [8, spec.x === "percentile" || last >= 3600 ? 26 : 14, 0, 0],
    scales: {
      x: { time: false, range: function (u, least, most) {
        // The data's own ends, or what somebody zoomed to.
        if (least === null || least === most) return [first - .5, last + .5];
        return [least, most];
      } },
      y: spec.log ? { distr: 3 } : { range: yRange },
    },
    axes: [xAxis, {
      stroke: ink, font: font, size: 62, space: spec.lane ? 24 : 34,
      grid: { stroke: grid, width: 1 }, ticks: { show: false },
      values: function (u, splits) {
        return splits.map(function (v) { return v === null ? "" : write[spec.y](v); });
      },
    }],
    cursor: spec.x === "time" ? { sync: { key: "time" }, points: { size: 6 }, y: false } : { points: { size: 6 }, y: false },
    legend: spec.lane
      ? { live: true, markers: { width: 2 }, mount: function (u, legend) { figure.querySelector("figcaption").appendChild(legend); } }
      : { live: true, markers: { width: 2 } },
    series: [{
      label: spec.x_label,
      value: function (u, v) {
        if (v === null) return "\u2013";
        return spec.x === "percentile" ? write.percentile(1 - Math.pow(10, -v)) : write[spec.x](v);
      },
    }].concat(spec.series.map(function (series) {
      var look = looks[series.role], colour = token(look[0]);
      return {
        label: series.label, stroke: colour, width: series.draw === "steps" ? 1.4 : 2, dash: series.draw === "steps" ? [] : look[1],
        fill: series.draw !== "steps" ? undefined
          : function () { return series.role === "bad" ? hatch(colour) : colour + "2e"; },
        paths: series.draw === "steps" ? uPlot.paths.stepped({ align: 1 }) : series.draw === "points" ? function () { return null; } : undefined,
        points: series.draw === "points"
          ? { show: true, size: dot(series.role).size, fill: dot(series.role).hollow ? token("paper") : colour, width: 2 }
          : { show: undefined, size: 5, fill: colour },
        spanGaps: false,
        value: function (u, v) { return v === null || v === undefined ? "\u2013" : write[spec.y](v); },
      };
    })),
    hooks: {
      drawClear: [function (u) { bands(u, spec); }],
      draw: [function (u) { labels(u, spec); }],
    },
  };
}

// What stands beside a name in the legend looks as in the chart: dashes, hatching and points included.
function samples(figure, spec) {
  var rows = figure.querySelectorAll(".u-legend .u-series"), space = "http://www.w3.org/2000/svg";
  spec.series.forEach(function (series, index) {
    var marker = rows[index + 1] && rows[index + 1].querySelector(".u-marker"), look = looks[series.role];
    if (!marker) return;
    var sample = document.createElementNS(space, "svg"), shape, colour = token(look[0]);
    var add = function (name, attributes) {
      shape = document.createElementNS(space, name);
      Object.keys(attributes).forEach(function (key) { shape.setAttribute(key, attributes[key]); });
      sample.appendChild(shape);
    };
    sample.setAttribute("width", 26);
    sample.setAttribute("height", 10);
    sample.setAttribute("aria-hidden", "true");
    if (series.draw === "points") {
      add("circle", { cx: 13, cy: 5, r: Math.min(dot(series.role).size / 2, 4), fill: dot(series.role).hollow ? "none" : colour, stroke: colour, "stroke-width": 1.5 });
    } else if (series.draw === "steps") {
      add("rect", { x: 3, y: 1, width: 20, height: 8, fill: series.role === "bad" ? "none" : colour + "2e", stroke: colour, "stroke-width": 1.4 });
      if (series.role === "bad") add("path", { d: "M4 9l8-8M10 9l8-8M16 9l6-6", stroke: colour, fill: "none" });
    } else {
      add("line", { x1: 0, x2: 26, y1: 5, y2: 5, stroke: colour, "stroke-width": 2, "stroke-dasharray": look[1].join(" ") });
    }
    marker.replaceChildren(sample);
  });
}

function specOf(figure) {
  return figure.spec || (figure.spec = JSON.parse(figure.querySelector("script").textContent));
}

function draw(figure) {
  if (figure.chart || !figure.offsetParent) return;
  var spec = specOf(figure);
  if (!spec.xs.length) return;
  var data = [spec.xs.map(function (x) { return position(spec, x); })].concat(spec.series.map(function (s) { return s.values; }));
  figure.chart = new uPlot(options(figure, spec), data, figure.querySelector(".plot"));
  samples(figure, spec);
  drawn.push(figure);
}
function drawWithin(element) { element.querySelectorAll("figure.chart").forEach(draw); }
function redraw() {
  var old = drawn;
  drawn = [];
  old.forEach(function (figure) { figure.chart.destroy(); figure.chart = null; draw(figure); });
}
function resize() {
  drawn.forEach(function (figure) {
    var width = Math.max(figure.querySelector(".plot").clientWidth, 120);
    if (width !== figure.chart.width) figure.chart.setSize({ width: width, height: figure.chart.height });
  });
}

// The figures behind a chart, made when somebody opens them.
document.addEventListener("toggle", function (event) {
  var details = event.target;
  if (!details.matches || !details.matches("details.data") || !details.open || details.querySelector("table")) return;
  var spec = specOf(details.parentNode), table = document.createElement("table"), head = table.createTHead().insertRow();
  [spec.x_label].concat(spec.series.map(function (s) { return s.label; })).forEach(function (name, place) {
    var cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    if (place) cell.className = "figure";
    head.appendChild(cell);
  });
  var body = table.createTBody();
  spec.xs.forEach(function (x, index) {
    var row = body.insertRow(), name = document.createElement("th");
    name.scope = "row";
    name.textContent = write[spec.x](x);
    row.appendChild(name);
    spec.series.forEach(function (series) {
      var cell = row.insertCell(), value = series.values[index];
      cell.className = "figure";
      cell.textContent = value === null ? "\u2013" : write[spec.y](value);
    });
  });
  var box = document.createElement("div");
  box.className = "wide";
  box.tabIndex = 0;
  box.appendChild(table);
  if (spec.bands) {
    var list = document.createElement("ul");
    spec.bands.forEach(function (band) {
      var item = document.createElement("li");
      item.textContent = band.label + ": " + write[spec.x](band.from) + " to " + write[spec.x](band.until);
      list.appendChild(item);
    });
    details.appendChild(list);
  }
  details.appendChild(box);
}, true);

// ---- tables ---------------------------------------------------------------------------------------------------------

// Rows with what opens below them.
function groups(table) {
  return table.groups || (table.groups = Array.prototype.filter.call(table.tBodies[0].rows, function (row) {
    return !row.classList.contains("detail");
  }).map(function (row, index) {
    var next = row.nextElementSibling;
    return { row: row, detail: next && next.classList.contains("detail") ? next : null, index: index };
  }));
}

function sort(table, column, rising) {
  var figures = table.tHead.rows[0].cells[column].classList.contains("figure");
  var key = function (group) {
    var cell = group.row.cells[column];
    return figures ? Number(cell.dataset.value !== undefined ? cell.dataset.value : NaN) : cell.textContent.trim().toLowerCase();
  };
  var sorted = groups(table).slice().sort(function (a, b) {
    var left = key(a), right = key(b), order = left < right ? -1 : left > right ? 1 : 0;
    return (rising ? order : -order) || a.index - b.index;
  });
  var body = table.tBodies[0];
  sorted.forEach(function (group) {
    body.appendChild(group.row);
    if (group.detail) body.appendChild(group.detail);
  });
  Array.prototype.forEach.call(table.tHead.rows[0].cells, function (cell, index) {
    cell.setAttribute("aria-sort", index !== column ? "none" : rising ? "ascending" : "descending");
  });
}

function open(row, wanted) {
  var opener = row.querySelector(".opener"), detail = row.nextElementSibling;
  opener.setAttribute("aria-expanded", String(wanted));
  detail.hidden = !wanted;
  if (wanted) drawWithin(detail);
}

function filter(input) {
  var table = document.getElementById(input.dataset.table), words = input.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
  groups(table).forEach(function (group) {
    var text = group.text || (group.text = group.row.textContent.toLowerCase());
    var stays = words.every(function (word) { return text.indexOf(word) >= 0; });
    group.row.hidden = !stays;
    if (group.detail) group.detail.hidden = !stays || group.row.querySelector(".opener").getAttribute("aria-expanded") !== "true";
    if (stays) shown++;
  });
  document.getElementById(table.id + "-count").textContent = words.length ? shown + " of " + groups(table).length + " rows" : "";
}

document.addEventListener("click", function (event) {
  var header = event.target.closest("table.sortable thead button");
  if (header) {
    var cell = header.closest("th"), now = cell.getAttribute("aria-sort");
    // Figures begin with the largest, words with the first.
    var rising = now === "none" ? !cell.classList.contains("figure") : now === "descending";
    sort(cell.closest("table"), cell.cellIndex, rising);
    return;
  }
  var row = event.target.closest("tr.opens");
  if (!row || event.target.closest("a") || String(window.getSelection())) return;
  var wanted = row.nextElementSibling.hidden;
  open(row, wanted);
  try {
    // A link to the page as it is now; not every place lets a page change its address.
    history.replaceState(null, "", wanted ? "#row=" + encodeURIComponent(row.dataset.name) : location.href.split("#")[0]);
  } catch (refused) { /* The row is open all the same. */ }
});
document.addEventListener("input", function (event) {
  if (event.target.matches(".filter input")) filter(event.target);
});

function follow() {
  var name = /^#row=(.*)$/.exec(location.hash);
  if (!name) return;
  document.querySelectorAll("tr.opens").forEach(function (row) {
    if (row.dataset.name !== decodeURIComponent(name[1])) return;
    open(row, true);
    row.scrollIntoView();
  });
}

// ---- beginning, and what changes later ------------------------------------------------------------------------------

drawWithin(document);
follow();
window.addEventListener("hashchange", follow);
window.addEventListener("resize", resize);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
// Paper is light, whatever the screen is.
window.addEventListener("beforeprint", redraw);
window.addEventListener("afterprint", redraw);
document.documentElement.dataset.ready = "true";
})();
