import { useEffect } from 'react';

/** Ctrl V on a page, outside of any field, opens its paste with what was on the clipboard. */
export function usePaste(enabled: boolean, open: (text: string) => void): void {
  useEffect(() => {
    if (!enabled) return;
    const take = (e: ClipboardEvent) => {
      if ((e.target as HTMLElement | null)?.closest?.('input, textarea, [contenteditable="true"], [role="dialog"]')) return;
      const text = e.clipboardData?.getData('text/plain') ?? '';
      if (!text.includes('\t') && !text.includes('\n')) return;
      e.preventDefault();
      open(text);
    };
    window.addEventListener('paste', take);
    return () => window.removeEventListener('paste', take);
  }, [enabled, open]);
}
