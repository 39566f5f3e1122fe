// Everything around the canvas: details, legend, search results. Texts of the store become text
// nodes, never markup.

// Neighbours that are listed one by one.
const MOST_NEIGHBOURS = 100;

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function makeButton(className, onClick, ...children) {
  const button = make('button', className, ...children);
  button.type = 'button';
  button.addEventListener('click', onClick);
  return button;
}

function swatch(type) {
  const element = make('span', type.isArtifact ? 'swatch' : 'swatch step');
  element.style.background = type.colour;
  return element;
}

const grouped = (number) => number.toLocaleString('en');
const counted = (number, noun) => `${grouped(number)} ${noun}${number === 1 ? '' : 's'}`;

function timeText(ms) {
  if (!ms) return '';
  const date = new Date(ms);
  return date.toLocaleString(undefined, {dateStyle: 'medium', timeStyle: 'medium'});
}

function durationText(ms) {
  if (ms < 1000) return `${ms} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
}

// Rows of names and values; nothing without any.
function facts(rows) {
  const list = make('dl');
  for (const [name, value] of rows) list.append(make('dt', '', name), make('dd', '', value));
  return rows.length ? [list] : [];
}

function section(title, children) {
  return children.length ? [make('h3', '', title), ...children] : [];
}

function copyButton(text) {
  const button = makeButton('copy', async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'copied';
    } catch {  // A page of a file may not be allowed to.
      const range = document.createRange();
      range.selectNodeContents(button.previousSibling);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
    }
  }, 'copy');
  return button;
}

class Panel {
  // `choose` selects a node, `setWay` what is highlighted.
  constructor(element, graph, choose, setWay) {
    this.element = element;
    this.graph = graph;
    this.choose = choose;
    this.setWay = setWay;
  }

  hide() {
    this.element.hidden = true;
    document.body.classList.remove('open');
  }

  show(node, way) {
    const counts = {
      up: this.graph.reach(node, true).nodes.size - 1, down: this.graph.reach(node, false).nodes.size - 1,
    };
    const close = makeButton('close', () => this.choose(null), '×');
    close.setAttribute('aria-label', 'Close');
    const state = node.state ? [make('span', `state ${stateClass(node.state)}`, node.state)] : [];
    this.element.replaceChildren(
        make('header', '', make('h2', '', node.label), close),
        make('div', 'kind', swatch(node.kind), `${node.kind.name} · ${node.ref}`, ...state),
        this.ways(counts, way),
        ...section('About', facts(this.about(node))),
        ...section('Properties', facts(node.properties)),
        ...section('Custom properties', facts(node.custom)),
        ...this.neighbours(node.isArtifact ? 'Written by' : 'Read', node.ins, 'from'),
        ...this.neighbours(node.isArtifact ? 'Read by' : 'Wrote', node.outs, 'to'));
    this.element.hidden = false;
    this.element.scrollTop = 0;
    document.body.classList.add('open');
  }

  ways(counts, way) {
    const button = (name, text, count) => {
      const made = makeButton(name, () => this.setWay(name), make('b', '', grouped(count)), text);
      made.setAttribute('aria-pressed', String(way === name));
      return made;
    };
    const element = make('div', 'ways', button('up', 'upstream', counts.up),
        button('both', 'both', counts.up + counts.down), button('down', 'downstream', counts.down));
    element.setAttribute('role', 'group');
    element.setAttribute('aria-label', 'Highlight');
    return element;
  }

  about(node) {
    const rows = [];
    if (node.name && node.name !== node.label) rows.push(['Name', node.name]);
    if (node.uri) {
      const value = make('span', '', make('span', '', node.uri), copyButton(node.uri));
      rows.push(['Uri', value]);
    }
    rows.push(['Created', timeText(node.created)]);
    if (node.updated && node.updated !== node.created) {
      const text = node.isArtifact ? '' : ` (${durationText(node.updated - node.created)} later)`;
      rows.push(['Updated', timeText(node.updated) + text]);
    }
    rows.push(['From start', node.isStart ? 'the start' : counted(node.hops, 'hop')]);
    if (node.inCycle) rows.push(['Cycle', 'part of one']);
    if (node.goesOn) rows.push(['Goes on', 'not followed further']);
    return rows.filter(([, value]) => value !== '');
  }

  neighbours(title, edges, end) {
    if (!edges.length) return [];
    const list = make('ul');
    for (const edge of edges.slice(0, MOST_NEIGHBOURS)) {
      const node = edge[end];
      const what = edge.path || (['INPUT', 'OUTPUT'].includes(edge.event) ? node.kind.name : edge.event);
      const button = makeButton('', () => this.choose(node), swatch(node.kind), make('b', '', node.label),
          make('small', '', what));
      button.title = `${node.kind.name} · ${node.ref} · ${edge.event}`;
      list.append(make('li', '', button));
    }
    const more = edges.length - MOST_NEIGHBOURS;
    if (more > 0) list.append(make('li', 'none', `and ${grouped(more)} more`));
    return section(`${title} (${grouped(edges.length)})`, [list]);
  }
}

// One button for each type: it leaves only its nodes bright.
function fillLegend(element, graph, onType) {
  const buttons = graph.types.map((type) => {
    const button = makeButton('', () => {
      const chosen = button.getAttribute('aria-pressed') === 'true' ? null : type;
      for (const other of buttons) other.setAttribute('aria-pressed', String(other === button && chosen !== null));
      onType(chosen);
    }, swatch(type), make('span', '', type.name), make('small', '', grouped(type.count)));
    button.setAttribute('aria-pressed', 'false');
    button.title = `${type.isArtifact ? 'Artifacts' : 'Executions'} of type ${type.name}`;
    return button;
  });
  element.replaceChildren(...buttons);
}
