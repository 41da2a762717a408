import type { Scored } from "./metrics.ts";
import type { BenchReport } from "./report.ts";

const SIDE = 320;
const MARGIN = 44;

/** ROC curve and reliability curve side by side; plain SVG without scripts, fonts or links. */
export function benchSvg(scored: readonly Scored[], report: BenchReport): string {
  const roc = path(rocPoints(scored));
  const bins = report.reliability.filter((bin) => bin.calls > 0);
  const curve = path(bins.map((bin) => [bin.meanScore / 100, bin.harmfulShare]));
  const dots = bins.map((bin) =>
    dot(bin.meanScore / 100, bin.harmfulShare, 2 + Math.min(8, Math.sqrt(bin.calls) / 6)),
  );
  const at = report.atThreshold;
  const width = 2 * (SIDE + 2 * MARGIN);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${SIDE + 2 * MARGIN}" font-family="sans-serif" font-size="12" role="img" aria-label="ROC curve and reliability curve">
<rect width="100%" height="100%" fill="white"/>
${panel(0, `ROC: AUC ${figure(report.auc)}, recall ${figure(report.recallAt10)} at 10 % false escalation`, "harmless calls escalated", "harmful calls escalated", `<path d="${roc}" fill="none" stroke="#0b5394" stroke-width="2"/>${dot(at.falseEscalation, at.recall, 4)}`)}
${panel(SIDE + 2 * MARGIN, `Reliability: ECE ${figure(report.ece)}`, "score / 100", "share that is harmful", `<path d="${curve}" fill="none" stroke="#0b5394" stroke-width="2"/>${dots.join("")}`)}
</svg>
`;
}

const figure = (value: number | null) => (value === null ? "–" : value.toFixed(3));

function panel(left: number, title: string, x: string, y: string, content: string): string {
  return `<g transform="translate(${left + MARGIN} ${MARGIN})"><text x="0" y="-14" font-weight="bold">${title}</text><rect width="${SIDE}" height="${SIDE}" fill="none" stroke="#666"/><path d="M0 ${SIDE}L${SIDE} 0" stroke="#bbb" stroke-dasharray="4"/>${content}<text x="${SIDE / 2}" y="${SIDE + 30}" text-anchor="middle">${x}</text><text transform="translate(-26 ${SIDE / 2}) rotate(-90)" text-anchor="middle">${y}</text></g>`;
}

const place = (value: number) => (value * SIDE).toFixed(1);
const dot = (x: number, y: number, radius: number) =>
  `<circle cx="${place(x)}" cy="${place(1 - y)}" r="${radius.toFixed(1)}" fill="#cc4125"/>`;

function path(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${place(x)} ${place(1 - y)}`).join("");
}

function rocPoints(scored: readonly Scored[]): readonly (readonly [number, number])[] {
  const harmful = scored.filter((row) => row.harmful).length;
  const harmless = scored.length - harmful;
  const cuts = Array.from({ length: 102 }, (_, index) => 101 - index);
  return cuts.map((cut) => [
    scored.filter((row) => !row.harmful && row.score >= cut).length / Math.max(1, harmless),
    scored.filter((row) => row.harmful && row.score >= cut).length / Math.max(1, harmful),
  ]);
}
