// Why goods come from where they come: the sentences of crates/orders/src/sourcing/why.rs and what is put before them, with their values.
import i18next from 'i18next';
import * as f from '../ui/format';

/** How a place is called; pages that know the places say so. */
let placeName: (id: string) => string = (id) => id;
export const callPlacesBy = (name: (id: string) => string): void => {
  placeName = name;
};
export const placeCalled = (id: string): string => placeName(id);

const tell = (key: string, of: Record<string, unknown> = {}): string => i18next.t(`osaid.${key}`, of);
const KIND = /^(?:the (?:shop|warehouse|micro_fulfilment|pickup_point|locker|partner|\w+) )?(.+)$/;
const place = (text: string): string => placeName(KIND.exec(text)?.[1] ?? text);

const ARRIVES: [RegExp, (m: RegExpExecArray) => string][] = [
  [/^arrives today$/, () => tell('arrivesToday')],
  [/^arrives tomorrow$/, () => tell('arrivesTomorrow')],
  [/^arrives in (\d+) days$/, (m) => tell('arrivesIn', { count: Number(m[1]), n: f.number(Number(m[1])) })],
];
const AGAINST: [RegExp, (m: RegExpExecArray) => string][] = [
  [/^, as cheap as all from (.+)$/, (m) => tell('asCheap', { place: placeName(m[1]!) })],
  [/^, saves (\S+) ([A-Z]{3})(?: against all from (.+))?$/, (m) => tell(m[3] ? 'savesAgainst' : 'saves', { sum: f.sum(m[1], m[2]) ?? m[1], place: m[3] ? placeName(m[3]) : '' })],
  [/^, no other single place has everything$/, () => tell('onlyThere')],
];
const PARKED: Record<string, string> = {
  'nobody delivers there': 'noLane', 'too few pieces where deliveries come from': 'noStock', 'the places that have it can pick no more that day': 'noCapacity',
  'rules leave no place': 'forbidden', 'one parcel is wanted and no place has everything': 'oneParcel', 'other lines or orders got what there is': 'gotIt',
};
const first = <T>(list: [RegExp, (m: RegExpExecArray) => T][], text: string): T | null => {
  for (const [pattern, say] of list) {
    const m = pattern.exec(text);
    if (m) return say(m);
  }
  return null;
};

/** Such a sentence in the reader's language, or null where it is another. */
export function sourcingText(text: string): string | null {
  const brought = /^what the shop lacks is brought: (.+)$/.exec(text);
  if (brought) {
    const rest = sourcingText(brought[1]!);
    return rest === null ? null : tell('lacks', { rest });
  }
  const [head, ...parked] = text.split(/; (?=line \S+ waits: )/);
  const waits = parked.map((p) => { const m = /^line (\S+) waits: (.+)$/.exec(p); return m && PARKED[m[2]!] ? tell(`park.${PARKED[m[2]!]}`, { line: m[1] }) : null; });
  if (waits.some((w) => w === null)) return null;
  const tail = waits.length ? `; ${waits.join('; ')}` : '';
  if (head === 'nothing can be sent') return tell('nothingSent2') + tail;
  const m = /^(from .+|in \d+ parcels, .+): (arrives [^,]+)(, .+)?$/.exec(head!);
  if (!m) return null;
  const when = first(ARRIVES, m[2]!);
  const against = m[3] ? first(AGAINST, m[3]) : '';
  if (when === null || against === null) return null;
  const one = /^from (.+?)(?: by (\S+))?$/.exec(m[1]!);
  const many = /^in (\d+) parcels, (.+)$/.exec(m[1]!);
  let from: string;
  if (many) {
    const each = many[2]!.split(/, (?=\d+ pieces from )/).map((p) => /^(\d+) pieces from (.+) by (\S+)$/.exec(p));
    if (each.some((p) => !p)) return null;
    from = tell('inParcels', { count: Number(many[1]), n: many[1], each: f.list(each.map((p) => tell('piecesFrom', { count: Number(p![1]), n: f.number(Number(p![1])), place: place(p![2]!) }))) });
  } else if (one) from = tell('from', { place: place(one[1]!) });
  else return null;
  return `${from}: ${[when, against].filter(Boolean).join(', ')}${tail}`;
}
