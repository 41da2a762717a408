/* Runs in the browser. Value: a line for each text whose contrast is too low (WCAG 2.2, 1.4.3). */
(() => {
  const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);

  const luminance = (color) => {
    const [r, g, b] = channels(color).map((channel) => {
      const part = channel / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  const behind = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    const isClear = channels(color)[3] === 0;
    return isClear && element.parentElement !== null ? behind(element.parentElement) : color;
  };

  const hasText = (element) =>
    [...element.childNodes].some(
      (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim() !== "",
    );

  return [...document.querySelectorAll("body *")].flatMap((element) => {
    if (!hasText(element) || !element.checkVisibility()) return [];
    const [light, dark] = [getComputedStyle(element).color, behind(element)]
      .map(luminance)
      .toSorted((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    return ratio < 4.5 ? [`${ratio.toFixed(2)}: ${element.outerHTML.slice(0, 100)}`] : [];
  });
})();
