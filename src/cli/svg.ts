// Draws a chart as SVG without a browser: statuses in layers from the start downwards, every arrow with room for its label.

import type { Move } from "../domain/chart.ts";

/** What stands in a layer: a status, the label of an arrow, or the place where a long arrow passes by. */
interface Place {
  readonly status: string | undefined;
  readonly text: readonly string[];
  readonly layer: number;
  readonly width: number;
  readonly height: number;
  /** Places in the layers next to this one that it is joined to. */
  readonly above: Place[];
  readonly below: Place[];
  /** Its rank within its layer. */
  order: number;
  /** The middle. */
  x: number;
  top: number;
}

/** All moves from one status to another: drawn as one arrow, through places from above to below. */
interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly outcomes: readonly string[];
  /** It leads upwards: laid out the other way round. */
  readonly back: boolean;
  through: readonly Place[];
}

const letter = { status: 8.6, label: 7.25, inside: 6.65 };
const lineHeight = 16;
const gap = { side: 26, status: 14, label: 10, edge: 32 };

export function toSvg(moves: readonly Move[], start: string, title: string): string {
  const { layers, arrows } = layOut(moves, start);
  arrange(layers);
  const { width, height } = coordinate(layers, arrows);
  return draw(layers.flat(), arrows, start, title, width, height);
}

// --- layers ---

function layOut(moves: readonly Move[], start: string): { layers: Place[][]; arrows: readonly Arrow[] } {
  const statuses = [...new Set([start, ...moves.flatMap(({ from, to }) => [from, to])])];
  const arrows = arrowsOf(moves, statuses, start);
  const depth = depths(statuses, arrows);
  const layers: Place[][] = Array.from({ length: 2 * Math.max(...depth.values()) + 1 }, () => []);
  const places = new Map(
    statuses.map((status) => {
      const layer = 2 * (depth.get(status) as number);
      const inside = moves.filter(({ from, to }) => from === status && to === status);
      const place = statusPlace(
        status,
        inside.map(({ outcome }) => outcome),
        layer,
        status === start,
      );
      layers[layer]?.push(place);
      return [status, place];
    }),
  );
  for (const arrow of arrows) {
    const [upper, lower] = arrow.back ? [arrow.to, arrow.from] : [arrow.from, arrow.to];
    const through = [places.get(upper) as Place];
    const last = places.get(lower) as Place;
    for (let layer = (through[0] as Place).layer + 1; layer < last.layer; layer += 1) {
      const labelled = layer === (through[0] as Place).layer + 1;
      const text = labelled ? arrow.outcomes : [];
      const widest = Math.max(0, ...text.map((line) => line.length)) * letter.label;
      const place: Place = {
        status: undefined,
        text,
        layer,
        width: labelled ? widest + 10 : 2,
        height: text.length * lineHeight + (labelled ? 4 : 0),
        above: [],
        below: [],
        order: 0,
        x: 0,
        top: 0,
      };
      layers[layer]?.push(place);
      through.push(place);
    }
    through.push(last);
    through.slice(1).forEach((place, at) => {
      place.above.push(through[at] as Place);
      (through[at] as Place).below.push(place);
    });
    arrow.through = through;
  }
  return { layers, arrows };
}

function statusPlace(status: string, inside: readonly string[], layer: number, isStart: boolean): Place {
  const widest = Math.max(
    status.length * letter.status,
    ...inside.map((line) => (line.length + 2) * letter.inside),
  );
  return {
    status,
    text: inside,
    layer,
    width: isStart ? 20 : widest + 32,
    height: isStart ? 20 : 34 + (inside.length === 0 ? 0 : inside.length * 15 + 10),
    above: [],
    below: [],
    order: 0,
    x: 0,
    top: 0,
  };
}

