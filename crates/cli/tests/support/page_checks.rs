//! Scripts that return what is wrong with the layout of a page.

/// Returns the arrows that do not connect the lifelines of their parties, or whose text is outside of them.
pub const WRONG_ARROWS: &str = r#"
const wrong = [];
for (const ladder of document.querySelectorAll('.ladder')) {
  const lane = ladder.querySelector('.lifelines .lane').getBoundingClientRect();
  const centre = (party) => {
    const rect = ladder.querySelector(`.lifelines .${party}`).getBoundingClientRect();
    return (rect.left + rect.right) / 2;
  };
  for (const arrow of ladder.querySelectorAll('.arrow')) {
    const [left, right] = [...arrow.classList].find((name) => name.includes('-')).split('-').map(centre);
    const box = arrow.getBoundingClientRect();
    const line = arrow.querySelector('.line').getBoundingClientRect();
    const label = arrow.querySelector('.label').getBoundingClientRect();
    const near = (a, b) => Math.abs(a - b) < 1.5;
    const isCut = arrow.classList.contains('cut');
    const start = arrow.classList.contains('right') ? [line.left, left] : [line.right, right];
    const end = arrow.classList.contains('right') ? [line.right, right] : [line.left, left];
    const problems = [];
    if (!(lane.left <= left && left < right && right <= lane.right)) problems.push('lifelines');
    if (!near(...start)) problems.push('start');
    if (near(...end) === isCut) problems.push('end');
    if (line.left < box.left - 1.5 || line.right > box.right + 1.5) problems.push('line');
    if (label.left < left - 1 || label.right > right + 1 || label.bottom > line.top + 3) problems.push('label');
    if (line.width < 20) problems.push('short');
    const head = getComputedStyle(arrow.querySelector('.line'), '::after');
    const widths = isCut ? ['0px', '0px'] : arrow.classList.contains('right') ? ['9px', '0px'] : ['0px', '9px'];
    if (head.borderLeftWidth !== widths[0] || head.borderRightWidth !== widths[1]) problems.push('head');
    if (problems.length) wrong.push(`${arrow.textContent.trim()}: ${problems}`);
  }
}
return wrong;
"#;

/// Returns what is wider than the page or than its own box, except tables that scroll.
pub const OVERFLOWING: &str = r#"
const wide = [];
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > width) wide.push(`page: ${document.documentElement.scrollWidth} > ${width}`);
for (const element of document.querySelectorAll('body *')) {
  if (element.closest('.scroll, .unseen, svg') || element.checkVisibility({visibilityProperty: true}) === false) continue;
  const rect = element.getBoundingClientRect();
  if (rect.width && (rect.left < -0.5 || rect.right > width + 0.5)) wide.push(`${element.className} ${element.textContent.slice(0, 60)}`);
}
return wide;
"#;

/// Returns the texts whose contrast with their background is below 4.5, the limit of WCAG 2 AA.
pub const FAINT: &str = r#"
const context = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
const luminance = ([r, g, b]) => {
  const part = (value) => (value /= 255) <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4;
  return .2126 * part(r) + .7152 * part(g) + .0722 * part(b);
};
const paint = (colours) => {
  context.clearRect(0, 0, 1, 1);
  for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
  return context.getImageData(0, 0, 1, 1).data;
};
const faint = new Set();
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || element.closest('.unseen') || !element.checkVisibility({visibilityProperty: true})) continue;
  const colours = [];
  for (let at = element; at; at = at.parentElement) colours.unshift(getComputedStyle(at).backgroundColor);
  const style = getComputedStyle(element);
  const colour = element instanceof SVGElement ? style.fill : style.color;
  const [a, b] = [luminance(paint(colours)), luminance(paint([...colours, colour]))];
  const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (contrast < 4.5) faint.add(`${element.className} ${element.textContent.slice(0, 40)}: ${contrast.toFixed(2)}`);
}
return [...faint];
"#;
