// The canvas: where the view is, and what is drawn there.

const PALETTE = ['#3b6fd4', '#0f9488', '#9a55d6', '#d9467a', '#5c8a1e', '#0a86ad', '#d97a08', '#c4453c',
  '#6d6bd8', '#8a6d4b', '#b83fb0', '#4b7f6b'];
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
// Below these scales nodes show only their names, and then only colours.
const FULL = 0.55;
const NAMES = 0.27;
// More edges than these are thinned out while the view moves, so that it keeps moving.
const MOVING_EDGES = 3000;
const GOOD = ['COMPLETE', 'CACHED', 'LIVE'];
const BAD = ['FAILED', 'ABANDONED', 'DELETED'];

function stateClass(state) {
  if (GOOD.includes(state)) return 'good';
  if (BAD.includes(state)) return 'bad';
  return state ? 'warn' : '';
}

function mix(colour, other, share) {
  const part = (text, i) => parseInt(text.slice(1 + 2 * i, 3 + 2 * i), 16);
  const mixed = [0, 1, 2].map((i) => Math.round(part(colour, i) * (1 - share) + part(other, i) * share));
  return `rgb(${mixed.join(' ')})`;
}

class View {
  constructor(canvas, map, graph) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d', {alpha: false});
    this.map = map;
    this.graph = graph;
    this.x = 0;  // Of the left upper corner, in the graph's units.
    this.y = 0;
    this.scale = 1;
    this.selected = null;
    this.hovered = null;
    this.found = new Set();
    this.type = null;  // The only one that is not dimmed.
    this.up = null;    // What is highlighted: {nodes, edges}.
    this.down = null;
    this.labels = new Map();
    this.isMoving = false;
    this.isDirty = false;
    this.padding = {left: 0, right: 0, top: 0, bottom: 0};  // What cards cover.
    this.readColours();
    this.resize();
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const isDark = document.documentElement.dataset.theme === 'dark';
    this.colours = {};
    for (const name of ['ground', 'dots', 'card', 'line', 'ink', 'muted', 'faint', 'edge', 'accent', 'up', 'down',
      'good', 'bad', 'warn', 'found']) {
      this.colours[name] = style.getPropertyValue(`--${name}`).trim();
    }
    for (const type of this.graph.types) {
      const base = PALETTE[type.index % PALETTE.length];
      type.colour = isDark ? mix(base, '#ffffff', 0.28) : base;
      type.fill = mix(base, this.colours.card, isDark ? 0.74 : 0.88);
      type.line = mix(base, this.colours.card, isDark ? 0.4 : 0.5);
      type.block = mix(base, this.colours.ground, isDark ? 0.2 : 0.25);
    }
    this.mapPicture = null;
    this.draw();
  }

  resize() {
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.width = window.innerWidth;
    this.height = window.innerHeight;
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    this.draw();
  }

  // Draws with the next frame.
  draw() {
    if (this.isDirty) return;
    this.isDirty = true;
    requestAnimationFrame(() => {
      this.isDirty = false;
      this.paint();
    });
  }

  // The view moves: draws fast, and whole once it stands still.
  moved() {
    this.isMoving = true;
    clearTimeout(this.still);
    this.still = setTimeout(() => {
      this.isMoving = false;
      this.draw();
    }, 140);
    this.draw();
  }

  toGraph(x, y) {
    return {x: this.x + x / this.scale, y: this.y + y / this.scale};
  }

  nodeAt(x, y) {
    const at = this.toGraph(x, y);
    const slack = 3 / this.scale;
    for (let i = this.graph.nodes.length - 1; i >= 0; --i) {
      const node = this.graph.nodes[i];
      if (at.x >= node.x - slack && at.x <= node.x + WIDTH + slack && at.y >= node.y - slack &&
          at.y <= node.y + HEIGHT + slack) {
        return node;
      }
    }
    return null;
  }

  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.moved();
  }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const at = this.toGraph(x, y);
    this.scale = Math.min(2.5, Math.max(this.leastScale(), this.scale * factor));
    this.x = at.x - x / this.scale;
    this.y = at.y - y / this.scale;
    this.moved();
  }

  leastScale() {
    return Math.min(0.3, this.fitScale(this.graph.bounds) * 0.6);
  }

  fitScale(box) {
    const {left, right, top, bottom} = this.padding;
    return Math.min(1.1, Math.max(80, this.width - left - right - 80) / (box.right - box.left),
        Math.max(80, this.height - top - bottom - 80) / (box.bottom - box.top));
  }

  fit(box, scale = this.fitScale(box)) {
    const x = (this.padding.left + this.width - this.padding.right) / 2;
    const y = (this.padding.top + this.height - this.padding.bottom) / 2;
    this.fly((box.left + box.right) / 2 - x / scale, (box.top + box.bottom) / 2 - y / scale, scale);
  }

  focus(node, scale = Math.max(this.scale, 0.8)) {
    this.fit({left: node.x, right: node.x + WIDTH, top: node.y, bottom: node.y + HEIGHT}, scale);
  }

  // Moves the view there, at once where people want no motion.
  fly(x, y, scale) {
    cancelAnimationFrame(this.flight);
    const from = {x: this.x, y: this.y, scale: this.scale};
    const began = performance.now();
    const duration = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 260;
    const step = (now) => {
      const share = duration === 0 ? 1 : Math.min(1, (now - began) / duration);
      const eased = 1 - (1 - share) ** 3;
      this.scale = from.scale * (scale / from.scale) ** eased;
      // The corner moves so that what both views show keeps its way between them.
      const part = scale === from.scale ? eased : (1 / this.scale - 1 / from.scale) / (1 / scale - 1 / from.scale);
      this.x = from.x + (x - from.x) * part;
      this.y = from.y + (y - from.y) * part;
      this.moved();
      if (share < 1) this.flight = requestAnimationFrame(step);
    };
    if (duration === 0) step(began);
    else this.flight = requestAnimationFrame(step);
  }

  highlight(node, way) {
    this.selected = node;
    this.up = node && way !== 'down' ? this.graph.reach(node, true) : null;
    this.down = node && way !== 'up' ? this.graph.reach(node, false) : null;
    this.draw();
  }

  isDimmed(node) {
    if (this.type !== null && node.kind !== this.type) return true;
    return this.selected !== null && !this.up?.nodes.has(node) && !this.down?.nodes.has(node);
  }

  paint() {
    const {context, scale} = this;
    this.canvas.dataset.view = `${Math.round(this.x)} ${Math.round(this.y)} ${scale.toFixed(3)}`;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.fillStyle = this.colours.ground;
    context.fillRect(0, 0, this.width, this.height);
    this.paintDots();
    const zoom = this.ratio * scale;
    context.setTransform(zoom, 0, 0, zoom, -this.x * zoom, -this.y * zoom);
    this.box = {
      left: this.x, top: this.y, right: this.x + this.width / scale, bottom: this.y + this.height / scale,
    };
    const edges = this.groupEdges();
    const nodes = this.groupNodes();
    this.paintEdges(edges);
    this.context.globalAlpha = this.scale < NAMES ? 0.4 : 0.28;
    for (const node of nodes.dimmed) this.paintNode(node);
    this.context.globalAlpha = 1;
    this.paintHighlights(edges);
    for (const node of nodes.bright) this.paintNode(node);
    this.paintRings();
    this.paintLabels();
    this.paintMap();
  }

  paintDots() {
    if (this.scale < 0.35) return;
    const {context} = this;
    const step = 32 * this.scale;
    context.fillStyle = this.colours.dots;
    const left = -((this.x * this.scale) % step);
    const top = -((this.y * this.scale) % step);
    for (let x = left; x < this.width; x += step) {
      for (let y = top; y < this.height; y += step) context.fillRect(x, y, 1.5, 1.5);
    }
  }

  visibleEdges() {
    const {box} = this;
    return this.graph.edges.filter(({from, to}) => {
      const right = Math.max(from.x + WIDTH, to.x);
      const left = Math.min(from.x + WIDTH, to.x);
      return right >= box.left && left <= box.right &&
          Math.max(from.y, to.y) + HEIGHT >= box.top && Math.min(from.y, to.y) <= box.bottom;
    });
  }

  trace(edge) {
    const {context} = this;
    const x1 = edge.from.x + WIDTH;
    const y1 = edge.from.y + HEIGHT / 2;
    const x2 = edge.to.x;
    const y2 = edge.to.y + HEIGHT / 2;
    context.moveTo(x1, y1);
    if (this.scale < 0.12 || this.isMoving && this.scale < NAMES) {
      context.lineTo(x2, y2);
      return;
    }
    // An edge that leads back, closing a cycle, leaves and arrives with a wide bow.
    const bend = x2 > x1 ? Math.min(140, (x2 - x1) * 0.5) : 120;
    context.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2);
  }

  stroke(edges, colour, width, alpha) {
    if (!edges.length) return;
    const {context} = this;
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    for (const edge of edges) this.trace(edge);
    context.stroke();
    if (this.scale > 0.4) {
      context.fillStyle = colour;
      context.beginPath();
      for (const {to} of edges) {
        const y = to.y + HEIGHT / 2;
        context.moveTo(to.x, y);
        context.lineTo(to.x - 8, y - 4.5);
        context.lineTo(to.x - 8, y + 4.5);
      }
      context.fill();
    }
    context.globalAlpha = 1;
  }

  groupEdges() {
    const visible = this.visibleEdges();
    const groups = {plain: [], dimmed: [], up: [], down: [], count: visible.length};
    const isThinned = this.isMoving && visible.length > MOVING_EDGES;
    const every = isThinned ? Math.ceil(visible.length / MOVING_EDGES) : 1;
    visible.forEach((edge, i) => {
      if (this.up?.edges.has(edge)) groups.up.push(edge);
      else if (this.down?.edges.has(edge)) groups.down.push(edge);
      else if (i % every !== 0) return;
      else if (this.isDimmed(edge.from) || this.isDimmed(edge.to)) groups.dimmed.push(edge);
      else groups.plain.push(edge);
    });
    return groups;
  }

  groupNodes() {
    const {box} = this;
    const groups = {dimmed: [], bright: []};
    for (const node of this.graph.nodes) {
      if (node.x > box.right || node.x + WIDTH < box.left || node.y > box.bottom || node.y + HEIGHT < box.top) continue;
      (this.isDimmed(node) ? groups.dimmed : groups.bright).push(node);
    }
    return groups;
  }

  edgeWidth() {
    return Math.max(1.3, 0.7 / this.scale);
  }

  paintEdges(edges) {
    // Where very many overlap, each is fainter.
    const alpha = Math.min(0.95, Math.max(0.22, 1500 / Math.max(1, edges.count)));
    this.stroke(edges.dimmed, this.colours.edge, this.edgeWidth(), alpha * 0.22);
    this.stroke(edges.plain, this.colours.edge, this.edgeWidth(), alpha);
  }

  // Over nodes that are dimmed.
  paintHighlights(edges) {
    const alpha = Math.min(1, Math.max(0.35, 2000 / Math.max(1, edges.up.length + edges.down.length)));
    this.stroke(edges.up, this.colours.up, this.edgeWidth() * 1.5, 0.85 * alpha);
    this.stroke(edges.down, this.colours.down, this.edgeWidth() * 1.5, 0.85 * alpha);
  }

  outline(node, grow) {
    const {context} = this;
    const radius = (node.isArtifact ? 9 : HEIGHT / 2) + grow;
    context.beginPath();
    context.roundRect(node.x - grow, node.y - grow, WIDTH + 2 * grow, HEIGHT + 2 * grow, radius);
  }

  paintNode(node) {
    const {context, colours} = this;
    const type = node.kind;
    if (this.scale < NAMES) {
      context.fillStyle = BAD.includes(node.state) ? colours.bad : type.block;
      if (this.scale < 0.12) {
        context.fillRect(node.x, node.y, WIDTH, HEIGHT);
      } else {
        this.outline(node, 0);
        context.fill();
      }
      return;
    }
    const alpha = context.globalAlpha;
    context.globalAlpha = 1;  // No edge shines through.
    this.outline(node, 0);
    context.fillStyle = colours.ground;
    context.fill();
    context.globalAlpha = alpha;
    context.fillStyle = node.isArtifact ? colours.card : type.fill;
    context.fill();
    context.strokeStyle = node.isArtifact ? colours.line : type.line;
    context.lineWidth = 1.2;
    context.stroke();
    if (node.isArtifact) {
      context.fillStyle = type.colour;
      context.beginPath();
      context.roundRect(node.x, node.y, 6, HEIGHT, [9, 0, 0, 9]);
      context.fill();
    }
    this.paintText(node);
  }

  paintText(node) {
    const {context, colours} = this;
    const left = node.x + (node.isArtifact ? 17 : 20);
    const hasMark = node.state !== '' && node.state !== 'LIVE';
    const room = node.x + WIDTH - (hasMark ? 32 : 14) - left;
    context.textBaseline = 'middle';
    context.fillStyle = colours.ink;
    if (this.scale < FULL) {
      context.font = `600 20px ${FONT}`;
      context.fillText(this.shortened(node.label, room, 20), left, node.y + HEIGHT / 2 + 1);
    } else {
      context.font = `600 13px ${FONT}`;
      context.fillText(this.shortened(node.label, room, 13), left, node.y + 16);
      context.font = `11px ${FONT}`;
      context.fillStyle = colours.muted;
      context.fillText(this.shortened(`${node.kind.name} · ${node.ref}`, room, 11), left, node.y + 32);
    }
    if (hasMark) this.paintMark(node);
  }

  // What became of it: a sign as well as a colour.
  paintMark(node) {
    const {context, colours} = this;
    const kind = stateClass(node.state);
    const x = node.x + WIDTH - 20;
    const y = node.y + HEIGHT / 2;
    context.strokeStyle = colours[kind];
    context.lineWidth = 2.2;
    context.lineCap = 'round';
    context.beginPath();
    if (kind === 'good') {
      context.moveTo(x - 5, y);
      context.lineTo(x - 1.5, y + 4);
      context.lineTo(x + 5, y - 4);
    } else if (kind === 'bad') {
      context.moveTo(x - 4, y - 4);
      context.lineTo(x + 4, y + 4);
      context.moveTo(x + 4, y - 4);
      context.lineTo(x - 4, y + 4);
    } else {
      context.arc(x, y, 4.5, 0, 7);
    }
    context.stroke();
    context.lineCap = 'butt';
  }

  // Cut at its end, for an ellipsis; remembered, since measuring is what costs.
  shortened(text, room, size) {
    const key = `${size} ${room} ${text}`;
    let short = this.labels.get(key);
    if (short !== undefined) return short;
    short = text;
    if (this.context.measureText(text).width > room) {
      const characters = [...text];
      let low = 0;
      let high = characters.length;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        const fits = this.context.measureText(`${characters.slice(0, middle).join('')}…`).width <= room;
        if (fits) low = middle;
        else high = middle - 1;
      }
      short = `${characters.slice(0, low).join('')}…`;
    }
    this.labels.set(key, short);
    return short;
  }

  ring(node, colour, width, grow) {
    const scale = Math.max(this.scale, 0.05);
    this.outline(node, grow / scale);
    this.context.strokeStyle = colour;
    this.context.lineWidth = width / scale;
    this.context.stroke();
  }

  paintRings() {
    const {context, colours} = this;
    for (const node of this.graph.nodes) {
      if (node.isStart) {
        this.ring(node, colours.ink, 2, 3);
        if (this.scale >= 0.4) {
          context.font = `700 10px ${FONT}`;
          context.fillStyle = colours.ink;
          context.textBaseline = 'alphabetic';
          context.fillText('START', node.x + 6, node.y - 9);
        }
      }
    }
    for (const node of this.found) this.ring(node, colours.found, 2, 3);
    if (this.hovered) this.ring(this.hovered, colours.faint, 1.5, 2);
    if (this.selected) this.ring(this.selected, colours.accent, 3, 4);
  }

  // What the edges of the selected node are, where there is room to read it.
  paintLabels() {
    const node = this.selected ?? this.hovered;
    if (!node || this.scale < 0.5 || this.isMoving) return;
    const {context, colours} = this;
    const edges = [...node.ins, ...node.outs];
    if (edges.length > 60) return;
    context.font = `11px ${FONT}`;
    context.textBaseline = 'middle';
    context.textAlign = 'center';
    for (const edge of edges) {
      const text = edge.path || edge.event.toLowerCase();
      const width = context.measureText(text).width;
      const x = (edge.from.x + WIDTH + edge.to.x) / 2;
      const y = (edge.from.y + edge.to.y + HEIGHT) / 2;
      context.fillStyle = colours.ground;
      context.beginPath();
      context.roundRect(x - width / 2 - 5, y - 8.5, width + 10, 17, 8);
      context.fill();
      context.fillStyle = colours.muted;
      context.fillText(text, x, y + 0.5);
    }
    context.textAlign = 'start';
  }

  mapScale() {
    const {bounds} = this.graph;
    const scale = Math.min(184 / (bounds.right - bounds.left), 114 / (bounds.bottom - bounds.top));
    return {
      scale, left: 100 - (bounds.left + bounds.right) / 2 * scale, top: 65 - (bounds.top + bounds.bottom) / 2 * scale,
    };
  }

  paintMap() {
    const ratio = 2;
    const {scale, left, top} = this.mapScale();
    if (this.mapPicture === null) {
      this.map.width = 200 * ratio;
      this.map.height = 130 * ratio;
      this.mapPicture = document.createElement('canvas');
      this.mapPicture.width = this.map.width;
      this.mapPicture.height = this.map.height;
      const context = this.mapPicture.getContext('2d');
      context.scale(ratio, ratio);
      for (const node of this.graph.nodes) {
        context.fillStyle = BAD.includes(node.state) ? this.colours.bad : node.kind.block;
        context.fillRect(left + node.x * scale, top + node.y * scale, Math.max(1, WIDTH * scale),
            Math.max(1, HEIGHT * scale));
      }
    }
    const context = this.map.getContext('2d');
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.map.width, this.map.height);
    context.drawImage(this.mapPicture, 0, 0);
    context.scale(ratio, ratio);
    const within = (value, most) => Math.min(most - 2, Math.max(2, value));
    const x = within(left + this.box.left * scale, 200);
    const y = within(top + this.box.top * scale, 130);
    context.strokeStyle = this.colours.accent;
    context.lineWidth = 1.5;
    context.beginPath();
    context.roundRect(x, y, within(left + this.box.right * scale, 200) - x,
        within(top + this.box.bottom * scale, 130) - y, 3);
    context.stroke();
    if (this.selected) {
      context.fillStyle = this.colours.accent;
      context.beginPath();
      context.arc(left + (this.selected.x + WIDTH / 2) * scale, top + (this.selected.y + HEIGHT / 2) * scale, 3, 0, 7);
      context.fill();
    }
  }

  // A place on the map, in the graph's units.
  fromMap(x, y) {
    const {scale, left, top} = this.mapScale();
    return {x: (x - left) / scale, y: (y - top) / scale};
  }
}