function arrowsOf(moves: readonly Move[], statuses: readonly string[], start: string): readonly Arrow[] {
  const leads = (from: string): readonly string[] => [
    ...new Set(moves.filter((move) => move.from === from && move.to !== from).map(({ to }) => to)),
  ];
  // An arrow to a status that is still being walked closes a circle: it is drawn upwards.
  const open = new Set<string>();
  const walked = new Set<string>();
  const back = new Set<string>();
  const walk = (status: string): void => {
    open.add(status);
    for (const to of leads(status)) {
      if (open.has(to)) back.add(`${status} ${to}`);
      else if (!walked.has(to)) walk(to);
    }
    open.delete(status);
    walked.add(status);
  };
  for (const status of [start, ...statuses]) if (!walked.has(status)) walk(status);
  return statuses.flatMap((from) =>
    leads(from).map((to) => ({
      from,
      to,
      outcomes: moves.filter((move) => move.from === from && move.to === to).map(({ outcome }) => outcome),
      back: back.has(`${from} ${to}`),
      through: [],
    })),
  );
}

/** How far down each status stands: below every status that leads to it. */
function depths(statuses: readonly string[], arrows: readonly Arrow[]): ReadonlyMap<string, number> {
  const depth = new Map(statuses.map((status) => [status, 0]));
  for (let moved = true; moved;) {
    moved = false;
    for (const { from, to, back } of arrows) {
      const [upper, lower] = back ? [to, from] : [from, to];
      const least = (depth.get(upper) as number) + 1;
      if ((depth.get(lower) as number) < least) {
        depth.set(lower, least);
        moved = true;
      }
    }
  }
  return depth;
}

// --- order within the layers ---

function crossings(layers: readonly (readonly Place[])[]): number {
  let count = 0;
  for (const layer of layers) {
    const ends = layer.flatMap((place) =>
      place.below
        .map(({ order }) => order)
        .sort((a, b) => a - b)
        .map((order) => [place.order, order] as const),
    );
    ends.forEach(([a, b], at) => {
      for (const [c, d] of ends.slice(at + 1)) if ((a < c && b > d) || (a > c && b < d)) count += 1;
    });
  }
  return count;
}

function number(layer: readonly Place[]): void {
  layer.forEach((place, order) => {
    place.order = order;
  });
}

/** How often the ordering is begun anew, each time from the places in another order. */
const beginnings = 24;

/** Orders the layers so that few arrows cross: the best of several attempts. */
function arrange(layers: Place[][]): void {
  let best = layers.map((layer) => [...layer]);
  let fewest = Number.POSITIVE_INFINITY;
  for (let beginning = 0; beginning < beginnings && fewest > 0; beginning += 1) {
    for (const layer of layers) {
      // Another rotation each time, every second one turned around: varied, and the same on every run.
      const turned = beginning % 2 === 0 ? layer : layer.toReversed();
      const cut = Math.floor(beginning / 2) % layer.length;
      layer.splice(0, layer.length, ...turned.slice(cut), ...turned.slice(0, cut));
      number(layer);
    }
    const crossed = settleOrder(layers);
    if (crossed < fewest) {
      fewest = crossed;
      best = layers.map((layer) => [...layer]);
    }
  }
  best.forEach((layer, at) => layers[at]?.splice(0, layer.length, ...layer));
  layers.forEach(number);
}

/** Sorts each layer by the middle of its neighbours, down and up in turn, and swaps neighbours while that helps. */
function settleOrder(layers: readonly Place[][]): number {
  let crossed = crossings(layers);
  for (let round = 0; round < 12 && crossed > 0; round += 1) {
    const down = round % 2 === 0;
    for (const layer of down ? layers : layers.toReversed()) {
      const middle = (place: Place): number => {
        const next = down ? place.above : place.below;
        return next.length === 0
          ? place.order
          : next.reduce((sum, { order }) => sum + order, 0) / next.length;
      };
      const sorted = layer.map((place) => ({ place, key: middle(place) })).sort((a, b) => a.key - b.key);
      layer.splice(0, layer.length, ...sorted.map(({ place }) => place));
      number(layer);
    }
    crossed = untangle(layers);
  }
  return crossed;
}

function untangle(layers: readonly Place[][]): number {
  let fewest = crossings(layers);
  for (let better = true; better;) {
    better = false;
    for (const layer of layers) {
      for (let at = 1; at < layer.length; at += 1) {
        swap(layer, at);
        const now = crossings(layers);
        if (now < fewest) {
          fewest = now;
          better = true;
        } else swap(layer, at);
      }
    }
  }
  return fewest;
}

function swap(layer: Place[], at: number): void {
  const [a, b] = [layer[at - 1] as Place, layer[at] as Place];
  layer[at - 1] = b;
  layer[at] = a;
  number(layer);
}

