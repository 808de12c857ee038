import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { setLanguage } from '../ui/format';

export type Language = 'en' | 'uk';
const KEY = 'braid-language';

// Each language is its own chunk: nobody downloads words that they do not read.
const texts = { en: () => import('./en'), uk: () => import('./uk') };
const areas = { en: () => import('./areas.en'), uk: () => import('./areas.uk') };
let withAreas = false;
const prices = { en: () => import('./prices.en'), uk: () => import('./prices.uk') };
let withPrices = false;

/** Words of the page of prices, with it. */
export async function pricesTexts(): Promise<void> {
  if (withPrices) return;
  const language = wantedLanguage();
  i18next.addResourceBundle(language, 'translation', (await prices[language]()).default, true, true);
  withPrices = true;
}

/** Words of the areas that few open, with the first of their pages. */
export async function areaTexts(): Promise<void> {
  if (withAreas) return;
  const language = wantedLanguage();
  const module = await areas[language]();
  i18next.addResourceBundle(language, 'translation', module.default, true, true);
  withAreas = true;
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
  if (withAreas) i18next.addResourceBundle(language, 'translation', (await areas[language]()).default, true, true);
  if (withPrices) i18next.addResourceBundle(language, 'translation', (await prices[language]()).default, true, true);
  setLanguage(language);
  document.documentElement.lang = language;
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // not remembered, that is all
  }
  await i18next.changeLanguage(language);
}
