/** Fits Platt's slope and shift by Newton's method on log-odds of calls the model has not seen. */
export function fitPlatt(rows: readonly { readonly odds: number; readonly harmful: boolean }[]): {
  readonly slope: number;
  readonly shift: number;
} {
  let slope = 1;
  let shift = 0;
  for (let round = 0; round < 50; round++) {
    let gradSlope = 1e-6 * slope;
    let gradShift = 0;
    let ss = 1e-6;
    let st = 0;
    let tt = 1e-6;
    for (const { odds, harmful } of rows) {
      const p = 1 / (1 + Math.exp(-(slope * odds + shift)));
      const gap = p - (harmful ? 1 : 0);
      const bend = p * (1 - p);
      gradSlope += gap * odds;
      gradShift += gap;
      ss += bend * odds * odds;
      st += bend * odds;
      tt += bend;
    }
    const det = ss * tt - st * st;
    if (Math.abs(det) < 1e-12) break;
    slope -= (tt * gradSlope - st * gradShift) / det;
    shift -= (ss * gradShift - st * gradSlope) / det;
  }
  return { slope, shift };
}