// --- coordinates ---

function coordinate(
  layers: readonly (readonly Place[])[],
  arrows: readonly Arrow[],
): { readonly width: number; readonly height: number } {
  for (const layer of layers)
    spread(
      layer,
      layer.map(() => 0),
    );
  for (let round = 0; round < 200; round += 1) {
    for (const layer of round % 2 === 0 ? layers : layers.toReversed()) {
      spread(layer, layer.map(wishOf));
    }
  }
  for (const { through } of arrows) straighten(through.slice(1, -1), layers);
  const all = layers.flat();
  const left = Math.min(...all.map(({ x, width }) => x - width / 2)) - gap.side;
  let y = gap.side;
  for (const layer of layers) {
    const height = Math.max(...layer.map((place) => place.height));
    for (const place of layer) {
      place.x = Math.round(place.x - left);
      place.top = Math.round(y + (height - place.height) / 2);
    }
    y += height + gap.edge;
  }
  return {
    width: Math.max(...all.map(({ x, width }) => x + width / 2)) + gap.side,
    height: y - gap.edge + gap.side,
  };
}

/** Where a place would stand if it were alone: in the middle of its neighbours, those of a long arrow counting most, so that it is straight. */
function wishOf(place: Place): number {
  let sum = 0;
  let weights = 0;
  for (const neighbour of [...place.above, ...place.below]) {
    const bends = [place, neighbour].filter(({ status }) => status === undefined).length;
    const weight = bends === 2 ? 8 : bends === 1 ? 2 : 1;
    sum += weight * neighbour.x;
    weights += weight;
  }
  return weights === 0 ? place.x : sum / weights;
}

/** Puts a layer as near to its wishes as its order and the gaps allow (least squares, by pooling what gets in each other's way). */
function spread(layer: readonly Place[], wishes: readonly number[]): void {
  let offset = 0;
  const offsets = layer.map((place, at) => {
    const before = layer[at - 1];
    if (before !== undefined) offset += distance(before, place);
    return offset;
  });
  const pools: { sum: number; count: number }[] = [];
  wishes.forEach((wish, at) => {
    let pool = { sum: wish - (offsets[at] as number), count: 1 };
    for (
      let last = pools.at(-1);
      last !== undefined && last.sum / last.count > pool.sum / pool.count;
      last = pools.at(-1)
    ) {
      pool = { sum: pool.sum + last.sum, count: pool.count + last.count };
      pools.pop();
    }
    pools.push(pool);
  });
  let at = 0;
  for (const { sum, count } of pools) {
    for (let n = 0; n < count; n += 1, at += 1)
      (layer[at] as Place).x = sum / count + (offsets[at] as number);
  }
}

/** How far apart the middles of two neighbours must be. */
function distance(a: Place, b: Place): number {
  const between = a.status !== undefined || b.status !== undefined ? gap.status : gap.label;
  return (a.width + b.width) / 2 + 2 * between;
}

/** Puts the places of a long arrow one below the other, where nothing stands in the way. */
function straighten(places: readonly Place[], layers: readonly (readonly Place[])[]): void {
  let least = Number.NEGATIVE_INFINITY;
  let most = Number.POSITIVE_INFINITY;
  for (const place of places) {
    const layer = layers[place.layer] as readonly Place[];
    const before = layer[place.order - 1];
    const after = layer[place.order + 1];
    if (before !== undefined) least = Math.max(least, before.x + distance(before, place));
    if (after !== undefined) most = Math.min(most, after.x - distance(place, after));
  }
  if (least > most) return;
  const mean = places.reduce((sum, { x }) => sum + x, 0) / places.length;
  for (const place of places) place.x = Math.min(Math.max(mean, least), most);
}

// --- drawing ---

const style = `
  .paper { fill: #ffffff; stroke: #d0d7de; }
  .status { fill: #f6f8fa; stroke: #57606a; stroke-width: 1.3; }
  .end { fill: none; stroke: #57606a; stroke-width: 1; }
  .start { fill: #1f2328; }
  .arrow { fill: none; stroke: #6e7781; stroke-width: 1.3; }
  .head { fill: #6e7781; }
  .under { fill: #ffffff; }
  .name { fill: #1f2328; font: 600 14px ui-sans-serif, system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
  .label { fill: #0550ae; font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
  .inside { fill: #57606a; font: 11px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; stroke: #30363d; }
    .status { fill: #161b22; stroke: #8b949e; }
    .end { stroke: #8b949e; }
    .start, .name { fill: #e6edf3; }
    .arrow { stroke: #8b949e; }
    .head { fill: #8b949e; }
    .under { fill: #0d1117; }
    .label { fill: #79c0ff; }
    .inside { fill: #9198a1; }
  }`;

