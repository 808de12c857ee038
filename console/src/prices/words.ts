// Why a price holds comes from the server in English sentences with values; here it is said in the reader's language.
import i18next from 'i18next';

const places: Record<string, string> = { channel: 'для каналу', region: 'для регіону', store: 'для магазину', segment: 'для сегмента' };

/** The reason of a price. What no pattern knows is shown as it came. */
export function reasonOf(text: string): string {
  if (i18next.language !== 'uk') return text;
  return text
    .replace(/^base price/, 'базова ціна')
    .replace(/^price list "(.*?)"/, 'прайс-лист «$1»')
    .replace(/ for (channel|region|store|segment) /, (_, w: string) => ` ${places[w]} `)
    .replace(/, (channel|region|store|segment) /g, (_, w: string) => `, ${places[w]} `)
    .replace(/ for this customer/, ' для цього клієнта')
    .replace(/, this customer/, ', для цього клієнта')
    .replace(/ and (\d+) more/g, ' і ще $1')
    .replace(/, from (\d+) pieces/, ', від $1 шт.');
}
