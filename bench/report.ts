/** What one target showed beside the bare upstream; `cpuMs` and `rssMb` are its process's own. */
export interface TargetResult {
  readonly target: string;
  readonly durability: string;
  readonly addedP50Ms: number;
  readonly p50Ratio: number;
  readonly throughputRatio: number;
  readonly cpuMs: number;
  readonly rssMb: number;
}

export interface Results {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly inFlight: number;
  readonly targets: readonly TargetResult[];
  readonly approvals: { readonly perSecond: number; readonly barePerSecond: number };
  readonly clickToDispatch: { readonly p50Ms: number; readonly p95Ms: number; readonly count: number };
}

const two = (value: number) => value.toFixed(2);

/** The page of figures. Everything in it comes from one run. */
export function pageOf(results: Results): string {
  const { approvals, clickToDispatch } = results;
  const rows = results.targets.map(
    (t) =>
      `| ${t.target} | ${t.durability} | ${two(t.p50Ratio)} | ${two(t.addedP50Ms)} | ${two(t.throughputRatio)} | ${two(t.cpuMs)} | ${t.rssMb.toFixed(0)} |`,
  );
  return `# Performance

Written by \`npm run bench\`; all figures are of one run, on ${results.machine}, Node ${results.node}, ${results.date}.
The upstream costs next to nothing, so what stands in front of it shows. Ratios are medians over blocks that alternate with
calls straight to the upstream. CPU per call is the steadiest figure on a machine that does other work.

| target | durability | p50 × direct | added p50 ms | throughput × direct at ${results.inFlight} in flight | CPU ms a call | RSS MB |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
${rows.join("\n")}

![CPU a call](performance.svg)

## Goals

${goals(results).join("\n")}

Automatic approvals: ${approvals.perSecond.toFixed(0)} a second, each on the disk before it is answered; the bare database commits as
many rows in groups of the same size ${approvals.barePerSecond.toFixed(0)} times a second. From the click of a reviewer to the
dispatch, over ${clickToDispatch.count} cases: p50 ${two(clickToDispatch.p50Ms)} ms, p95 ${two(clickToDispatch.p95Ms)} ms.

## Run it yourself

\`npm run bench\` needs Linux and about two minutes. \`ATLAS_BENCH_FLOORS\` names a folder with more floors to run beside: files
\`floor-*.mjs\` that take a port and the upstream's address.
`;
}

function goals(results: Results): readonly string[] {
  const atlas = results.targets.find(({ target }) => target === "ATLAS");
  const floor = results.targets.find(({ target }) => target === "floor: audit");
  if (atlas === undefined || floor === undefined) return [];
  const { approvals, clickToDispatch } = results;
  return [
    goal("CPU a call ÷ that of floor: audit", atlas.cpuMs / floor.cpuMs, "≤", 2),
    goal("added p50 ÷ that of floor: audit", atlas.addedP50Ms / floor.addedP50Ms, "≤", 2),
    goal("throughput ÷ that of floor: audit", atlas.throughputRatio / floor.throughputRatio, "≥", 0.6),
    goal("memory ÷ that of floor: audit", atlas.rssMb / floor.rssMb, "≤", 1.6),
    goal("automatic approvals ÷ bare database", approvals.perSecond / approvals.barePerSecond, "≥", 0.5),
    goal("click to dispatch, p95 ms", clickToDispatch.p95Ms, "≤", 25),
  ];
}

function goal(what: string, value: number, sign: "≤" | "≥", limit: number): string {
  const isMet = sign === "≤" ? value <= limit : value >= limit;
  return `- ${what}: **${two(value)}**, goal ${sign} ${limit}: ${isMet ? "met" : "missed"}.`;
}

/** CPU a call of every target, as bars. */
export function pictureOf({ targets }: Results): string {
  const widest = Math.max(...targets.map(({ cpuMs }) => cpuMs));
  const bars = targets.map(({ target, cpuMs }, row) => {
    const y = 10 + row * 34;
    const width = Math.max(2, (cpuMs / widest) * 380);
    return `<text x="150" y="${y + 17}" text-anchor="end">${target.replaceAll("&", "&amp;")}</text><rect x="160" y="${y}" width="${width.toFixed(0)}" height="24" fill="${target === "ATLAS" ? "#2563eb" : "#94a3b8"}"/><text x="${(168 + width).toFixed(0)}" y="${y + 17}">${two(cpuMs)} ms</text>`;
  });
  const height = 20 + targets.length * 34;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="${height}" font-family="sans-serif" font-size="13"><title>CPU time a call</title>${bars.join("")}</svg>\n`;
}
