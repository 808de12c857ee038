// Lines of the audit in the reader's words.
import i18next from 'i18next';

const worded = (key: string, plain: string): string => (i18next.exists(key) ? i18next.t(key) : plain.replaceAll('_', ' '));

/** What was done: `write_plan` → "wrote the plan". */
export const actionName = (action: string): string => worded(`audit.act.${action}`, action);
/** On what: `message_rule` → "rule". */
export const subjectName = (kind: string): string => worded(`audit.kind.${kind.replaceAll(' ', '_')}`, kind);
/** A field that changed; of one inside another both names. */
export const fieldName = (field: string): string => field.split(/[./]/).filter(Boolean).map((f) => worded(`audit.field.${f}`, f)).join(' · ');

/** Every act that has words, for a choice. */
export const actions = (): { value: string; label: string }[] => {
  const words = i18next.getResourceBundle(i18next.language, 'translation') as Record<string, string>;
  const known = Object.keys(words).filter((k) => k.startsWith('audit.act.'));
  return known.map((k) => ({ value: k.slice('audit.act.'.length), label: words[k]! })).sort((a, b) => a.label.localeCompare(b.label, i18next.language));
};

/** A value as people read it: lists with commas, yes and no; anything else as JSON. */
export const valueText = (v: unknown): string | null => {
  if (v === null || v === undefined || v === '') return null;
  if (typeof v === 'boolean') return i18next.t(v ? 'audit.yes' : 'audit.no');
  if (typeof v === 'string' || typeof v === 'number') return String(v);
  if (Array.isArray(v) && v.every((x) => typeof x === 'string' || typeof x === 'number')) return v.length ? v.join(', ') : null;
  return JSON.stringify(v);
};
