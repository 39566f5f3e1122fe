// Puts the parts together: pointer, keys, search.

const byId = (id) => document.getElementById(id);
const root = document.documentElement;
const wantsDark = matchMedia('(prefers-color-scheme: dark)');
root.dataset.theme = wantsDark.matches ? 'dark' : 'light';

const graph = new Graph(JSON.parse(byId('data').textContent));
const canvas = byId('view');
const view = new View(canvas, byId('map'), graph);
const panel = new Panel(byId('panel'), graph, choose, setWay);
let way = 'both';
let found = [];
let foundAt = -1;

// Results that are listed.
const MOST_RESULTS = 50;

function say(text) {
  byId('live').textContent = text;
}

function isVisible(node) {
  const x = (node.x - view.x) * view.scale;
  const y = (node.y - view.y) * view.scale;
  const {left, right, top, bottom} = view.padding;
  return x > left && x + WIDTH * view.scale < view.width - right && y > top + 20 &&
      y + HEIGHT * view.scale < view.height - bottom - 20;
}

// Selects a node, or lets go of it.
function choose(node, {move = true} = {}) {
  view.highlight(node, way);
  if (node === null) {
    panel.hide();
    pad();
    say('Nothing is selected');
    return;
  }
  panel.show(node, way);
  pad();
  if (move && (!isVisible(node) || view.scale < 0.5)) view.focus(node);
  say(`${node.label}, ${node.kind.name}, ${node.ref}${node.state ? `, ${node.state}` : ''}: ` +
      `${counted(node.ins.length, 'edge')} in, ${counted(node.outs.length, 'edge')} out`);
}

function setWay(chosen) {
  way = chosen;
  if (view.selected) {
    view.highlight(view.selected, way);
    panel.show(view.selected, way);
  }
}

// What the cards leave free: a column beside them, or a row between them, whichever is better for
// the graph. On a narrow screen they cover some of it.
function pad() {
  if (window.innerWidth <= 760) {
    const covered = byId('panel').hidden ? 50 : window.innerHeight * 0.45 + 60;
    view.padding = {left: 0, right: 0, top: 110, bottom: covered};
    return;
  }
  const right = byId('panel').hidden ? 0 : 356;
  const bottom = Math.min(window.innerHeight * 0.4, Math.max(byId('legend').offsetHeight, byId('corner').offsetHeight));
  const beside = {left: 396, right, top: 0, bottom: 0};
  const between = {left: 0, right, top: 120, bottom};
  view.padding = between;
  const scale = view.fitScale(graph.bounds);
  view.padding = beside;
  if (scale > view.fitScale(graph.bounds)) view.padding = between;
}

function setTheme(theme) {
  root.dataset.theme = theme;
  view.readColours();
  refreshSwatches();
}

function refreshSwatches() {
  fillLegend(byId('legend'), graph, (type) => {
    view.type = type;
    view.draw();
  });
  view.type = null;
  if (view.selected) panel.show(view.selected, way);
}

function showResults() {
  const list = byId('found');
  const items = found.slice(0, MOST_RESULTS).map((node, i) => {
    const what = make('small', '', `${node.kind.name} · ${node.ref}`);
    const item = make('li', '', swatch(node.kind), make('b', '', node.label), what);
    item.id = `found-${i}`;
    item.setAttribute('role', 'option');
    item.addEventListener('mousedown', (event) => {
      event.preventDefault();
      goToResult(i);
    });
    return item;
  });
  list.replaceChildren(...items);
  list.hidden = items.length === 0;
  byId('search').setAttribute('aria-expanded', String(items.length > 0));
  markResult();
}

function markResult() {
  const text = byId('search').value.trim();
  byId('count').textContent = text === '' ? '' :
      foundAt < 0 ? `${grouped(found.length)} found` : `${grouped(foundAt + 1)} of ${grouped(found.length)}`;
  [...byId('found').children].forEach((item, i) => {
    item.setAttribute('aria-selected', String(i === foundAt));
    if (i === foundAt) item.scrollIntoView({block: 'nearest'});
  });
  if (foundAt >= 0 && foundAt < MOST_RESULTS) byId('search').setAttribute('aria-activedescendant', `found-${foundAt}`);
  else byId('search').removeAttribute('aria-activedescendant');
}

function search() {
  found = graph.search(byId('search').value);
  foundAt = -1;
  view.found = new Set(found.slice(0, 2000));
  showResults();
  view.draw();
  if (byId('search').value.trim() !== '') say(`${counted(found.length, 'node')} found`);
}

function goToResult(i) {
  if (!found.length) return;
  foundAt = (i + found.length) % found.length;
  markResult();
  view.scale = Math.max(view.scale, 0.05);
  choose(found[foundAt]);
}

function clearSearch() {
  byId('search').value = '';
  search();
}

// To the neighbour that is nearest in height.
function goAlong(isUp) {
  const from = view.selected ?? graph.start;
  const next = (isUp ? from.ins.map((edge) => edge.from) : from.outs.map((edge) => edge.to))
      .reduce((best, node) => best === null || Math.abs(node.y - from.y) < Math.abs(best.y - from.y) ? node : best, null);
  if (next) choose(next);
  else say(isUp ? 'Nothing is upstream' : 'Nothing is downstream');
}

function goInColumn(by) {
  const from = view.selected ?? graph.start;
  const column = graph.columns.get(from.column);
  const next = column[column.indexOf(from) + by];
  if (next) choose(next);
}

