import type { ReactNode } from 'react';
import { useEffect, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { sayProblem } from '../api/problem';
import { IconCheck, IconCloudOff, IconX } from './icons';
import { useShortcut } from './shortcuts';

interface ToastItem {
  id: number;
  text: ReactNode;
  undo?: () => void;
  bad?: boolean;
}

// One at a time: the newest act is the one to be undone.
let current: ToastItem | null = null;
let ids = 0;
const watchers = new Set<() => void>();
const set = (t: ToastItem | null) => {
  current = t;
  watchers.forEach((w) => w());
};
const watch = (w: () => void) => {
  watchers.add(w);
  return () => watchers.delete(w);
};

export const say = (text: ReactNode, undo?: () => void): void => set({ id: ++ids, text, undo });
export const sayError = (error: unknown): void => set({ id: ++ids, text: sayProblem(error), bad: true });

export function Toast() {
  const { t } = useTranslation();
  const toast = useSyncExternalStore(watch, () => current);
  const undo = () => {
    if (!toast?.undo) return;
    set(null);
    toast.undo();
  };
  useShortcut('KeyZ', undo, { enabled: Boolean(toast?.undo) });
  useEffect(() => {
    if (!toast || toast.bad) return;
    const timer = setTimeout(() => set(null), toast.undo ? 10_000 : 5_000);
    return () => clearTimeout(timer);
  }, [toast]);
  return (
    <div aria-live={toast?.bad ? 'assertive' : 'polite'} role="status">
      {toast && (
        <div className={`toast${toast.bad ? ' bad' : ''}`} key={toast.id}>
          {toast.bad ? <IconCloudOff /> : <IconCheck />}
          <span className="sp">{toast.text}</span>
          {toast.undo && (
            <button type="button" onClick={undo}>
              {t('toast.undo')} <kbd>Z</kbd>
            </button>
          )}
          {(toast.bad || !toast.undo) && (
            <button type="button" aria-label={t('close')} onClick={() => set(null)}>
              <IconX className="s" />
            </button>
          )}
        </div>
      )}
    </div>
  );
}
