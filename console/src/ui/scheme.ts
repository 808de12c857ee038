import { type MantineColorSchemeManager, useComputedColorScheme } from '@mantine/core';

const KEY = 'braid-scheme';

export const schemeManager: MantineColorSchemeManager = {
  get: (fallback) => {
    try {
      const kept = localStorage.getItem(KEY);
      return kept === 'light' || kept === 'dark' || kept === 'auto' ? kept : fallback;
    } catch {
      return fallback;
    }
  },
  set: (value) => {
    try {
      localStorage.setItem(KEY, value);
    } catch {
      // not remembered, that is all
    }
  },
  subscribe: () => undefined,
  unsubscribe: () => undefined,
  clear: () => localStorage.removeItem(KEY),
};

export const useScheme = () => useComputedColorScheme('light', { getInitialValueInEffect: false });