const KEYS = {
  '/': () => byId('search').select(),
  '?': () => byId('keys').showModal(),
  '+': () => view.zoom(1.3),
  '=': () => view.zoom(1.3),
  '-': () => view.zoom(1 / 1.3),
  '0': () => view.fit(graph.bounds),
  'Home': () => choose(graph.start),
  'u': () => setWay('up'),
  'd': () => setWay('down'),
  'b': () => setWay('both'),
  't': () => setTheme(root.dataset.theme === 'dark' ? 'light' : 'dark'),
  'Escape': () => choose(null),
  'ArrowLeft': () => goAlong(true),
  'ArrowRight': () => goAlong(false),
  'ArrowUp': () => goInColumn(-1),
  'ArrowDown': () => goInColumn(1),
};
const PANS = {ArrowLeft: [90, 0], ArrowRight: [-90, 0], ArrowUp: [0, 90], ArrowDown: [0, -90]};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('keys').open) return;
  const inField = event.target === byId('search');
  if (inField) {
    if (event.key === 'Enter') goToResult(foundAt + (event.shiftKey ? -1 : 1));
    else if (event.key === 'ArrowDown' && found.length) goToResult(foundAt + 1);
    else if (event.key === 'ArrowUp' && found.length) goToResult(foundAt - 1);
    else if (event.key === 'Escape') {
      clearSearch();
      canvas.focus();
    } else return;
    event.preventDefault();
    return;
  }
  // Lists that are scrolled and buttons keep their keys.
  if (event.target !== canvas && event.target !== document.body && event.key.startsWith('Arrow')) return;
  if (event.shiftKey && PANS[event.key]) {
    view.pan(...PANS[event.key]);
  } else if (KEYS[event.key]) {
    KEYS[event.key]();
  } else return;
  event.preventDefault();
});

// Pointers on the canvas: one drags or clicks, two pinch.
const pointers = new Map();
let dragged = 0;

canvas.addEventListener('pointerdown', (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, {x: event.clientX, y: event.clientY});
  dragged = 0;
});

canvas.addEventListener('pointermove', (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) {
    const over = view.nodeAt(event.clientX, event.clientY);
    if (over !== view.hovered) {
      view.hovered = over;
      canvas.classList.toggle('over', over !== null);
      canvas.title = over ? `${over.label}\n${over.kind.name} · ${over.ref}${over.uri ? `\n${over.uri}` : ''}` : '';
      view.draw();
    }
    return;
  }
  const now = {x: event.clientX, y: event.clientY};
  if (pointers.size === 2) {
    const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
    const apart = (a) => Math.hypot(a.x - other.x, a.y - other.y);
    view.zoom(apart(now) / Math.max(1, apart(before)), (now.x + other.x) / 2, (now.y + other.y) / 2);
    dragged = 100;
  } else {
    dragged += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    if (dragged > 4) {
      canvas.classList.add('moving');
      view.pan(now.x - before.x, now.y - before.y);
    }
  }
  pointers.set(event.pointerId, now);
});

for (const name of ['pointerup', 'pointercancel']) {
  canvas.addEventListener(name, (event) => {
    pointers.delete(event.pointerId);
    canvas.classList.remove('moving');
    if (name === 'pointerup' && dragged <= 4) choose(view.nodeAt(event.clientX, event.clientY), {move: false});
  });
}

canvas.addEventListener('dblclick', (event) => {
  const node = view.nodeAt(event.clientX, event.clientY);
  if (node) view.focus(node, 1);
  else view.zoom(1.6, event.clientX, event.clientY);
});

canvas.addEventListener('wheel', (event) => {
  event.preventDefault();
  const lines = event.deltaMode === 1 ? 30 : 1;
  view.zoom(Math.exp(-event.deltaY * lines * 0.0016), event.clientX, event.clientY);
}, {passive: false});

byId('map').addEventListener('pointerdown', (event) => {
  const go = (moved) => {
    const box = byId('map').getBoundingClientRect();
    const at = view.fromMap(moved.clientX - box.left, moved.clientY - box.top);
    view.x = at.x - view.width / 2 / view.scale;
    view.y = at.y - view.height / 2 / view.scale;
    view.moved();
  };
  byId('map').setPointerCapture(event.pointerId);
  go(event);
  byId('map').onpointermove = go;
  byId('map').onpointerup = () => { byId('map').onpointermove = null; };
});

byId('search').addEventListener('input', search);
byId('search').addEventListener('blur', () => { byId('found').hidden = true; });
byId('search').addEventListener('focus', () => { byId('found').hidden = found.length === 0; });
byId('in').addEventListener('click', KEYS['+']);
byId('out').addEventListener('click', KEYS['-']);
byId('fit').addEventListener('click', KEYS['0']);
byId('home').addEventListener('click', KEYS.Home);
byId('theme').addEventListener('click', KEYS.t);
byId('help').addEventListener('click', KEYS['?']);
wantsDark.addEventListener('change', () => setTheme(wantsDark.matches ? 'dark' : 'light'));
window.addEventListener('resize', () => {
  pad();
  view.resize();
});

const artifacts = graph.nodes.filter((node) => node.isArtifact).length;
byId('title').textContent = graph.data.title;
byId('summary').textContent = [counted(artifacts, 'artifact'), counted(graph.nodes.length - artifacts, 'execution'),
  graph.data.remark].filter(Boolean).join(' · ');
if (graph.data.incomplete) {
  byId('warning').textContent = `Not complete: ${graph.data.incomplete}`;
  byId('warning').hidden = false;
}
refreshSwatches();
pad();
// A small graph is shown whole, a large one from its start on.
view.fit(graph.bounds);
if (graph.start && view.fitScale(graph.bounds) < NAMES) {
  // With more room where it leads.
  const {x, y, ins, outs} = graph.start;
  const box = {left: x - (ins.length ? 600 : 0), right: x + WIDTH + (outs.length ? 600 : 0), top: y, bottom: y + HEIGHT};
  view.fit(box, 0.7);
}
canvas.focus();
})();
