import { useEffect, useRef } from 'react';

interface Options {
  ctrl?: boolean;
  shift?: boolean;
  enabled?: boolean;
  /** Works while typing too. */
  always?: boolean;
}
interface Bound extends Options {
  code: string;
  run: () => void;
}

// Keys are told by event.code: С of the Ukrainian layout stands where C stands, and both create.
const bound: { current: Bound }[] = [];
let pendingGo = 0;

function typing(target: EventTarget | null): boolean {
  const el = target as HTMLElement | null;
  return Boolean(el?.closest?.('input, textarea, select, [contenteditable="true"]'));
}

window.addEventListener('keydown', (e) => {
  if (e.altKey || e.isComposing || e.defaultPrevented) return;
  const ctrl = e.ctrlKey || e.metaKey;
  const busy = typing(e.target);
  const inDialog = Boolean((e.target as HTMLElement | null)?.closest?.('[role="dialog"]'));
  // A button takes Space and Enter for itself.
  if ((e.code === 'Space' || e.code === 'Enter') && (e.target as HTMLElement | null)?.closest?.('button, a, [role="row"], summary')) return;
  const go = Date.now() - pendingGo < 1200;
  for (let i = bound.length - 1; i >= 0; i--) {
    const b = bound[i]!.current;
    if (b.enabled === false || Boolean(b.ctrl) !== ctrl) continue;
    if ((busy || inDialog) && !b.always) continue;
    const wanted = b.code.startsWith('G ') ? (go ? b.code.slice(2) : '') : b.code;
    if (go && !b.code.startsWith('G ')) continue;
    if (wanted !== e.code) continue;
    if (b.shift !== undefined && b.shift !== e.shiftKey) continue;
    e.preventDefault();
    pendingGo = 0;
    b.run();
    return;
  }
  pendingGo = !busy && !ctrl && e.code === 'KeyG' ? Date.now() : 0;
});

export function useShortcut(code: string, run: () => void, options: Options = {}): void {
  const ref = useRef<Bound>({ code, run, ...options });
  ref.current = { code, run, ...options };
  useEffect(() => {
    bound.push(ref);
    return () => {
      bound.splice(bound.indexOf(ref), 1);
    };
  }, []);
}
