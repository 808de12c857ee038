// Moments in fields of a form: they are the shop's wall clock, whatever zone the browser is in.
const two = (n: number): string => String(n).padStart(2, '0');

/** How far the wall clock of a zone is ahead of UTC at a moment, in ms. */
function ahead(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hour12: false }).formatToParts(at);
  const of = (type: string) => Number(parts.find((p) => p.type === type)?.value ?? 0);
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour') % 24, of('minute')) - Math.floor(at / 60_000) * 60_000;
}

/** `2026-11-22T14:30` of a zone as a moment; null where it is none. */
export function momentOf(text: string, zone: string): string | null {
  const wall = Date.parse(`${text}Z`);
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text) || Number.isNaN(wall)) return null;
  // The offset at the guess may be that before a change of the clocks; once more is enough.
  const guess = wall - ahead(wall, zone);
  return new Date(wall - ahead(guess, zone)).toISOString().replace('.000Z', 'Z');
}

/** A moment as a field of that zone shows it. */
export function fieldOf(at: string | number, zone: string): string {
  const ms = typeof at === 'number' ? at : Date.parse(at);
  const wall = new Date(ms + ahead(ms, zone));
  return `${wall.getUTCFullYear()}-${two(wall.getUTCMonth() + 1)}-${two(wall.getUTCDate())}T${two(wall.getUTCHours())}:${two(wall.getUTCMinutes())}`;
}
