import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { setLanguage } from '../ui/format';

export type Language = 'en' | 'uk';
const KEY = 'braid-language';

// Each language is its own chunk: nobody downloads words that they do not read. Words that Home does not need come with the
// pages of their area.
const texts = { en: () => import('./en'), uk: () => import('./uk') };
type Words = { default: Record<string, string> };
const together = async (parts: Promise<Words>[]): Promise<Words> => ({ default: Object.assign({}, ...(await Promise.all(parts)).map((p) => p.default)) as Record<string, string> });
const areas = {
  /** What pages that few open share among themselves. */
  areas: {
    en: () => together([import('./audit.en'), import('./exports.en'), import('./identity.en'), import('./live.en'), import('./moving.en'), import('./privacy.en'), import('./settings.en'), import('./webhooks.en')]),
    uk: () => together([import('./audit.uk'), import('./exports.uk'), import('./identity.uk'), import('./live.uk'), import('./moving.uk'), import('./privacy.uk'), import('./settings.uk'), import('./webhooks.uk')]),
  },
  catalog: { en: () => import('./catalog.en'), uk: () => import('./catalog.uk') },
  customers: { en: () => import('./customers.en'), uk: () => import('./customers.uk') },
  erp: { en: () => import('./erp.en'), uk: () => import('./erp.uk') },
  goods: { en: () => import('./goods.en'), uk: () => import('./goods.uk') },
  imports: { en: () => import('./imports.en'), uk: () => import('./imports.uk') },
  messages: { en: () => import('./messages.en'), uk: () => import('./messages.uk') },
  orders: { en: () => import('./orders.en'), uk: () => import('./orders.uk') },
  places: { en: () => import('./places.en'), uk: () => import('./places.uk') },
  prices: { en: () => import('./prices.en'), uk: () => import('./prices.uk') },
  returns: { en: () => import('./returns.en'), uk: () => import('./returns.uk') },
  reviews: { en: () => import('./reviews.en'), uk: () => import('./reviews.uk') },
  segments: { en: () => import('./segments.en'), uk: () => import('./segments.uk') },
  shared: { en: () => import('./shared.en'), uk: () => import('./shared.uk') },
  stock: { en: () => import('./stock.en'), uk: () => import('./stock.uk') },
  sources: { en: () => import('./sources.en'), uk: () => import('./sources.uk') },
};
export type Area = keyof typeof areas;
/** Those that a page has asked for. */
const wanted = new Set<Area>();
/** Those that are there, by language. */
const loaded = new Set<string>();

async function load(area: Area, language: Language): Promise<void> {
  if (loaded.has(`${area}.${language}`)) return;
  const module = await areas[area][language]();
  i18next.addResourceBundle(language, 'translation', module.default, true, true);
  loaded.add(`${area}.${language}`);
}

/** Words of an area and those that areas share, with the first of its pages. */
export async function areaTexts(area: Area = 'areas'): Promise<void> {
  const language = wantedLanguage();
  wanted.add(area).add('shared');
  await Promise.all([load(area, language), load('shared', language)]);
}

export function wantedLanguage(): Language {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEY);
  } catch {
    // storage may be shut: the browser's language decides
  }
  if (kept === 'en' || kept === 'uk') return kept;
  return navigator.languages.some((l) => l.toLowerCase().startsWith('uk')) ? 'uk' : 'en';
}

export async function startTexts(): Promise<void> {
  const language = wantedLanguage();
  const module = await texts[language]();
  setLanguage(language);
  document.documentElement.lang = language;
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
    resources: { [language]: { translation: module.default } },
    react: { useSuspense: false },
  });
}

export async function switchLanguage(language: Language): Promise<void> {
  const module = await texts[language]();
  i18next.addResourceBundle(language, 'translation', module.default, true, true);
  await Promise.all([...wanted].map((area) => load(area, language)));
  setLanguage(language);
  document.documentElement.lang = language;
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // not remembered, that is all
  }
  await i18next.changeLanguage(language);
}