function draw(
  places: readonly Place[],
  arrows: readonly Arrow[],
  start: string,
  title: string,
  width: number,
  height: number,
): string {
  const w = Math.ceil(width);
  const h = Math.ceil(height);
  const left = new Set(arrows.map(({ from }) => from));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(title)}</title>`,
    `<style>${style}\n</style>`,
    `<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0.8 10 5 0 9.2z"/></marker></defs>`,
    `<rect class="paper" x="0.5" y="0.5" width="${w - 1}" height="${h - 1}" rx="8"/>`,
    ...arrows.map((arrow) => drawArrow(arrow)),
    ...places.filter(({ status }) => status === undefined).map(drawLabel),
    ...places.map((place) =>
      place.status === undefined ? "" : drawStatus(place, place.status, start, !left.has(place.status)),
    ),
    "</svg>",
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function drawStatus(place: Place, status: string, start: string, isEnd: boolean): string {
  const { x, top, width, height, text } = place;
  if (status === start) {
    return `<circle class="start" cx="${x}" cy="${top + height / 2}" r="${height / 2}"><title>${escaped(status)}</title></circle>`;
  }
  const left = x - width / 2;
  const box = `<rect class="status" x="${left}" y="${top}" width="${width}" height="${height}" rx="9"/>`;
  const inner = `<rect class="end" x="${left + 3}" y="${top + 3}" width="${width - 6}" height="${height - 6}" rx="6.5"/>`;
  const name = `<text class="name" x="${x}" y="${top + 22}" text-anchor="middle">${escaped(status)}</text>`;
  const inside = text.map(
    (line, at) =>
      `<text class="inside" x="${x}" y="${top + 44 + at * 15}" text-anchor="middle">↻ ${escaped(line)}</text>`,
  );
  return [box, ...(isEnd ? [inner] : []), name, ...inside].join("");
}

function drawLabel({ x, top, width, height, text }: Place): string {
  if (text.length === 0) return "";
  const lines = text.map(
    (line, at) =>
      `<text class="label" x="${x}" y="${top + 14 + at * lineHeight}" text-anchor="middle">${escaped(line)}</text>`,
  );
  return `<rect class="under" x="${x - width / 2}" y="${top}" width="${width}" height="${height}"/>${lines.join("")}`;
}

function drawArrow({ from, to, outcomes, back, through }: Arrow): string {
  const [first, last] = [through[0] as Place, through.at(-1) as Place];
  const points: [x: number, y: number][] = [
    [port(first, first.below, through[1] as Place), first.top + first.height],
  ];
  for (const place of through.slice(1, -1)) {
    points.push([place.x, place.top], [place.x, place.top + place.height]);
  }
  points.push([port(last, last.above, through.at(-2) as Place), last.top]);
  if (back) points.reverse();
  const path = points.map(([x, y], at) => {
    const before = points[at - 1];
    if (before === undefined) return `M${x} ${y}`;
    if (before[0] === x) return `L${x} ${y}`;
    const middle = (before[1] + y) / 2;
    return `C${before[0]} ${middle} ${x} ${middle} ${x} ${y}`;
  });
  const said = `${from} to ${to}: ${outcomes.join(", ")}`;
  return `<path class="arrow" d="${path.join("")}" marker-end="url(#head)"><title>${escaped(said)}</title></path>`;
}

/** Where an arrow meets a status: its share of the side, in the order of what is on the other end. */
function port(place: Place, neighbours: readonly Place[], other: Place): number {
  const sorted = neighbours.toSorted((a, b) => a.order - b.order);
  const step = Math.min(22, (place.width - 24) / Math.max(1, sorted.length));
  return Math.round(place.x + (sorted.indexOf(other) - (sorted.length - 1) / 2) * Math.max(0, step));
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
