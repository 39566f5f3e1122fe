// The graph: what the page was given, who is next to whom, what can be searched and reached.

// Sizes of a node; the same numbers as in layout.h.
const WIDTH = 216;
const HEIGHT = 46;

class Graph {
  constructor(data) {
    this.data = data;
    this.nodes = data.nodes.map((row, index) => {
      const [kind, id, type, label, name, uri, state, created, updated, hops, flags, x, y, column,
        properties, custom] = row;
      return {
        index, isArtifact: kind === 0, id, type, label, name, uri, state: data.states[state],
        created, updated, hops, isStart: (flags & 1) !== 0, inCycle: (flags & 2) !== 0,
        goesOn: (flags & 4) !== 0, x, y, column, properties, custom, ins: [], outs: [],
        ref: `${kind === 0 ? 'artifact' : 'execution'}:${id}`, text: null,
      };
    });
    this.edges = data.edges.map(([from, to, event, path], index) => {
      const edge = {
        index, from: this.nodes[from], to: this.nodes[to], event: data.events[event],
        path: data.paths[path],
      };
      edge.from.outs.push(edge);
      edge.to.ins.push(edge);
      return edge;
    });
    this.types = this.countTypes();
    this.columns = new Map();
    for (const node of this.nodes) {
      if (!this.columns.has(node.column)) this.columns.set(node.column, []);
      this.columns.get(node.column).push(node);
    }
    for (const column of this.columns.values()) column.sort((a, b) => a.y - b.y || a.x - b.x);
    this.bounds = this.boundsOf(this.nodes);
    this.start = this.nodes.find((node) => node.isStart) ?? this.nodes[0];
  }

  // Artifacts before executions, the most frequent first; the same name may be a type of both.
  countTypes() {
    const found = new Map();
    for (const node of this.nodes) {
      const key = `${node.isArtifact ? 0 : 1} ${node.type}`;
      if (!found.has(key)) {
        found.set(key, {name: this.data.types[node.type] || 'no type', isArtifact: node.isArtifact, count: 0});
      }
      node.kind = found.get(key);
      ++node.kind.count;
    }
    const types = [...found.values()].sort(
        (a, b) => b.isArtifact - a.isArtifact || b.count - a.count || (a.name < b.name ? -1 : 1));
    types.forEach((type, index) => { type.index = index; });
    return types;
  }

  boundsOf(nodes) {
    const box = {left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity};
    for (const node of nodes) {
      box.left = Math.min(box.left, node.x);
      box.top = Math.min(box.top, node.y);
      box.right = Math.max(box.right, node.x + WIDTH);
      box.bottom = Math.max(box.bottom, node.y + HEIGHT);
    }
    return nodes.length ? box : {left: 0, top: 0, right: WIDTH, bottom: HEIGHT};
  }

  // Nodes and edges upstream or downstream of a node, itself included.
  reach(node, isUp) {
    const nodes = new Set([node]);
    const edges = new Set();
    const queue = [node];
    while (queue.length) {
      const at = queue.pop();
      for (const edge of isUp ? at.ins : at.outs) {
        edges.add(edge);
        const next = isUp ? edge.from : edge.to;
        if (!nodes.has(next)) {
          nodes.add(next);
          queue.push(next);
        }
      }
    }
    return {nodes, edges};
  }

  // Nodes that hold every word; those whose name begins with the text first.
  search(text) {
    const wanted = text.trim().toLowerCase();
    const words = wanted.split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    const found = this.nodes.filter((node) => {
      const all = this.textOf(node);
      return words.every((word) => all.includes(word));
    });
    const rank = (node) => {
      const label = node.label.toLowerCase();
      if (node.ref === wanted || label === wanted) return 0;
      return label.startsWith(wanted) ? 1 : label.includes(wanted) ? 2 : 3;
    };
    return found.map((node) => [rank(node), node]).sort((a, b) => a[0] - b[0] || a[1].index - b[1].index)
        .map(([, node]) => node);
  }

  textOf(node) {
    if (node.text === null) {
      const values = [...node.properties, ...node.custom].map(([name, value]) => `${name} ${value}`);
      node.text = [node.label, node.name, node.ref, node.kind.name, node.uri, node.state, ...values]
          .join('\n').toLowerCase();
    }
    return node.text;
  }
}
